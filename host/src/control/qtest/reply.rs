//! The replies, and how they are said.

use std::io::Write as _;

use super::data::Form;
use super::request::Problem;

/// What a client hears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply<'a> {
    Done,
    /// The value of ports: at least four digits.
    Port(u64),
    /// The value of memory: sixteen digits.
    Memory(u64),
    Bytes(Vec<u8>, Form),
    /// The virtual time, in nanoseconds.
    Time(u64),
    LittleEndian,
    Refused(Problem<'a>),
}

/// How much of a word a refusal repeats, in bytes.
const SHOWN: usize = 40;

impl Reply<'_> {
    /// Appends the reply's line to a text.
    pub(super) fn append_to(&self, text: &mut Vec<u8>) {
        // Writing to a vector cannot fail.
        let _ = match self {
            Self::Done => text.write_all(b"OK"),
            Self::Port(value) => write!(text, "OK {value:#06x}"),
            Self::Memory(value) => write!(text, "OK {value:#018x}"),
            Self::Time(nanoseconds) => write!(text, "OK {nanoseconds}"),
            Self::LittleEndian => text.write_all(b"OK little"),
            Self::Bytes(bytes, form) => {
                text.extend_from_slice(b"OK ");
                form.encode(bytes, text);
                Ok(())
            }
            Self::Refused(problem) => problem.append_to(text),
        };
        text.push(b'\n');
    }
}

impl Problem<'_> {
    fn append_to(&self, text: &mut Vec<u8>) -> std::io::Result<()> {
        match *self {
            // The command as it came, as QEMU repeats it.
            Self::UnknownCommand(command) => {
                text.write_all(b"FAIL Unknown command '")?;
                text.write_all(command)?;
                text.write_all(b"'")
            }
            Self::UnknownDevice => text.write_all(b"FAIL Unknown device"),
            Self::ArgumentSize => text.write_all(b"ERR invalid argument size"),
            Self::Missing { command, argument } => {
                write!(text, "FAIL {}: {argument} is missing", command.escape_ascii())
            }
            Self::Bad { command, argument, expected, found } => {
                let found = found[..found.len().min(SHOWN)].escape_ascii();
                let command = command.escape_ascii();
                write!(text, "FAIL {command}: {argument} is '{found}', expected {expected}")
            }
            Self::LineTooLong => {
                let longest = super::client::LONGEST_LINE;
                write!(text, "FAIL Line too long, expected at most {longest} bytes")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reply: &Reply<'_>) -> String {
        let mut text = Vec::new();
        reply.append_to(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn replies_are_those_of_qemu() {
        assert_eq!(said(&Reply::Done), "OK\n");
        assert_eq!(said(&Reply::Port(0xf)), "OK 0x000f\n");
        assert_eq!(said(&Reply::Port(0xff_ffff)), "OK 0xffffff\n");
        assert_eq!(said(&Reply::Memory(0xf0)), "OK 0x00000000000000f0\n");
        assert_eq!(said(&Reply::Bytes(vec![1, 0xab], Form::Hex)), "OK 0x01ab\n");
        assert_eq!(said(&Reply::Bytes(vec![], Form::Base64)), "OK \n");
        assert_eq!(said(&Reply::Time(27_462_700)), "OK 27462700\n");
        assert_eq!(said(&Reply::LittleEndian), "OK little\n");
    }

    #[test]
    fn a_refusal_is_one_line_that_says_why() {
        let refused = |problem| said(&Reply::Refused(problem));
        assert_eq!(refused(Problem::UnknownCommand(b"\r")), "FAIL Unknown command '\r'\n");
        assert_eq!(refused(Problem::ArgumentSize), "ERR invalid argument size\n");
        let missing = Problem::Missing { command: b"inb", argument: "PORT" };
        assert_eq!(refused(missing), "FAIL inb: PORT is missing\n");
        let bad = Problem::Bad {
            command: b"inb",
            argument: "PORT",
            expected: "a number up to 0xffff",
            found: &[b'\n'; 100],
        };
        let found = "\\n".repeat(SHOWN);
        let expected = format!("FAIL inb: PORT is '{found}', expected a number up to 0xffff\n");
        assert_eq!(refused(bad), expected);
    }
}

//! The requests, and how a line says one.

use super::data::{Form, Text};
use super::number::{signed, unsigned};

/// The longest data of one `read` or `write`, in bytes.
pub(super) const LARGEST_DATA: u64 = 4 << 20;

/// The longest range of one `memset`, in bytes.
const LARGEST_FILL: u64 = 1 << 30;

/// Inputs of the I/O APIC.
pub(super) const PINS: usize = 24;

/// The path of the one device whose interrupt lines clients can see and drive,
/// as QEMU's `pc` machines have it. A path's end is enough for QEMU.
const IO_APIC: [&[u8]; 3] = [b"machine", b"i440fx", b"ioapic"];

/// What a client asks for. Sizes are 1, 2, 4 or 8 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Request<'a> {
    In {
        port: u16,
        size: u8,
    },
    Out {
        port: u16,
        size: u8,
        value: u64,
    },
    Load {
        address: u64,
        size: u8,
    },
    Store {
        address: u64,
        size: u8,
        value: u64,
    },
    Read {
        address: u64,
        length: usize,
        form: Form,
    },
    Write {
        address: u64,
        length: usize,
        data: Text<'a>,
    },
    Fill {
        address: u64,
        length: u64,
        byte: u8,
    },
    Intercept(Side),
    SetPin {
        pin: usize,
        level: bool,
    },
    /// By so many nanoseconds, or to the next deadline.
    ClockStep(Option<i64>),
    ClockSet(i64),
    Endianness,
}

/// Which lines of a device a client wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Inputs,
    Outputs,
}

/// Why a line is no request. Where QEMU answers, the answer is the same; where it
/// ends itself with a failed assertion, the line is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem<'a> {
    UnknownCommand(&'a [u8]),
    UnknownDevice,
    /// QEMU's words for data that is too short.
    ArgumentSize,
    Missing {
        command: &'a [u8],
        argument: &'static str,
    },
    Bad {
        command: &'a [u8],
        argument: &'static str,
        expected: &'static str,
        found: &'a [u8],
    },
    LineTooLong,
}

/// Reads a line, which is given without its end.
pub(super) fn parse(line: &[u8]) -> Result<Request<'_>, Problem<'_>> {
    let mut words = line.split(|&byte| byte == b' ');
    let command = words.next().unwrap_or_default();
    let mut arguments = Arguments { command, words };
    match command {
        b"inb" => arguments.input(1),
        b"inw" => arguments.input(2),
        b"inl" => arguments.input(4),
        b"outb" => arguments.output(1),
        b"outw" => arguments.output(2),
        b"outl" => arguments.output(4),
        b"readb" => arguments.load(1),
        b"readw" => arguments.load(2),
        b"readl" => arguments.load(4),
        b"readq" => arguments.load(8),
        b"writeb" => arguments.store(1),
        b"writew" => arguments.store(2),
        b"writel" => arguments.store(4),
        b"writeq" => arguments.store(8),
        b"read" => arguments.read(Form::Hex),
        b"b64read" => arguments.read(Form::Base64),
        b"write" => arguments.write(Text::Hex),
        b"b64write" => arguments.write(Text::Base64),
        b"memset" => arguments.fill(),
        b"irq_intercept_in" => arguments.intercept(Side::Inputs),
        b"irq_intercept_out" => arguments.intercept(Side::Outputs),
        b"set_irq_in" => arguments.set_pin(),
        b"clock_step" => arguments.clock_step(),
        b"clock_set" => Ok(Request::ClockSet(arguments.time()?)),
        b"endianness" => Ok(Request::Endianness),
        _ => Err(Problem::UnknownCommand(command)),
    }
}

/// The words after the command. More than it takes are ignored, as in QEMU.
struct Arguments<'a, W> {
    command: &'a [u8],
    words: W,
}

type Parsed<'a, T = Request<'a>> = Result<T, Problem<'a>>;

impl<'a, W: Iterator<Item = &'a [u8]>> Arguments<'a, W> {
    fn input(&mut self, size: u8) -> Parsed<'a> {
        Ok(Request::In { port: self.port()?, size })
    }

    fn output(&mut self, size: u8) -> Parsed<'a> {
        Ok(Request::Out { port: self.port()?, size, value: self.number("VALUE")? })
    }

    fn load(&mut self, size: u8) -> Parsed<'a> {
        Ok(Request::Load { address: self.address()?, size })
    }

    fn store(&mut self, size: u8) -> Parsed<'a> {
        Ok(Request::Store { address: self.address()?, size, value: self.number("VALUE")? })
    }

    fn read(&mut self, form: Form) -> Parsed<'a> {
        let (address, length) = (self.address()?, self.length()?);
        // QEMU has nothing to say with `read`, and ends itself; `b64read` says
        // nothing.
        match (length, form) {
            (0, Form::Hex) => Err(self.bad("LENGTH", "1 to 0x400000", b"0")),
            _ => Ok(Request::Read { address, length, form }),
        }
    }

    fn write(&mut self, text: impl FnOnce(&'a [u8]) -> Text<'a>) -> Parsed<'a> {
        let (address, length) = (self.address()?, self.length()?);
        let data = self.word("DATA")?;
        if data.len() < 3 {
            return Err(Problem::ArgumentSize);
        }
        Ok(Request::Write { address, length, data: text(data) })
    }

    fn fill(&mut self) -> Parsed<'a> {
        let (address, word) = (self.address()?, self.word("LENGTH")?);
        let length = unsigned(word).filter(|length| *length <= LARGEST_FILL);
        let length = length.ok_or_else(|| self.bad("LENGTH", "at most 0x40000000", word))?;
        Ok(Request::Fill { address, length, byte: self.number("VALUE")? as u8 })
    }

    fn intercept(&mut self, side: Side) -> Parsed<'a> {
        self.device()?;
        Ok(Request::Intercept(side))
    }

    fn set_pin(&mut self) -> Parsed<'a> {
        let device = self.device();
        let [name, pin, level] = [self.word("NAME")?, self.word("NUMBER")?, self.word("LEVEL")?];
        device?;
        if name != b"unnamed-gpio-in" {
            return Err(self.bad("NAME", "unnamed-gpio-in", name));
        }
        let number = signed(pin).and_then(|pin| usize::try_from(pin).ok());
        let number = number.filter(|pin| *pin < PINS);
        let number = number.ok_or_else(|| self.bad("NUMBER", "0 to 23", pin))?;
        let level = signed(level)
            .filter(|level| i32::try_from(*level).is_ok())
            .ok_or_else(|| self.bad("LEVEL", "0 or 1", level))?;
        Ok(Request::SetPin { pin: number, level: level != 0 })
    }

    fn clock_step(&mut self) -> Parsed<'a> {
        let step = self.words.next().map(|word| self.time_in(word));
        Ok(Request::ClockStep(step.transpose()?))
    }

    fn time(&mut self) -> Parsed<'a, i64> {
        let word = self.word("NANOSECONDS")?;
        self.time_in(word)
    }

    fn time_in(&self, word: &'a [u8]) -> Parsed<'a, i64> {
        signed(word).ok_or_else(|| self.bad("NANOSECONDS", "a number of 64 bits with sign", word))
    }

    fn port(&mut self) -> Parsed<'a, u16> {
        let word = self.word("PORT")?;
        let port = unsigned(word).and_then(|port| u16::try_from(port).ok());
        port.ok_or_else(|| self.bad("PORT", "a number up to 0xffff", word))
    }

    fn address(&mut self) -> Parsed<'a, u64> {
        self.number("ADDRESS")
    }

    fn length(&mut self) -> Parsed<'a, usize> {
        let word = self.word("LENGTH")?;
        let length = unsigned(word).filter(|length| *length <= LARGEST_DATA);
        let length = length.ok_or_else(|| self.bad("LENGTH", "at most 0x400000", word))?;
        Ok(length as usize)
    }

    fn number(&mut self, argument: &'static str) -> Parsed<'a, u64> {
        let word = self.word(argument)?;
        unsigned(word).ok_or_else(|| self.bad(argument, "a number of at most 64 bits", word))
    }

    fn device(&mut self) -> Parsed<'a, ()> {
        let path = self.word("DEVICE")?;
        if is_io_apic(path) { Ok(()) } else { Err(Problem::UnknownDevice) }
    }

    fn word(&mut self, argument: &'static str) -> Parsed<'a, &'a [u8]> {
        self.words.next().ok_or(Problem::Missing { command: self.command, argument })
    }

    const fn bad(
        &self,
        argument: &'static str,
        expected: &'static str,
        found: &'a [u8],
    ) -> Problem<'a> {
        Problem::Bad { command: self.command, argument, expected, found }
    }
}

/// Whether a path means the I/O APIC: the whole path from the root, or its end.
fn is_io_apic(path: &[u8]) -> bool {
    let parts = path.split(|&byte| byte == b'/').filter(|part| !part.is_empty());
    let mut parts: Vec<_> = parts.take(IO_APIC.len() + 1).collect();
    let whole = path.first() == Some(&b'/');
    if parts.is_empty() || (whole && parts.len() < IO_APIC.len()) {
        return false;
    }
    parts.reverse();
    parts.len() <= IO_APIC.len() && parts.iter().zip(IO_APIC.iter().rev()).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests;

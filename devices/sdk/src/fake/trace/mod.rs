//! Recorded conversations with real QEMUs, to hold a device against.
//!
//! A recording is text. Requests to qtest start with `> `, what came back with
//! `< `: `OK` with a value, `FAIL`, or `IRQ raise 9` and `IRQ lower 9`, which
//! precede the `OK` of the request that caused them. `Q ` starts a monitor
//! command, `R ` its reply, `E ` an event; `#` is a remark. Any other capital letter
//! is what the recorder did or looked at elsewhere: `S ` a saved section, `K ` a key,
//! `C ` bytes of a character device.
//!
//! ```
//! use southbridge_sdk::fake::trace::{Answer, Request, Trace};
//!
//! let trace = Trace::parse("> outb 0x80 0x12\n< OK\n> inb 0x80\n< OK 0x0012\n");
//! let mut register = 0;
//! let compared = trace.replay(&[], |step| match step.request {
//!     Request::Out { value, .. } => {
//!         register = value;
//!         Answer::done()
//!     }
//!     Request::In { .. } => Answer::value(register),
//!     _ => Answer::Skip,
//! });
//! assert_eq!(compared, 2);
//! ```

mod alone;
mod configuration;
mod replay;
#[cfg(test)]
mod tests;

pub use configuration::{ConfigurationPorts, Cycle};
pub use replay::Answer;

/// A recording, in the order in which it was made.
#[derive(Clone, Debug)]
pub struct Trace<'a> {
    /// The requests and monitor commands.
    pub steps: Vec<Step<'a>>,
}

/// One request with all that came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// The request's line, counted from 1.
    pub line: usize,
    /// What was asked for.
    pub request: Request<'a>,
    /// The reply as it stands: `OK 0x0012`, `FAIL ...`, or a monitor's JSON.
    pub reply: &'a str,
    /// The value in the reply, if there is one. For `clock_step` it is the new
    /// time in nanoseconds.
    pub value: Option<u64>,
    /// Interrupts that arrived between the request and its reply. The recorder
    /// read them only while it waited for qtest: what a monitor command caused
    /// is found at the next qtest request, before what that one caused.
    pub interrupts: Vec<Interrupt>,
    /// Events that arrived between the request and its reply: JSON.
    pub events: Vec<&'a str>,
}

/// What a recording asks the machine for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// `inb`, `inw`, `inl`.
    In {
        /// The port.
        port: u16,
        /// Bytes: 1, 2 or 4.
        size: u8,
    },
    /// `outb`, `outw`, `outl`.
    Out {
        /// The port.
        port: u16,
        /// Bytes: 1, 2 or 4.
        size: u8,
        /// The value written; nothing above `size` bytes.
        value: u64,
    },
    /// `readb`, `readw`, `readl`, `readq`: physical memory.
    Read {
        /// The address.
        address: u64,
        /// Bytes: 1, 2, 4 or 8.
        size: u8,
    },
    /// `writeb`, `writew`, `writel`, `writeq`.
    Write {
        /// The address.
        address: u64,
        /// Bytes: 1, 2, 4 or 8.
        size: u8,
        /// The value written.
        value: u64,
    },
    /// `clock_step`: virtual time moves by so many nanoseconds, or to the next
    /// deadline of any timer of the machine.
    ClockStep(Option<u64>),
    /// A monitor command, such as `system_reset`.
    Monitor(&'a str),
    /// Any other request to qtest.
    Other(&'a str),
    /// Something that is not said to QEMU's qtest or monitor: the line with its mark.
    Elsewhere(&'a str),
}

/// A change of an interrupt line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupt {
    /// The input of the I/O APIC: the ISA interrupt or the GSI.
    pub pin: u8,
    /// Whether the line went up.
    pub level: bool,
}

impl<'a> Trace<'a> {
    /// Reads a recording.
    ///
    /// # Panics
    /// A line is not as described above.
    #[must_use]
    pub fn parse(text: &'a str) -> Self {
        let mut steps: Vec<Step<'a>> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let bad = || -> ! { panic!("line {}: {line:?} is not part of a recording", index + 1) };
            let Some((mark, rest)) = line.split_once(' ') else { bad() };
            let request = match mark {
                "#" => continue,
                ">" => request(rest),
                "Q" => Some(Request::Monitor(rest)),
                "<" | "R" | "E" => {
                    let Some(step) = steps.last_mut() else { bad() };
                    if step.take(mark, rest).is_none() {
                        bad();
                    }
                    continue;
                }
                _ => is_capital(mark).then_some(Request::Elsewhere(line)),
            };
            let Some(request) = request else { bad() };
            steps.push(Step {
                line: index + 1,
                request,
                reply: "",
                value: None,
                interrupts: Vec::new(),
                events: Vec::new(),
            });
        }
        Self { steps }
    }
}

impl<'a> Step<'a> {
    /// Takes a line that came back.
    fn take(&mut self, mark: &str, rest: &'a str) -> Option<()> {
        match (mark, rest.strip_prefix("IRQ ")) {
            ("<", Some(change)) => {
                let (level, pin) = match change.split_once(' ')? {
                    ("raise", pin) => (true, pin),
                    ("lower", pin) => (false, pin),
                    _ => return None,
                };
                self.interrupts.push(Interrupt { pin: pin.parse().ok()?, level });
            }
            ("<", None) => {
                self.reply = rest;
                self.value = rest.strip_prefix("OK ").and_then(number);
            }
            ("R", _) => self.reply = rest,
            ("E", _) => self.events.push(rest),
            _ => return None,
        }
        Some(())
    }
}

fn is_capital(mark: &str) -> bool {
    mark.len() == 1 && mark.starts_with(|letter: char| letter.is_ascii_uppercase())
}

/// A request to qtest; none if its arguments are not numbers.
fn request(line: &str) -> Option<Request<'_>> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let mut argument = || words.next().map(number);
    let width = |kind: &str| match name.strip_prefix(kind)? {
        "b" => Some(1),
        "w" => Some(2),
        "l" => Some(4),
        "q" => Some(8),
        _ => None,
    };
    Some(if let Some(size) = width("in") {
        Request::In { port: u16::try_from(argument()??).ok()?, size }
    } else if let Some(size) = width("out") {
        Request::Out { port: u16::try_from(argument()??).ok()?, size, value: argument()?? }
    } else if let Some(size) = width("read") {
        Request::Read { address: argument()??, size }
    } else if let Some(size) = width("write") {
        Request::Write { address: argument()??, size, value: argument()?? }
    } else if name == "clock_step" {
        match argument() {
            Some(duration) => Request::ClockStep(Some(duration?)),
            None => Request::ClockStep(None),
        }
    } else {
        Request::Other(line)
    })
}

/// A number, decimal or with the prefix `0x`.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

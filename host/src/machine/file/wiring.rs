//! Where a device's output lines lead.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Inputs of the machine's I/O APIC.
const GSIS: u32 = 24;

/// What an output line is wired to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An input line of another device: `pic:in`.
    Line {
        /// The device's id.
        device: String,
        /// The name of the line.
        line: String,
    },
    /// A global system interrupt: `gsi:9`.
    Gsi(u32),
    /// A pin of the processors: `cpu:smi`.
    Cpu(CpuPin),
}

impl Target {
    /// Words that stand for no device in front of the colon.
    pub(super) const RESERVED: [&str; 2] = ["gsi", "cpu"];

    /// Whether it is an input line of the device with that id.
    pub(super) fn is_line_of(&self, id: &str) -> bool {
        matches!(self, Self::Line { device, .. } if device == id)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Line { device, line } => write!(f, "{device}:{line}"),
            Target::Gsi(gsi) => write!(f, "gsi:{gsi}"),
            Target::Cpu(CpuPin::Smi) => f.write_str("cpu:smi"),
            Target::Cpu(CpuPin::Intr) => f.write_str("cpu:intr"),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    /// The error is a phrase.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("gsi", number)) => match number.parse() {
                Ok(gsi @ 0..GSIS) => Ok(Target::Gsi(gsi)),
                _ => Err(format!("unknown interrupt {text:?}: expected gsi:0 to gsi:{}", GSIS - 1)),
            },
            Some(("cpu", "smi")) => Ok(Target::Cpu(CpuPin::Smi)),
            Some(("cpu", "intr")) => Ok(Target::Cpu(CpuPin::Intr)),
            Some(("cpu", _)) => Err(format!("unknown pin {text:?}: expected cpu:smi or cpu:intr")),
            Some((device, line)) if !device.is_empty() && !line.is_empty() => {
                Ok(Target::Line { device: device.to_owned(), line: line.to_owned() })
            }
            _ => Err(format!(
                "{text:?} leads nowhere: expected \"device:line\", \"gsi:number\" or \"cpu:smi\""
            )),
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The pins of a processor that a line can drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CpuPin {
    /// System management interrupt.
    Smi,
    /// The interrupt of a controller that gives vectors, an 8259A's INT.
    Intr,
}

//! What the host writes to a port in firmware's place.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// A write to a port: `outl 0xcf8 0x80000b40`, as qtest has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortWrite {
    /// The port.
    pub port: u16,
    /// How many bytes: 1, 2 or 4.
    pub size: u8,
    /// The value, which has so many.
    pub value: u32,
}

/// The words for the sizes.
const WORDS: [(&str, u8); 3] = [("outb", 1), ("outw", 2), ("outl", 4)];

impl FromStr for PortWrite {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{text:?}: expected {what}");
        let words: Vec<_> = text.split_ascii_whitespace().collect();
        let [word, port, value] = words[..] else {
            return Err(wrong("\"outb|outw|outl PORT VALUE\""));
        };
        let size = WORDS.iter().find(|(known, _)| *known == word).map(|(_, size)| *size);
        let size = size.ok_or_else(|| wrong("outb, outw or outl first"))?;
        let port = number(port).and_then(|port| u16::try_from(port).ok());
        let port = port.ok_or_else(|| wrong("a port, 0 to 0xffff"))?;
        let fits = |value: &u32| u64::from(*value) < 1 << (8 * size);
        let value = number(value).filter(fits);
        let value = value.ok_or_else(|| wrong(&format!("a number of at most {size} bytes")))?;
        Ok(Self { port, size, value })
    }
}

impl fmt::Display for PortWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, size, value } = self;
        let word = WORDS.iter().find(|(_, known)| known == size).map_or("out", |(word, _)| *word);
        write!(f, "{word} {port:#x} {value:#x}")
    }
}

impl Serialize for PortWrite {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        // A sign is none of the digits.
        Some(digits) if !digits.starts_with('+') => u32::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

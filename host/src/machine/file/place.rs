//! Where a device sits: on which bus, at which address.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

/// Slots of a PCI bus.
const PCI_SLOTS: u8 = 32;

/// An address on a child bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// A slot and function on a PCI bus.
    Pci(PciAddress),
    /// The 7-bit address of an I2C target, 0x08 to 0x77.
    I2c(u8),
    /// A channel of an ISA bus's DMA controller, 0 to 7.
    IsaDma(u8),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Pci(address) => address.fmt(f),
            Address::I2c(address) => write!(f, "{address:#04x}"),
            Address::IsaDma(channel) => write!(f, "drq{channel}"),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    /// Reads `SS.F` or `SS` (PCI), `0x50` (I2C) or `drq2` (ISA DMA). The error is a
    /// phrase.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(channel) = text.strip_prefix("drq") {
            return match channel.parse() {
                Ok(channel @ 0..=7) => Ok(Address::IsaDma(channel)),
                _ => Err(format!("DMA channel {text:?} is not drq0 to drq7")),
            };
        }
        match text.strip_prefix("0x") {
            Some(digits) => match u8::from_str_radix(digits, 16) {
                // I2C-bus specification, section 3.1.12: 0x00 to 0x07 and 0x78
                // to 0x7f are reserved.
                Ok(address @ 0x08..=0x77) => Ok(Address::I2c(address)),
                _ => Err(format!("I2C address {text:?} is not 0x08 to 0x77")),
            },
            None => text.parse().map(Address::Pci),
        }
    }
}

/// A slot and function of a PCI bus. Displays as in QEMU: `1f.7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PciAddress {
    slot: u8,
    function: u8,
}

impl PciAddress {
    /// Function 0 in slot 0.
    pub const FIRST: Self = Self { slot: 0, function: 0 };

    /// The address of `function` (0 to 7) in `slot` (0 to 31); none if there is
    /// no such slot or function.
    pub fn new(slot: u8, function: u8) -> Option<Self> {
        (slot < PCI_SLOTS && function < 8).then_some(Self { slot, function })
    }

    /// The slot, 0 to 31.
    pub fn slot(self) -> u8 {
        self.slot
    }

    /// The function, 0 to 7.
    pub fn function(self) -> u8 {
        self.function
    }

    /// Slot and function as in a configuration address: slot in bits 7 to 3.
    pub fn devfn(self) -> u8 {
        self.slot << 3 | self.function
    }
}

impl fmt::Display for PciAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}.{:x}", self.slot, self.function)
    }
}

impl FromStr for PciAddress {
    type Err = String;

    /// Reads `SS.F`, or `SS` for function 0, in hexadecimal as QEMU's `addr`.
    /// The error is a phrase.
    fn from_str(text: &str) -> Result<Self, String> {
        let (slot, function) = text.split_once('.').unwrap_or((text, "0"));
        let hex = |digits: &str| {
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(digits, 16).ok().filter(|_| plain)
        };
        hex(slot)
            .zip(hex(function))
            .and_then(|(slot, function)| Self::new(slot, function))
            .ok_or_else(|| format!("PCI address {text:?} is not 00.0 to 1f.7"))
    }
}

/// The address of a device that asks for no particular one: function 0 of the
/// lowest slot of which function 0 is free, as in QEMU. Slot 0 belongs to the
/// device that carries the bus. None if the bus is full.
pub fn allocate(taken: &BTreeSet<PciAddress>) -> Option<PciAddress> {
    (1..PCI_SLOTS)
        .map(|slot| PciAddress { slot, function: 0 })
        .find(|address| !taken.contains(address))
}

/// Where a device sits. Written `device/bus@address`, or `device/bus` to leave
/// the choice of the address to the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The id of the device that carries the bus.
    pub device: String,
    /// The name of the bus on that device.
    pub bus: String,
    /// The address; none for the next free slot of a PCI bus.
    pub address: Option<Address>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.device, self.bus)?;
        match self.address {
            Some(address) => write!(f, "@{address}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Place {
    type Err = String;

    /// The error is a phrase.
    fn from_str(text: &str) -> Result<Self, String> {
        let (path, address) = match text.split_once('@') {
            Some((path, address)) => (path, Some(address.parse()?)),
            None => (text, None),
        };
        match path.split_once('/') {
            Some((device, bus)) if !device.is_empty() && !bus.is_empty() => {
                Ok(Self { device: device.to_owned(), bus: bus.to_owned(), address })
            }
            _ => Err(format!(
                "{text:?} is not a place: expected \"device/bus@address\" or \"device/bus\""
            )),
        }
    }
}

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

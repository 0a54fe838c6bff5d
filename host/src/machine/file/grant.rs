//! What a device may ask of the host.

use std::fmt;
use std::str::FromStr;

use serde::{Serialize, Serializer};

use crate::component::DmaWindow;

/// An interface of the contract that a device has only where it is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Configuration cycles on PCI buses the device carries.
    PciBus,
    /// Transfers on I2C buses the device carries.
    I2cBus,
    /// The machine's power state.
    Power,
    /// Which windows of the address space RAM answers.
    RamWindows,
    /// Character streams.
    Streams,
    /// Transfers on DMA channels of ISA buses the device carries.
    IsaDmaBus,
    /// A window of the guest's memory; it may have several.
    Dma(DmaWindow),
    /// Blocks of memory of its own.
    Memories,
    /// Files for the guest.
    Files,
    /// Media in its drives.
    Storage,
}

impl Grant {
    /// All of them, DMA with all of the guest's memory.
    pub const ALL: [Grant; 10] = [
        Grant::PciBus,
        Grant::I2cBus,
        Grant::IsaDmaBus,
        Grant::Power,
        Grant::RamWindows,
        Grant::Streams,
        Grant::Dma(DmaWindow::ALL),
        Grant::Memories,
        Grant::Files,
        Grant::Storage,
    ];

    /// The name of the interface in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Grant::PciBus => "pci-bus",
            Grant::I2cBus => "i2c-bus",
            Grant::Power => "power",
            Grant::RamWindows => "ram-windows",
            Grant::Streams => "streams",
            Grant::IsaDmaBus => "isa-dma-bus",
            Grant::Dma(_) => "dma",
            Grant::Memories => "memories",
            Grant::Files => "files",
            Grant::Storage => "storage",
        }
    }

    /// The window of memory that it grants, if any.
    #[must_use]
    pub const fn window(self) -> Option<DmaWindow> {
        match self {
            Grant::Dma(window) => Some(window),
            _ => None,
        }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        self.window().map_or(Ok(()), |window| write!(f, ":{window}"))
    }
}

impl FromStr for Grant {
    type Err = String;

    /// Reads the name of an interface, and `dma:all` or `dma:START+SIZE`. The error is
    /// a phrase.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(window) = text.strip_prefix("dma:") {
            return window.parse().map(Grant::Dma);
        }
        if text == "dma" {
            return Err("\"dma\" does not say which memory: expected \"dma:all\" for all of the \
                        guest's, or \"dma:START+SIZE\""
                .into());
        }
        let mut all = Grant::ALL.into_iter();
        all.find(|grant| grant.name() == text).ok_or_else(|| format!("unknown grant {text:?}"))
    }
}

impl Serialize for Grant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

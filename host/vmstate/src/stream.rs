//! Whole streams.
//!
//! A stream has three parts. The head is the magic number, the version and, for
//! most machines, a configuration section that names the machine. The live part
//! holds guest memory in pieces, and may be of any size. The devices follow:
//! one section each, the byte that ends the stream, and for most machines a
//! description of the sections in JSON.

mod chain;
mod configuration;
mod devices;
mod ending;
mod reframer;
mod scanner;

pub use configuration::Configuration;
pub use devices::{Devices, Section};
pub use reframer::{Framing, Reframer};
pub use scanner::{Live, Scanner};

use crate::error::Error;
use crate::layout::Layouts;
use crate::wire::Writer;

/// "QEVM".
const MAGIC: u32 = 0x5145_564d;
/// QEMU's `MIG_CMD_SWITCHOVER_START`.
pub(crate) const SWITCHOVER_START: u16 = 11;
/// The only version still in use.
const VERSION: u32 = 3;

/// The bytes that begin or end sections (QEMU's `QEMU_VM_*`).
pub(crate) mod section {
    pub(super) const EOF: u8 = 0x00;
    pub(crate) const START: u8 = 0x01;
    pub(crate) const PART: u8 = 0x02;
    pub(crate) const END: u8 = 0x03;
    pub(super) const FULL: u8 = 0x04;
    pub(super) const DESCRIPTION: u8 = 0x06;
    pub(super) const CONFIGURATION: u8 = 0x07;
    pub(crate) const COMMAND: u8 = 0x08;
    pub(crate) const FOOTER: u8 = 0x7e;
}

/// A stream read, all but the contents of its live part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// The configuration section, if there is one. Xen's machines have none.
    pub configuration: Option<Configuration>,
    /// Where the live part lies, and what it holds.
    pub live: Live,
    /// The device sections.
    pub devices: Devices,
}

impl Stream {
    /// Reads a stream that is at hand as a whole; [`Scanner`] takes one in pieces.
    ///
    /// # Errors
    /// [`Error`] says where the stream is wrong and why.
    pub fn read(data: &[u8], layouts: &Layouts) -> Result<Self, Error> {
        let mut scanner = Scanner::new();
        scanner.push(data)?;
        scanner.finish(layouts)
    }

    /// The bytes before the live part.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.integer(MAGIC.into(), 4);
        writer.integer(VERSION.into(), 4);
        if let Some(configuration) = &self.configuration {
            configuration.write(&mut writer);
        }
        writer.into_bytes()
    }

    /// The whole stream around a live part: the bytes [`Live::range`] says, of
    /// the stream that was read.
    #[must_use]
    pub fn write(&self, live: &[u8]) -> Vec<u8> {
        [&self.head(), live, &self.devices.write()].concat()
    }
}

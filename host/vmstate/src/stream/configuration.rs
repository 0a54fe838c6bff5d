//! The configuration section: the machine a stream is of.

use super::section;
use crate::error::{Error, Problem};
use crate::wire::{Reader, Truncated, Writer};

/// The configuration section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Configuration {
    /// The machine type, such as `pc-i440fx-4.2`; never an alias.
    pub machine: String,
    /// Log2 of the page size, on targets where it varies.
    pub page_bits: Option<u32>,
    /// Migration capabilities that change the stream.
    pub capabilities: Option<Vec<String>>,
    /// The guest's UUID, if it was asked to be checked.
    pub uuid: Option<[u8; 16]>,
}

const PAGE_BITS: &str = "configuration/target-page-bits";
const CAPABILITIES: &str = "configuration/capabilities";
const UUID: &str = "configuration/uuid";
/// The version of all of them.
const VERSION: u32 = 1;
/// The longest machine name accepted, more than twice that of any real one.
const NAME_MAX: usize = 256;

/// Why a configuration could not be read.
pub(super) enum Failed {
    /// More data is needed.
    Short,
    Wrong(Error),
}

impl From<Truncated> for Failed {
    fn from(_: Truncated) -> Self {
        Self::Short
    }
}

fn wrong(offset: u64, reason: &'static str) -> Failed {
    Failed::Wrong(Problem::Configuration(reason).at(offset))
}

impl Configuration {
    /// Reads the section behind its type byte. `base` is the stream's offset of
    /// what `reader` begins with.
    pub(super) fn read(reader: &mut Reader<'_>, base: u64) -> Result<Self, Failed> {
        let at = |reader: &Reader<'_>| base + reader.offset() as u64;
        let start = at(reader);
        let length = reader.integer(4)? as usize;
        if !(1..=NAME_MAX).contains(&length) {
            return Err(wrong(start, "the machine's name has no usable length"));
        }
        let mut configuration = Self {
            machine: text(reader.bytes(length)?).ok_or(wrong(start, "the name is not text"))?,
            ..Self::default()
        };
        loop {
            let offset = at(reader);
            // A subsection is told from a section by the byte after it, and one follows.
            let mut ahead = reader.clone();
            if ahead.integer(1)? != u64::from(crate::SUBSECTION) {
                return Ok(configuration);
            }
            let Some((name, version)) = reader.subsection("configuration/")? else {
                return Err(wrong(offset, "a subsection of something else"));
            };
            // QEMU writes them in this order.
            let before_uuid = configuration.uuid.is_none();
            let before_capabilities = before_uuid && configuration.capabilities.is_none();
            let first = before_capabilities && configuration.page_bits.is_none();
            if version != VERSION {
                return Err(wrong(offset, "a subsection of another version"));
            } else if name == PAGE_BITS.as_bytes() && first {
                configuration.page_bits = Some(reader.integer(4)? as u32);
            } else if name == CAPABILITIES.as_bytes() && before_capabilities {
                let mut names = Vec::new();
                for _ in 0..reader.integer(4)? {
                    let length = reader.integer(1)? as usize;
                    let name = text(reader.bytes(length)?);
                    names.push(name.ok_or(wrong(offset, "a capability's name is not text"))?);
                }
                configuration.capabilities = Some(names);
            } else if name == UUID.as_bytes() && before_uuid {
                let mut uuid = [0; 16];
                uuid.copy_from_slice(reader.bytes(16)?);
                configuration.uuid = Some(uuid);
            } else {
                return Err(wrong(offset, "an unknown or repeated subsection"));
            }
        }
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.integer(section::CONFIGURATION.into(), 1);
        writer.integer(self.machine.len() as u64, 4);
        writer.bytes(self.machine.as_bytes());
        if let Some(bits) = self.page_bits {
            writer.subsection(PAGE_BITS, VERSION);
            writer.integer(bits.into(), 4);
        }
        if let Some(names) = &self.capabilities {
            writer.subsection(CAPABILITIES, VERSION);
            writer.integer(names.len() as u64, 4);
            for name in names {
                writer.integer(name.len() as u64, 1);
                writer.bytes(name.as_bytes());
            }
        }
        if let Some(uuid) = &self.uuid {
            writer.subsection(UUID, VERSION);
            writer.bytes(uuid);
        }
    }

    /// Whether blocks of memory state where they lie.
    pub(super) fn blocks_have_addresses(&self) -> bool {
        self.has("x-ignore-shared")
    }

    /// Whether pages lie at fixed places of the file, in a form of its own.
    pub(super) fn memory_is_mapped(&self) -> bool {
        self.has("mapped-ram")
    }

    fn has(&self, capability: &str) -> bool {
        self.capabilities.iter().flatten().any(|name| name == capability)
    }
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

//! Operation regions, and the fields in them (ACPI 20.2.5.2).

use super::name::{Path, path, segment};
use super::{Term, int, package_length};

const OPERATION_REGION: u8 = 0x80;
const FIELD: u8 = 0x81;

/// Where a region is (ACPI 20.2.5.2, `RegionSpace`).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Space {
    SystemMemory = 0,
    SystemIo = 1,
    PciConfig = 2,
}

/// How wide a field is accessed (ACPI 20.2.5.2, `FieldFlags`).
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    Byte = 1,
    DWord = 3,
}

/// Whether an access takes the global lock.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Lock {
    NoLock = 0,
    Lock = 1,
}

/// What a write does to the bits of the same access that it does not write.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Update {
    Preserve = 0,
    WriteAsZeros = 2,
}

/// Bits of a field, from its start on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part<'a> {
    Named(&'a str, usize),
    /// Bits without a name.
    Skip(usize),
}

/// Names a range of an address space.
pub(crate) fn operation_region(name: &str, space: Space, offset: u64, length: u64) -> Term {
    let term = Term::extended(OPERATION_REGION).bytes(segment(name)).bytes([space as u8]);
    term.with(int(offset)).with(int(length))
}

/// Names bits of a region.
pub(crate) fn field(
    region: Path<'_>,
    access: Access,
    lock: Lock,
    update: Update,
    parts: &[Part<'_>],
) -> Term {
    let flags = access as u8 | (lock as u8) << 4 | (update as u8) << 5;
    let start = path(region).bytes([flags]);
    Term::extended(FIELD).sized(parts.iter().fold(start, |term, part| term.bytes(part.encode())))
}

impl Part<'_> {
    fn encode(&self) -> Vec<u8> {
        let (mut bytes, bits) = match *self {
            Self::Named(name, bits) => (segment(name).to_vec(), bits),
            Self::Skip(bits) => (vec![0], bits),
        };
        package_length::append_width(&mut bytes, bits);
        bytes
    }
}

//! Named objects: scopes, devices, processors, mutexes (ACPI 20.2.5.1 and
//! 20.2.5.2), and what statements do with mutexes (ACPI 20.2.5.3).

use super::name::{Path, path, segment};
use super::{Term, int};

const NAME: u8 = 0x08;
const SCOPE: u8 = 0x10;
const CREATE_DWORD_FIELD: u8 = 0x8a;
const MUTEX: u8 = 0x01;
const ACQUIRE: u8 = 0x23;
const RELEASE: u8 = 0x27;
const DEVICE: u8 = 0x82;
const PROCESSOR: u8 = 0x83;

/// Waits without end.
const FOREVER: u16 = 0xffff;

/// A named value.
pub(crate) fn name(name: Path<'_>, value: impl Into<Term>) -> Term {
    Term::opcode(NAME).with(path(name)).with(value)
}

/// Opens a namespace that another term made.
pub(crate) fn scope(name: Path<'_>, content: impl Into<Term>) -> Term {
    Term::opcode(SCOPE).sized(path(name).with(content))
}

/// A device.
pub(crate) fn device(name: Path<'_>, content: impl Into<Term>) -> Term {
    Term::extended(DEVICE).sized(path(name).with(content))
}

/// A processor without a block of control registers.
pub(crate) fn processor(name: Path<'_>, id: u8, content: impl Into<Term>) -> Term {
    let no_block = [0; 5];
    Term::extended(PROCESSOR).sized(path(name).bytes([id]).bytes(no_block).with(content))
}

/// A mutex of the lowest level.
pub(crate) fn mutex(name: &str) -> Term {
    Term::extended(MUTEX).bytes(segment(name)).bytes([0])
}

/// Waits for a mutex.
pub(crate) fn acquire(mutex: Path<'_>) -> Term {
    Term::extended(ACQUIRE).with(path(mutex)).bytes(FOREVER.to_le_bytes())
}

/// Gives a mutex back.
pub(crate) fn release(mutex: Path<'_>) -> Term {
    Term::extended(RELEASE).with(path(mutex))
}

/// Names the four bytes at `offset` of a buffer.
pub(crate) fn create_dword_field(buffer: Term, offset: u64, name: &str) -> Term {
    Term::opcode(CREATE_DWORD_FIELD).with(buffer).with(int(offset)).bytes(segment(name))
}

//! A small encoder of AML, the byte code of ACPI's definition blocks (ACPI
//! 20.2): each function makes one [`Term`], and terms nest as in the language.
//!
//! Encodings are the shortest there are, with one exception that guests can see
//! in lengths: ones are a prefixed number, never `OnesOp`.

mod control;
mod data;
mod field;
mod name;
mod object;
mod operator;
mod package_length;
mod resource;
mod resource_space;

pub(crate) use control::{break_loop, if_else, if_then, method, return_value, while_loop};
pub(crate) use data::{buffer, eisa_id, int, ints, package, string, uuid};
pub(crate) use field::{Access, Lock, Part, Space, Update, field, operation_region};
use name::path;
pub(crate) use object::{
    acquire, create_dword_field, device, mutex, name, processor, release, scope,
};
pub(crate) use operator::{
    add, and, arg, assign, call, debug, deref, equal, greater, increment, index, less, local,
    logical_and, logical_or, not, not_equal, notify, or, shift_left, shift_right, size_of, sleep,
    store, subtract, to_buffer, to_hex_string, to_integer,
};
pub(crate) use resource::{dma, fixed_memory, interrupt, io, irq, template};
pub(crate) use resource_space::{Caching, bus_numbers, dword_memory, io_window, qword_memory};

/// One encoded object, expression or statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term(Vec<u8>);

/// The prefix of two-byte opcodes (ACPI 20.2.3, `ExtOpPrefix`).
const EXTENDED: u8 = 0x5b;

impl Term {
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn opcode(opcode: u8) -> Self {
        Self(vec![opcode])
    }

    fn extended(opcode: u8) -> Self {
        Self(vec![EXTENDED, opcode])
    }

    /// Appends another term.
    fn with(mut self, term: impl Into<Self>) -> Self {
        self.0.extend(term.into().0);
        self
    }

    /// Appends bytes as they are.
    fn bytes(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    /// Appends `content` behind its length.
    fn sized(mut self, content: Self) -> Self {
        package_length::append(&mut self.0, content.0.len());
        self.0.extend(content.0);
        self
    }

    /// Nothing yet: what sized content starts from.
    const fn empty() -> Self {
        Self(Vec::new())
    }
}

impl FromIterator<Self> for Term {
    /// Terms one after the other (ACPI 20.2.5, `TermList`).
    fn from_iter<I: IntoIterator<Item = Self>>(terms: I) -> Self {
        Self(terms.into_iter().flat_map(|term| term.0).collect())
    }
}

impl<const N: usize> From<[Self; N]> for Term {
    fn from(terms: [Self; N]) -> Self {
        terms.into_iter().collect()
    }
}

impl From<Vec<Self>> for Term {
    fn from(terms: Vec<Self>) -> Self {
        terms.into_iter().collect()
    }
}

impl From<&str> for Term {
    fn from(name: &str) -> Self {
        path(name)
    }
}

impl From<u64> for Term {
    fn from(value: u64) -> Self {
        int(value)
    }
}

//! JSON as QEMU speaks it: values that follow one another in a stream, with
//! single-quoted strings besides (RFC 8259 is the rest), in QEMU's format on the
//! way out.

mod lexer;
mod parser;
mod reader;
mod string;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use reader::Reader;
pub use writer::Style;
pub(super) use writer::write;

//! Methods, and the statements that decide what runs (ACPI 20.2.5.2 and
//! 20.2.5.3).

use super::Term;
use super::name::{Path, path};

const METHOD: u8 = 0x14;
const IF: u8 = 0xa0;
const ELSE: u8 = 0xa1;
const WHILE: u8 = 0xa2;
const RETURN: u8 = 0xa4;
const BREAK: u8 = 0xa5;

/// Bit 3 of a method's flags: one thread at a time.
const SERIALIZED: u8 = 1 << 3;

/// How a method is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signature {
    arguments: u8,
    serialized: bool,
}

/// A method of `arguments` arguments.
pub(crate) const fn method(arguments: u8) -> Signature {
    Signature { arguments, serialized: false }
}

impl Signature {
    /// Only one thread runs the method at a time.
    pub(crate) const fn serialized(mut self) -> Self {
        self.serialized = true;
        self
    }

    /// The method of this name that does this.
    pub(crate) fn named(self, name: Path<'_>, statements: impl Into<Term>) -> Term {
        let flags = self.arguments | if self.serialized { SERIALIZED } else { 0 };
        Term::opcode(METHOD).sized(path(name).bytes([flags]).with(statements))
    }
}

/// Runs the statements if the condition is not zero.
pub(crate) fn if_then(condition: Term, statements: impl Into<Term>) -> Term {
    Term::opcode(IF).sized(condition.with(statements))
}

/// Runs the first statements if the condition is not zero, else the others.
pub(crate) fn if_else(
    condition: Term,
    statements: impl Into<Term>,
    otherwise: impl Into<Term>,
) -> Term {
    if_then(condition, statements).bytes([ELSE]).sized(otherwise.into())
}

/// Runs the statements as long as the condition is not zero.
pub(crate) fn while_loop(condition: Term, statements: impl Into<Term>) -> Term {
    Term::opcode(WHILE).sized(condition.with(statements))
}

/// Leaves the innermost loop.
pub(crate) fn break_loop() -> Term {
    Term::opcode(BREAK)
}

/// Leaves the method.
pub(crate) fn return_value(value: impl Into<Term>) -> Term {
    Term::opcode(RETURN).with(value)
}

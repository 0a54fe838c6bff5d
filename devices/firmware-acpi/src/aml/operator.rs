//! Expressions, and statements that are one operator (ACPI 20.2.5.3, 20.2.5.4
//! and 20.2.6).

use super::Term;
use super::name::{Path, path};

/// No target: the value is only used where it stands.
const NOWHERE: u8 = 0;

const LOCAL_0: u8 = 0x60;
const ARG_0: u8 = 0x68;
const STORE: u8 = 0x70;
const ADD: u8 = 0x72;
const SUBTRACT: u8 = 0x74;
const INCREMENT: u8 = 0x75;
const SHIFT_LEFT: u8 = 0x79;
const SHIFT_RIGHT: u8 = 0x7a;
const AND: u8 = 0x7b;
const OR: u8 = 0x7d;
const DEREF: u8 = 0x83;
const NOTIFY: u8 = 0x86;
const SIZE_OF: u8 = 0x87;
const INDEX: u8 = 0x88;
const LOGICAL_AND: u8 = 0x90;
const LOGICAL_OR: u8 = 0x91;
const LOGICAL_NOT: u8 = 0x92;
const EQUAL: u8 = 0x93;
const GREATER: u8 = 0x94;
const LESS: u8 = 0x95;
const TO_BUFFER: u8 = 0x96;
const TO_HEX_STRING: u8 = 0x98;
const TO_INTEGER: u8 = 0x99;
const SLEEP: u8 = 0x22;
const DEBUG: u8 = 0x31;

/// A local variable of a method, 0 to 7.
pub(crate) fn local(index: u8) -> Term {
    Term::opcode(LOCAL_0 + (index & 7))
}

/// An argument of a method, 0 to 6.
pub(crate) fn arg(index: u8) -> Term {
    Term::opcode(ARG_0 + (index & 7))
}

/// The object that an interpreter prints what is stored in it.
pub(crate) fn debug() -> Term {
    Term::extended(DEBUG)
}

/// A call of a method.
pub(crate) fn call(method: Path<'_>, arguments: impl Into<Term>) -> Term {
    path(method).with(arguments)
}

/// Stores a value.
pub(crate) fn store(value: impl Into<Term>, target: impl Into<Term>) -> Term {
    Term::opcode(STORE).with(value).with(target)
}

/// An operator of two operands without a target.
fn binary(opcode: u8, left: impl Into<Term>, right: impl Into<Term>) -> Term {
    Term::opcode(opcode).with(left).with(right)
}

/// An operator of two operands whose value goes nowhere else.
fn value(opcode: u8, left: impl Into<Term>, right: impl Into<Term>) -> Term {
    binary(opcode, left, right).bytes([NOWHERE])
}

/// Adds.
pub(crate) fn add(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    value(ADD, left, right)
}

/// Subtracts.
pub(crate) fn subtract(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    value(SUBTRACT, left, right)
}

/// Shifts to the left.
pub(crate) fn shift_left(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    value(SHIFT_LEFT, left, right)
}

/// Shifts to the right.
pub(crate) fn shift_right(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    value(SHIFT_RIGHT, left, right)
}

/// The bits that both have.
pub(crate) fn and(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    value(AND, left, right)
}

/// The bits that either has.
pub(crate) fn or(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    value(OR, left, right)
}

/// Gives an operator that has no target one: `assign(or(a, b), c)` stores the
/// value in `c` in the same operation.
pub(crate) fn assign(mut operation: Term, target: impl Into<Term>) -> Term {
    operation.0.pop();
    operation.with(target)
}

/// An element of a buffer or package.
pub(crate) fn index(source: impl Into<Term>, element: impl Into<Term>) -> Term {
    value(INDEX, source, element)
}

/// What an element refers to.
pub(crate) fn deref(reference: Term) -> Term {
    Term::opcode(DEREF).with(reference)
}

/// The number of elements or bytes.
pub(crate) fn size_of(object: impl Into<Term>) -> Term {
    Term::opcode(SIZE_OF).with(object)
}

/// Adds one to a variable.
pub(crate) fn increment(variable: Term) -> Term {
    Term::opcode(INCREMENT).with(variable)
}

/// Whether both are true.
pub(crate) fn logical_and(left: Term, right: Term) -> Term {
    binary(LOGICAL_AND, left, right)
}

/// Whether one is true.
pub(crate) fn logical_or(left: Term, right: Term) -> Term {
    binary(LOGICAL_OR, left, right)
}

/// Whether it is not true.
pub(crate) fn not(value: Term) -> Term {
    Term::opcode(LOGICAL_NOT).with(value)
}

/// Whether both are the same.
pub(crate) fn equal(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    binary(EQUAL, left, right)
}

/// Whether they differ.
pub(crate) fn not_equal(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    not(equal(left, right))
}

/// Whether the left one is greater.
pub(crate) fn greater(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    binary(GREATER, left, right)
}

/// Whether the left one is less.
pub(crate) fn less(left: impl Into<Term>, right: impl Into<Term>) -> Term {
    binary(LESS, left, right)
}

/// Stores a value as a string of hexadecimal numbers.
pub(crate) fn to_hex_string(value: Term, target: Term) -> Term {
    binary(TO_HEX_STRING, value, target)
}

/// Stores a value as a buffer.
pub(crate) fn to_buffer(value: Term, target: Term) -> Term {
    binary(TO_BUFFER, value, target)
}

/// A number, also of a string that is one.
pub(crate) fn to_integer(value: Term) -> Term {
    Term::opcode(TO_INTEGER).with(value).bytes([NOWHERE])
}

/// Tells the operating system that something happened to a device.
pub(crate) fn notify(device: Path<'_>, event: impl Into<Term>) -> Term {
    Term::opcode(NOTIFY).with(path(device)).with(event)
}

/// Waits that many milliseconds.
pub(crate) fn sleep(milliseconds: u64) -> Term {
    Term::extended(SLEEP).with(milliseconds)
}

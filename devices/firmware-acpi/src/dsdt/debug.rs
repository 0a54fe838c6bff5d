//! The debug port, and the method that writes to it.

use crate::aml::{
    Access, Lock, Part, Space, Term, Update, arg, assign, deref, field, increment, index, int,
    less, local, method, operation_region, scope, size_of, store, subtract, to_buffer,
    to_hex_string, while_loop,
};

const PORT: u64 = 0x402;

/// `DBUG` writes its argument and a line end to the port, as a string of
/// hexadecimal numbers.
pub(super) fn port() -> Term {
    let print = [
        to_hex_string(arg(0), local(0)),
        to_buffer(local(0), local(0)),
        assign(subtract(size_of(local(0)), 1), local(1)),
        store(0, local(2)),
        while_loop(
            less(local(2), local(1)),
            [store(deref(index(local(0), local(2))), "DBGB"), increment(local(2))],
        ),
        store(int(u64::from(b'\n')), "DBGB"),
    ];
    scope(
        "\\",
        [
            operation_region("DBG", Space::SystemIo, PORT, 1),
            field("DBG", Access::Byte, Lock::NoLock, Update::Preserve, &[Part::Named("DBGB", 8)]),
            method(1).named("DBUG", print),
        ],
    )
}

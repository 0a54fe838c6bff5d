//! Devices that only claim ports.

use crate::aml::{Term, device, io, name, string, template};

/// Present, enabled and working, but not to be shown (6.3.7, `_STA`).
pub(super) const HIDDEN: u64 = 0b1011;
/// The same, and to be shown.
pub(super) const PRESENT: u64 = 0b1111;

/// A device that keeps others away from its ports.
pub(super) fn claimed(path: &str, id: Term, uid: &str, port: u16, length: u8) -> Term {
    device(
        path,
        [
            name("_HID", id),
            name("_UID", string(uid)),
            name("_STA", HIDDEN),
            name("_CRS", template([io(port, 1, length)])),
        ],
    )
}

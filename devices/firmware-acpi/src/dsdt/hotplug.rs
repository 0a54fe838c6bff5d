//! The registers through which PCI devices are plugged, the methods that use
//! them, and the event that says that something was plugged (5.6.4).
//!
//! At `port`: a bitmap of slots that became occupied, one of slots to be given
//! back, both reset by reading; 8 further: eject; 16: the bus that the others
//! are about; 20: select a slot, and read the number its device is known by.

use super::labels;
use crate::aml::{
    Access, Lock, Part, Space, Term, Update, acquire, arg, call, field, int, local, method, mutex,
    operation_region, release, return_value, scope, shift_left, store,
};
use crate::pci_board::PciHotplug;

/// How many ports there are.
pub(super) const LENGTH: u8 = 24;

const EJECT: u64 = 8;
const BUS: u64 = 16;

/// The registers, and the methods.
pub(super) fn registers(hotplug: PciHotplug) -> Term {
    let port = u64::from(hotplug.port);
    let pair = |first, second| [Part::Named(first, 32), Part::Named(second, 32)];
    let words = |region: &str, parts: &[Part<'_>]| {
        field(region, Access::DWord, Lock::NoLock, Update::WriteAsZeros, parts)
    };
    scope(
        "_SB.PCI0",
        [
            operation_region("PCST", Space::SystemIo, port, 8),
            words("PCST", &pair("PCIU", "PCID")),
            operation_region("SEJ", Space::SystemIo, port + EJECT, 4),
            words("SEJ", &[Part::Named("B0EJ", 32)]),
            operation_region("BNMR", Space::SystemIo, port + BUS, 8),
            words("BNMR", &pair("BNUM", "PIDX")),
            mutex("BLCK"),
            method(2).named("PCEJ", eject()),
            method(2).named("AIDX", number()),
            labels::method_of_slots(),
        ],
    )
}

/// Ejects slot `Arg1` of bus `Arg0`.
fn eject() -> [Term; 5] {
    [
        acquire("BLCK"),
        store(arg(0), "BNUM"),
        store(shift_left(1, arg(1)), "B0EJ"),
        release("BLCK"),
        return_value(0),
    ]
}

/// The number of what is in slot `Arg1` of bus `Arg0`.
fn number() -> [Term; 6] {
    [
        acquire("BLCK"),
        store(arg(0), "BNUM"),
        store(shift_left(1, arg(1)), "PIDX"),
        store("PIDX", local(0)),
        release("BLCK"),
        return_value(local(0)),
    ]
}

/// The event, for which every bus is looked at.
pub(super) fn event() -> Term {
    let body =
        [acquire("\\_SB.PCI0.BLCK"), call("\\_SB.PCI0.PCNT", []), release("\\_SB.PCI0.BLCK")];
    scope("_GPE", method(0).named("_E01", body))
}

/// What a bus does at the event: `DVNT` tells the operating system of every slot
/// in a bitmap, first those that became occupied, then those to be given back.
pub(super) fn look_at(selector: u32) -> [Term; 3] {
    const DEVICE_CHECK: u64 = 1;
    const EJECT_REQUEST: u64 = 3;
    let tell = |bitmap: &str, event: u64| call("DVNT", [Term::from(bitmap), int(event)]);
    [store(u64::from(selector), "BNUM"), tell("PCIU", DEVICE_CHECK), tell("PCID", EJECT_REQUEST)]
}

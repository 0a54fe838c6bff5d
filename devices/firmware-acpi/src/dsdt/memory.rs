//! Memory that can be plugged (ACPI, "Memory Devices"): the registers, and the
//! container with the methods and a device for each slot.

use super::memory_range::resources;
use super::ports::{HIDDEN, PRESENT};
use crate::aml::{
    Access, Lock, Part, Space, Term, Update, acquire, add, arg, assign, call, device, eisa_id,
    equal, field, if_else, if_then, int, io, less, local, method, mutex, name, notify,
    operation_region, release, return_value, store, string, template, to_integer, while_loop,
};
use crate::board::MemoryHotplug;

/// How many slots names have room for.
const MOST: u16 = 256;
/// How many ports there are.
const LENGTH: u8 = 24;
const REGION: &str = "\\_SB.PCI0.MHPD.HPMR";
pub(super) const LOCK: &str = "MLCK";

/// The registers, the slots, and the event that says that memory was plugged.
pub(super) fn slots(hotplug: &MemoryHotplug) -> [Term; 3] {
    [
        registers(hotplug.port),
        device("\\_SB.MHPC", container(hotplug.slots.min(MOST))),
        method(0).named("\\_GPE._E03", call("\\_SB.MHPC.MSCN", [])),
    ]
}

fn registers(port: u16) -> Term {
    device(
        "\\_SB.PCI0.MHPD",
        [
            name("_HID", string("PNP0A06")),
            name("_UID", string("Memory hotplug resources")),
            name("_CRS", template([io(port, 0, LENGTH)])),
            operation_region("HPMR", Space::SystemIo, port.into(), LENGTH.into()),
        ],
    )
}

fn container(slots: u16) -> Vec<Term> {
    let mut terms = vec![
        name("_HID", string("PNP0A06")),
        name("_UID", string("DIMM devices")),
        name("MDNR", u64::from(slots)),
    ];
    terms.extend(fields());
    terms.extend([
        method(0).named("_STA", [none(), return_value(HIDDEN)]),
        mutex(LOCK),
        method(0).named("MSCN", scan()),
        method(1).named("MRST", status()),
        method(1).serialized().named("MCRS", resources()),
        method(1).named("MPXM", node()),
        method(4).named("MOST", report()),
        method(2).named("MEJ0", eject()),
    ]);
    terms.extend((0..slots).map(slot));
    terms.push(method(2).named("MTFY", (0..slots).map(notification).collect::<Term>()));
    terms
}

/// What is read: where the selected slot's memory is, its node, and bits. What
/// is written: bits, the selector, and what the operating system says.
fn fields() -> [Term; 3] {
    const TO_BITS: usize = 0x14 * 8;
    let words =
        |parts: &[Part<'_>]| field(REGION, Access::DWord, Lock::NoLock, Update::Preserve, parts);
    let named = |names: &[&'static str], bits: usize| {
        names.iter().map(|name| Part::Named(name, bits)).collect::<Vec<_>>()
    };
    let mut bits = vec![Part::Skip(TO_BITS)];
    bits.extend(named(&["MES", "MINS", "MRMV", "MEJ"], 1));
    [
        words(&named(&["MRBL", "MRBH", "MRLL", "MRLH", "MPX"], 32)),
        field(REGION, Access::Byte, Lock::NoLock, Update::WriteAsZeros, &bits),
        words(&named(&["MSEL", "MOEV", "MOSC"], 32)),
    ]
}

/// Leaves a method if there are no slots.
fn none() -> Term {
    if_then(equal("MDNR", 0), return_value(0))
}

/// Looks at every slot, tells of what happened there, and resets it.
fn scan() -> [Term; 6] {
    const DEVICE_CHECK: u64 = 1;
    const EJECT_REQUEST: u64 = 3;
    let tell =
        |event: u64, bit: &str| Term::from([call("MTFY", [local(0), int(event)]), store(1, bit)]);
    let removed = if_then(equal("MRMV", 1), tell(EJECT_REQUEST, "MRMV"));
    let body = [
        store(local(0), "MSEL"),
        if_else(equal("MINS", 1), tell(DEVICE_CHECK, "MINS"), removed),
        assign(add(local(0), 1), local(0)),
    ];
    [
        none(),
        store(0, local(0)),
        acquire(LOCK),
        while_loop(less(local(0), "MDNR"), body),
        release(LOCK),
        return_value(1),
    ]
}

/// Selects the slot whose `_UID` is `Arg0`.
pub(super) fn select() -> Term {
    store(to_integer(arg(0)), "MSEL")
}

fn status() -> [Term; 6] {
    [
        store(0, local(0)),
        acquire(LOCK),
        select(),
        if_then(equal("MES", 1), store(PRESENT, local(0))),
        release(LOCK),
        return_value(local(0)),
    ]
}

fn node() -> [Term; 5] {
    [acquire(LOCK), select(), store("MPX", local(0)), release(LOCK), return_value(local(0))]
}

/// Passes on what the operating system says (6.3.5, `_OST`).
fn report() -> [Term; 5] {
    [acquire(LOCK), select(), store(arg(1), "MOEV"), store(arg(2), "MOSC"), release(LOCK)]
}

fn eject() -> [Term; 4] {
    [acquire(LOCK), select(), store(1, "MEJ"), release(LOCK)]
}

fn path(slot: u16) -> String {
    format!("MP{slot:02X}")
}

/// A slot, which calls the container's methods.
fn slot(slot: u16) -> Term {
    let uid = || Term::from("_UID");
    let get = |own: &str, common: &str| method(0).named(own, return_value(call(common, uid())));
    device(
        &path(slot),
        [
            name("_UID", string(&format!("0x{slot:02X}"))),
            name("_HID", eisa_id("PNP0C80")),
            get("_CRS", "MCRS"),
            get("_STA", "MRST"),
            get("_PXM", "MPXM"),
            method(3).named("_OST", call("MOST", [uid(), arg(0), arg(1), arg(2)])),
            method(1).named("_EJ0", call("MEJ0", [uid(), arg(0)])),
        ],
    )
}

/// Tells the operating system that event `Arg1` happened to slot `Arg0`.
fn notification(slot: u16) -> Term {
    if_then(equal(arg(0), u64::from(slot)), notify(&path(slot), arg(1)))
}

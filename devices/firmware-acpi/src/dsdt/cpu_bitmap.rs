//! The processors (8.4), on machines that plug them through a bitmap of APIC ids.

use super::ports::{self, PRESENT};
use crate::aml::{
    Access, Lock, Part, Space, Term, Update, and, arg, assign, buffer, call, deref, eisa_id, equal,
    field, if_else, if_then, increment, index, int, ints, less, local, method, name, not_equal,
    notify, operation_region, package, processor, return_value, scope, shift_right, size_of, sleep,
    store, while_loop,
};
use crate::board::{Board, Processor};
use crate::madt;

/// How many ports the bitmap has.
const LENGTH: u8 = 32;

/// The methods, the bitmap, the processors, and the event that says that one was
/// plugged.
pub(super) fn processors(board: &Board) -> Vec<Term> {
    const UID: &str = "CPU Hotplug resources";
    let port = board.processor_hotplug.port;
    let bits = usize::from(LENGTH) * 8;
    let mut terms = vec![
        method(2).named("CPMA", apic_entry()),
        method(1).named("CPST", status()),
        method(2).named("CPEJ", sleep(200)),
        method(0).named("PRSC", scan()),
        ports::claimed("PCI0.PRES", eisa_id("PNP0A06"), UID, port, LENGTH),
        operation_region("PRST", Space::SystemIo, port.into(), LENGTH.into()),
        field("PRST", Access::Byte, Lock::NoLock, Update::Preserve, &[Part::Named("PRS", bits)]),
    ];
    let all = || board.processors.iter().enumerate();
    terms.extend(all().map(|(index, cpu)| describe(index, *cpu)));
    let tell = |cpu: &Processor| {
        let is_it = equal(arg(0), u64::from(cpu.apic_id));
        if_then(is_it, notify(&path(*cpu), arg(1)))
    };
    terms.push(method(2).named("NTFY", board.processors.iter().map(tell).collect::<Term>()));
    terms.push(name("CPON", online(board)));
    vec![scope("_SB", terms), method(0).named("\\_GPE._E02", call("\\_SB.PRSC", []))]
}

fn path(cpu: Processor) -> String {
    format!("CP{:02X}", cpu.apic_id)
}

/// Which APIC ids are there.
fn online(board: &Board) -> Term {
    let ids = usize::try_from(board.apic_id_limit()).unwrap_or(0).min(usize::from(LENGTH) * 8);
    let mut present = vec![0; ids];
    for cpu in board.processors.iter().filter(|cpu| cpu.present) {
        if let Some(entry) = usize::try_from(cpu.apic_id).ok().and_then(|id| present.get_mut(id)) {
            *entry = 1;
        }
    }
    package(ids, ints(present))
}

/// The entry of processor `Arg1` with APIC id `Arg0` in the table of APICs.
fn apic_entry() -> [Term; 6] {
    let (there, entry) = (local(0), local(1));
    [
        store(deref(index("CPON", arg(0))), there.clone()),
        store(buffer(&madt::narrow_apic(0, 0, false)), entry.clone()),
        store(arg(1), index(entry.clone(), 2)),
        store(arg(0), index(entry.clone(), 3)),
        store(there, index(entry.clone(), 4)),
        return_value(entry),
    ]
}

/// The status of the processor with APIC id `Arg0`.
fn status() -> [Term; 2] {
    [
        store(deref(index("CPON", arg(0))), local(0)),
        if_else(local(0), return_value(PRESENT), return_value(0)),
    ]
}

/// Compares the bitmap with what was known, and tells of the differences.
fn scan() -> [Term; 4] {
    const DEVICE_CHECK: u64 = 1;
    const EJECT_REQUEST: u64 = 3;
    let (id, known, bits, now, bitmap) = (local(0), local(1), local(2), local(3), local(5));
    let tell = |event: u64| call("NTFY", [id.clone(), int(event)]);
    let byte = deref(index(bitmap.clone(), shift_right(id.clone(), 3)));
    let changed = [
        store(now.clone(), index("CPON", id.clone())),
        if_else(equal(now.clone(), 1), tell(DEVICE_CHECK), tell(EJECT_REQUEST)),
    ];
    let body = [
        store(deref(index("CPON", id.clone())), known.clone()),
        if_else(
            and(id.clone(), 7),
            assign(shift_right(bits.clone(), 1), bits.clone()),
            store(byte, bits.clone()),
        ),
        store(and(bits.clone(), 1), now.clone()),
        if_then(not_equal(known, now), changed),
        increment(id.clone()),
    ];
    [
        store("PRS", bitmap),
        store(0, bits),
        store(0, id.clone()),
        while_loop(less(id, size_of("CPON")), body),
    ]
}

/// A processor: all of them look as if they could be taken out.
fn describe(index: usize, cpu: Processor) -> Term {
    let id = || int(u64::from(cpu.apic_id));
    let entry = call("CPMA", [id(), int(index as u64)]);
    processor(
        &path(cpu),
        u8::try_from(index).unwrap_or(u8::MAX),
        [
            method(0).named("_MAT", return_value(entry)),
            method(0).named("_STA", return_value(call("CPST", id()))),
            method(1).named("_EJ0", return_value(call("CPEJ", [id(), arg(0)]))),
        ],
    )
}

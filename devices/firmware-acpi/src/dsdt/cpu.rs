//! The processors (8.4), on machines that plug them through a selector.

use super::cpu_registers::registers;
use super::cpu_scan::scan;
use super::ports::PRESENT;
use crate::aml::{
    Term, acquire, arg, buffer, call, device, eisa_id, equal, if_then, local, method, name, notify,
    processor, release, return_value, scope, store, string,
};
use crate::board::{Board, Processor};
use crate::madt;

pub(super) const LOCK: &str = "\\_SB.PCI0.PRES.CPLK";
pub(super) const SELECTOR: &str = "\\_SB.PCI0.PRES.CSEL";
pub(super) const COMMAND: &str = "\\_SB.PCI0.PRES.CCMD";
pub(super) const DATA: &str = "\\_SB.PCI0.PRES.CDAT";
const ENABLED: &str = "\\_SB.PCI0.PRES.CPEN";
const EJECT: &str = "\\_SB.PCI0.PRES.CEJ0";

/// The registers, the processors in their container, and the event that says
/// that one was plugged.
pub(super) fn processors(board: &Board) -> Vec<Term> {
    let mut container = vec![
        name("_HID", string("ACPI0010")),
        name("_CID", eisa_id("PNP0A05")),
        method(2).named("CTFY", notifications(board.processors.len())),
        method(1).serialized().named("CSTA", status()),
        method(1).serialized().named("CEJ0", eject()),
        method(0).serialized().named("CSCN", scan(board.processors.len())),
        method(4).serialized().named("COST", report()),
    ];
    container.extend(board.processors.iter().enumerate().map(|(i, cpu)| describe(i, *cpu)));
    let devices = [registers(board.processor_hotplug.port), device("\\_SB.CPUS", container)];
    vec![scope("_SB", devices), method(0).named("\\_GPE._E02", call("\\_SB.CPUS.CSCN", []))]
}

fn path(index: usize) -> String {
    format!("C{index:03X}")
}

/// Tells the operating system that event `Arg1` happened to processor `Arg0`.
fn notifications(count: usize) -> Vec<Term> {
    let tell = |index| if_then(equal(arg(0), index as u64), notify(&path(index), arg(1)));
    (0..count).map(tell).collect()
}

/// The status of a processor.
fn status() -> [Term; 6] {
    [
        acquire(LOCK),
        store(arg(0), SELECTOR),
        store(0, local(0)),
        if_then(equal(ENABLED, 1), store(PRESENT, local(0))),
        release(LOCK),
        return_value(local(0)),
    ]
}

/// Takes a processor out.
fn eject() -> [Term; 4] {
    [acquire(LOCK), store(arg(0), SELECTOR), store(1, EJECT), release(LOCK)]
}

/// Passes on what the operating system says about processor `Arg0` (6.3.5,
/// `_OST`).
fn report() -> [Term; 7] {
    const EVENT: u64 = 1;
    const STATUS: u64 = 2;
    [
        acquire(LOCK),
        store(arg(0), SELECTOR),
        store(EVENT, COMMAND),
        store(arg(1), DATA),
        store(STATUS, COMMAND),
        store(arg(2), DATA),
        release(LOCK),
    ]
}

/// A processor: all but the first can be taken out. One that the table of APICs
/// knows by a wide id is a device rather than a processor object.
fn describe(index: usize, cpu: Processor) -> Term {
    let number = index as u64;
    let mut terms = vec![method(0).serialized().named("_STA", return_value(call("CSTA", number)))];
    let narrow = madt::narrow_id(cpu);
    let entry = match narrow {
        Some(id) => madt::narrow_apic(index, id, true).to_vec(),
        None => madt::local_apic(index, Processor { present: true, ..cpu }),
    };
    terms.push(name("_MAT", buffer(&entry)));
    if index != 0 {
        terms.push(method(1).named("_EJ0", call("CEJ0", number)));
    }
    let report = call("COST", [number.into(), arg(0), arg(1), arg(2)]);
    terms.push(method(3).serialized().named("_OST", report));
    terms.extend(cpu.node.map(|node| name("_PXM", u64::from(node))));
    match (narrow, u8::try_from(index)) {
        (Some(_), Ok(id)) => processor(&path(index), id, terms),
        _ => {
            let identity = [name("_HID", string("ACPI0007")), name("_UID", number)];
            device(&path(index), identity.into_iter().chain(terms).collect::<Vec<_>>())
        }
    }
}

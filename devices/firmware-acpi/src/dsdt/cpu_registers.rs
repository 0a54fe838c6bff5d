//! The registers through which processors are plugged: a selector of the
//! processor, commands with data, and bits that tell and do.
//!
//! At the port: the selector; 4 further: bits; 5: the command; 8: its data.

use crate::aml::{
    Access, Lock, Part, Space, Term, Update, device, eisa_id, field, io, method, mutex, name,
    operation_region, store, string, template,
};

/// How many ports there are.
const LENGTH: u8 = 12;

/// The device that has the registers; the machine starts with processor 0
/// selected.
pub(super) fn registers(port: u16) -> Term {
    let bits = [
        Part::Skip(32),
        Part::Named("CPEN", 1),
        Part::Named("CINS", 1),
        Part::Named("CRMV", 1),
        Part::Named("CEJ0", 1),
        Part::Named("CEJF", 1),
        Part::Skip(3),
        Part::Named("CCMD", 8),
    ];
    let words = [Part::Named("CSEL", 32), Part::Skip(32), Part::Named("CDAT", 32)];
    device(
        "\\_SB.PCI0.PRES",
        [
            name("_HID", eisa_id("PNP0A06")),
            name("_UID", string("CPU Hotplug resources")),
            mutex("CPLK"),
            name("_CRS", template([io(port, 1, LENGTH)])),
            operation_region("PRST", Space::SystemIo, port.into(), LENGTH.into()),
            field("PRST", Access::Byte, Lock::NoLock, Update::WriteAsZeros, &bits),
            field("PRST", Access::DWord, Lock::NoLock, Update::Preserve, &words),
            method(0).serialized().named("_INI", store(0, "CSEL")),
        ],
    )
}

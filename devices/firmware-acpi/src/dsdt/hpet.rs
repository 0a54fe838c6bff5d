//! The high precision event timer (IA-PC HPET Specification 1.0a, 3.2.5).

use super::ports::PRESENT;
use crate::aml::{
    Access, Lock, Part, Space, Term, Update, assign, device, eisa_id, equal, field, fixed_memory,
    greater, if_then, local, logical_or, method, name, operation_region, return_value, scope,
    shift_right, store, template,
};
use crate::hpet::{ADDRESS, LENGTH};

/// The timer is there if its registers tell a vendor, and a period of at most
/// 100 nanoseconds.
pub(super) fn timer() -> Term {
    const VENDOR_SHIFT: u64 = 16;
    const NOTHING: u64 = 0xffff;
    const FEMTOSECONDS: u64 = 100_000_000;
    let absent = |condition: Term| if_then(condition, return_value(0));
    let (vendor, period) = (local(0), local(1));
    let status = [
        store("VEND", vendor.clone()),
        store("PRD", period.clone()),
        assign(shift_right(vendor.clone(), VENDOR_SHIFT), vendor.clone()),
        absent(logical_or(equal(vendor.clone(), 0), equal(vendor, NOTHING))),
        absent(logical_or(equal(period.clone(), 0), greater(period, FEMTOSECONDS))),
        return_value(PRESENT),
    ];
    let parts = [Part::Named("VEND", 32), Part::Named("PRD", 32)];
    let timer = [
        name("_HID", eisa_id("PNP0103")),
        name("_UID", 0),
        operation_region("HPTM", Space::SystemMemory, ADDRESS.into(), LENGTH.into()),
        field("HPTM", Access::DWord, Lock::Lock, Update::Preserve, &parts),
        method(0).named("_STA", status),
        name("_CRS", template([fixed_memory(ADDRESS, LENGTH)])),
    ];
    scope("_SB", device("HPET", timer))
}

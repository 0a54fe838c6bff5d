//! The interrupt links (6.2.13 and 6.2.2): each is a register of the PIIX3 that
//! says at which ISA interrupt a line arrives (PIIX3 data sheet, PIRQRC\[A:D\]).

use super::ports::HIDDEN;
use crate::aml::{
    Term, and, arg, assign, call, create_dword_field, device, eisa_id, if_then, int, interrupt,
    less, method, name, or, return_value, store, template,
};

/// The bit of the register that unwires the line.
const DISABLED: u64 = 0x80;
/// Where in an interrupt descriptor the first interrupt is (6.4.3.6).
const FIRST: u64 = 5;
/// What `_STA` says of a line that is not wired: present and working, but not
/// enabled.
const UNWIRED: u64 = 0b1001;

/// Links A to D, and S, which stays at the SCI.
pub(super) fn links() -> Vec<Term> {
    let mut terms = vec![status(), current()];
    terms.extend((0..).zip(["LNKA", "LNKB", "LNKC", "LNKD"]).map(|(uid, name)| link(uid, name)));
    terms.push(fixed());
    terms
}

/// `IQST` says whether a register's line is wired.
fn status() -> Term {
    let body = [if_then(and(DISABLED, arg(0)), return_value(UNWIRED)), return_value(HIDDEN)];
    method(1).named("IQST", body)
}

/// `IQCR` makes resources of a register.
fn current() -> Term {
    let body = [
        name("PRR0", template([interrupt([0])])),
        create_dword_field("PRR0".into(), FIRST, "PRRI"),
        if_then(less(arg(0), DISABLED), store(arg(0), "PRRI")),
        return_value("PRR0"),
    ];
    method(1).serialized().named("IQCR", body)
}

fn link(uid: u64, path: &str) -> Term {
    let register = format!("PRQ{uid}");
    let register = register.as_str();
    device(
        path,
        [
            name("_HID", eisa_id("PNP0C0F")),
            name("_UID", uid),
            name("_PRS", template([interrupt([5, 10, 11])])),
            method(0).named("_STA", return_value(call("IQST", Term::from(register)))),
            method(0).named("_DIS", assign(or(register, DISABLED), register)),
            method(0).named("_CRS", return_value(call("IQCR", Term::from(register)))),
            method(1).named(
                "_SRS",
                [create_dword_field(arg(0), FIRST, "PRRI"), store("PRRI", register)],
            ),
        ],
    )
}

fn fixed() -> Term {
    const UID: u64 = 4;
    const SCI: u32 = 9;
    let nothing = || Term::from([]);
    device(
        "LNKS",
        [
            name("_HID", eisa_id("PNP0C0F")),
            name("_UID", int(UID)),
            name("_PRS", template([interrupt([SCI])])),
            method(0).named("_STA", return_value(HIDDEN)),
            method(0).named("_DIS", nothing()),
            method(0).named("_CRS", return_value("_PRS")),
            method(1).named("_SRS", nothing()),
        ],
    )
}

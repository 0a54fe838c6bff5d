//! How the pins of PCI slots are wired to the PIIX3's four interrupt lines
//! (6.2.13, `_PRT`).

use super::link;
use crate::aml::{
    Term, add, and, equal, if_else, if_then, increment, index, int, less, local, method, or,
    package, return_value, scope, shift_left, shift_right, store, while_loop,
};

const SLOTS: u64 = 32;
const PINS: u64 = 4;

/// The routing table, and the links that it names.
pub(super) fn interrupts() -> Term {
    let table = method(0).named("_PRT", table());
    let mut terms = vec![scope("PCI0", table)];
    terms.extend(link::links());
    scope("_SB", terms)
}

/// Each slot's pins are turned by one against those of the slot before: pin 0 of
/// slot 0 is at link D. The power management function, pin 0 of slot 1, has a
/// link of its own, since its interrupt is always the SCI.
fn table() -> Term {
    const PM_PIN: u64 = PINS;
    let (result, pin, slot, turned, route) = (local(0), local(1), local(2), local(3), local(4));
    let through = |link: &str| store(entry(link), route.clone());
    let case = |number: u64, statement: Term| if_then(equal(turned.clone(), number), statement);
    let first = if_else(equal(pin.clone(), PM_PIN), through("LNKS"), through("LNKA"));
    let any_function = or(shift_left(slot.clone(), 16), 0xffff);
    let body = [
        store(shift_right(pin.clone(), 2), slot.clone()),
        store(and(add(pin.clone(), slot.clone()), PINS - 1), turned.clone()),
        case(0, through("LNKD")),
        case(1, first),
        case(2, through("LNKB")),
        case(3, through("LNKC")),
        store(any_function, index(route.clone(), 0)),
        store(and(pin.clone(), PINS - 1), index(route.clone(), 1)),
        store(route.clone(), index(result.clone(), pin.clone())),
        increment(pin.clone()),
    ];
    let all = usize::try_from(SLOTS * PINS).unwrap_or(0);
    Term::from([
        store(package(all, vec![]), result.clone()),
        store(0, pin.clone()),
        while_loop(less(pin, int(SLOTS * PINS)), body),
        return_value(result),
    ])
}

/// A row of the table: address and pin, to be filled in, link and its index.
fn entry(link: &str) -> Term {
    package(4, vec![int(0), int(0), link.into(), int(0)])
}

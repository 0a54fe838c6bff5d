//! The method that finds out which processors were plugged, or are to be given
//! back.

use super::cpu::{COMMAND, DATA, LOCK, SELECTOR};
use crate::aml::{
    Term, acquire, break_loop, call, debug, deref, equal, if_else, if_then, increment, index, int,
    less, local, logical_and, name, package, release, store, while_loop,
};

const INSERTED: &str = "\\_SB.PCI0.PRES.CINS";
const REMOVED: &str = "\\_SB.PCI0.PRES.CRMV";

const DEVICE_CHECK: u64 = 1;
const EJECT_REQUEST: u64 = 3;

/// How many new processors one round can collect: as many as a package holds.
const ROUND: u64 = 255;

/// Collects the processors that are new and tells of them, in rounds, and tells
/// of those to be given back. Every answer resets what it was about.
pub(super) fn scan(processors: usize) -> Vec<Term> {
    let (found, current, again) = (local(1), local(3), local(4));
    let rounds = while_loop(
        equal(again.clone(), 1),
        [
            store(0, again.clone()),
            store(1, local(0)),
            store(0, found),
            collect(processors),
            store(0, local(2)),
            tell(),
        ],
    );
    vec![
        acquire(LOCK),
        name("CNEW", package(255, vec![])),
        store(0, current),
        store(1, again),
        rounds,
        release(LOCK),
    ]
}

/// Asks for the next processor that something happened to, until the answer is
/// one before the current.
fn collect(processors: usize) -> Term {
    const NEXT: u64 = 0;
    let (more, found, current, again) = (local(0), local(1), local(3), local(4));
    let remember = Term::from([
        store(current.clone(), index("CNEW", found.clone())),
        increment(found.clone()),
        store(1, more.clone()),
    ]);
    let give_back = Term::from([
        call("CTFY", [current.clone(), int(EJECT_REQUEST)]),
        store(1, REMOVED),
        store(1, more.clone()),
    ]);
    while_loop(
        logical_and(equal(more.clone(), 1), less(current.clone(), processors as u64)),
        [
            store(0, more),
            store(current.clone(), SELECTOR),
            store(NEXT, COMMAND),
            if_then(less(DATA, current.clone()), break_loop()),
            if_then(equal(found, ROUND), [store(1, again), break_loop()]),
            store(DATA, current.clone()),
            if_else(equal(INSERTED, 1), remember, if_then(equal(REMOVED, 1), give_back)),
            increment(current),
        ],
    )
}

/// Tells of the processors that were collected.
fn tell() -> Term {
    let (found, told, current) = (local(1), local(2), local(3));
    while_loop(
        less(told.clone(), found),
        [
            store(deref(index("CNEW", told.clone())), current.clone()),
            call("CTFY", [current.clone(), int(DEVICE_CHECK)]),
            store(current.clone(), debug()),
            store(current, SELECTOR),
            store(1, INSERTED),
            increment(told),
        ],
    )
}

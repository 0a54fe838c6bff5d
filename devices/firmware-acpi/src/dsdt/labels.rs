//! What a slot's `_DSM` does (9.1.1): it tells the number that a device is known
//! by (PCI Firmware Specification 3.1, 4.6.7), so that network interfaces can
//! be named after it.

use crate::aml::{
    Term, arg, assign, buffer, call, deref, equal, if_then, index, int, less, local, logical_or,
    method, name, not, not_equal, or, package, return_value, shift_left, store, string, uuid,
};

/// Device labelling.
const INTERFACE: u128 = 0xe5c9_37d0_3553_4d7a_9117_ea4d_19c3_434d;
/// The function that tells the functions there are.
const QUERY: u64 = 0;
/// The function that tells number and name.
const LABEL: u64 = 7;
/// The revision of the interface that has it.
const REVISION: u64 = 2;
/// What the registers say where there is no hot-plug.
const NOTHING: u64 = 0xffff_ffff;

/// `PDSM`: the arguments of a `_DSM`, and a package of bus and slot.
pub(super) fn method_of_slots() -> Term {
    let body = [if_then(equal(arg(2), QUERY), query()), if_then(equal(arg(2), LABEL), label())];
    method(5).serialized().named("PDSM", body)
}

/// The `_DSM` of a slot, and what it passes on.
pub(super) fn slot(device: u8) -> [Term; 2] {
    let place = package(2, vec!["BSEL".into(), "ASUN".into()]);
    let arguments = [arg(0), arg(1), arg(2), arg(3), local(0)];
    let body = [store(place, local(0)), return_value(call("PDSM", arguments))];
    [name("ASUN", u64::from(device)), method(4).serialized().named("_DSM", body)]
}

/// Reads the number of the device at the place in `Arg4`.
fn read_number(to: Term) -> Term {
    let place = |element: u64| deref(index(arg(4), element));
    store(call("AIDX", [place(0), place(1)]), to)
}

/// A bitmap of functions: none if the caller means another interface or a
/// revision without the function, or if the device has no number.
fn query() -> Term {
    let (result, functions, number) = (local(0), local(1), local(2));
    let known = not(or(equal(number.clone(), 0), equal(number.clone(), NOTHING)));
    let add = |bit: Term| assign(or(functions.clone(), bit), functions.clone());
    Term::from([
        store(buffer(&[0]), result.clone()),
        store(0, functions.clone()),
        if_then(not_equal(arg(0), uuid(INTERFACE)), return_value(result.clone())),
        if_then(less(arg(1), REVISION), return_value(result.clone())),
        read_number(number),
        if_then(known, [add(int(1)), add(shift_left(1, LABEL))]),
        store(functions.clone(), index(result.clone(), 0)),
        return_value(result),
    ])
}

/// The number, with an empty name.
fn label() -> Term {
    let (result, number) = (local(0), local(2));
    let known = not(logical_or(equal(number.clone(), 0), equal(number.clone(), NOTHING)));
    Term::from([
        read_number(number.clone()),
        store(package(2, vec![]), result.clone()),
        if_then(
            known,
            [store(number, index(result.clone(), 0)), store(string(""), index(result.clone(), 1))],
        ),
        return_value(result),
    ])
}

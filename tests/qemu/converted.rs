//! States of one machine type that a machine of another goes on with.

use super::answers::{Answers, Part};
use super::machines::is_xen;
use super::pokes::poke;
use super::ports::Ports;
use super::real::Qemu;
use super::southbridge::converted;

/// Pairs whose formats differ, so that QEMU itself does not take one for the
/// other.
const PAIRS: [(&str, &str); 4] = [
    ("xenfv-3.1", "xenfv-4.2"),
    ("xenfv-4.2", "xenfv-3.1"),
    ("pc-i440fx-3.1", "pc-i440fx-7.2"),
    ("pc-i440fx-7.2", "pc-i440fx-3.1"),
];

#[test]
fn qemu_goes_on_as_another_machine() {
    for (from, to) in PAIRS {
        let what = format!("from {from} to {to}");
        let mut before = Qemu::new(from);
        poke(&mut before, is_xen(from));
        let state = converted(from, to, &before.save());
        let after = Qemu::load(to, &state, &[]);
        let mut after = after.unwrap_or_else(|refused| panic!("{what}: {refused:?}"));
        let answers = |machine: &mut dyn Ports| Answers::of(machine, is_xen(from));
        let (before, after) = (answers(&mut before), answers(&mut after));
        before.check(&after, &[Part::Configuration, Part::Ports], &what);
    }
}

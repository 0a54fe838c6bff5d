//! The sleep states (7.4.2): what to write to SLP_TYP for each.

use crate::aml::{Term, ints, name, package, scope};
use crate::board::PowerManagement;

/// S3 and S4, if the machine has them, and S5.
pub(super) fn states(power: &PowerManagement) -> Term {
    const S3: u64 = 1;
    const S5: u64 = 0;
    let mut terms = Vec::new();
    terms.extend(power.s3.then(|| state("_S3", S3)));
    terms.extend(power.s4.map(|value| state("_S4", value.into())));
    terms.push(state("_S5", S5));
    scope("\\", terms)
}

fn state(path: &str, value: u64) -> Term {
    let elements = [value, value, 0, 0];
    name(path, package(elements.len(), ints(elements)))
}

//! The same happens to two versions of a device.

use super::action::Action;
use super::outcome::Outcome;
use super::record::print_outcome;
use super::rig::{Rig, Subject};
use crate::component::Error;

/// Where two versions differ first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The number of the action; none if they differ when they are switched on.
    pub action: Option<usize>,
    /// What came of it in the one.
    pub one: Vec<String>,
    /// What came of it in the other.
    pub other: Vec<String>,
}

/// Has actions happen to two versions, and finds where they differ first. The numbers
/// in the two lists are those of either version.
///
/// # Errors
/// One of them cannot be plugged.
pub fn compare(
    one: (&Subject, &[Action]),
    other: (&Subject, &[Action]),
) -> Result<Option<Difference>, Error> {
    let (mut rig, mut other_rig) = (Rig::new(one.0)?, Rig::new(other.0)?);
    let of = (one.0.image.description(), other.0.image.description());
    // As text, since what has one number in the one may have another in the other.
    let difference = |action: Option<usize>, a: &Outcome, b: &Outcome| {
        let (one, other) = (print_outcome(a, of.0), print_outcome(b, of.1));
        (one != other).then_some(Difference { action, one, other })
    };
    let started = difference(None, rig.started(), other_rig.started());
    if started.is_some() {
        return Ok(started);
    }
    for (number, (a, b)) in one.1.iter().zip(other.1).enumerate() {
        let (a, b) = (rig.perform(a), other_rig.perform(b));
        if let Some(difference) = difference(Some(number), &a, &b) {
            return Ok(Some(difference));
        }
    }
    Ok(None)
}

//! A bench for one device: what a device's author has in place of a machine.
//!
//! A [`Rig`] holds a component in a slot, with a world around it that answers always
//! alike; an [`Action`] happens to it, and an [`Outcome`] is what came of that. All else
//! is made of these three: [`check()`] draws actions and judges by the laws of the
//! contract, [`fuzz()`] draws actions until a device fails, [`compare()`] has the same
//! happen to two versions, and [`measure()`] times. A [`Record`] is actions and
//! outcomes as text. What is found is made as short as it can be.

mod action;
mod check;
mod compare;
mod draw;
mod fuzz;
mod minimize;
mod outcome;
mod random;
mod record;
mod rig;
#[cfg(test)]
mod testing;
mod times;

pub use action::Action;
pub use check::{Breach, Options, Verdict, check, judge};
pub use compare::{Difference, compare};
pub use draw::{Draw, Range};
pub use fuzz::{Finding, FuzzOptions, Tally, fuzz};
pub use minimize::minimize;
pub use outcome::{Answer, Event, Outcome, Saved};
pub use record::{Record, Step, parse_action, print_action, print_event, print_outcome};
pub use rig::{Cycle, RAM, Rig, Subject};
pub use times::{Times, measure};

/// Does something in which devices fail over and over, without anything said of it.
pub fn quietly<R>(work: impl FnOnce() -> R) -> R {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::default(), work)
}

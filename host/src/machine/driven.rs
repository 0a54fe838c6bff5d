//! What a slot drives, as far as it has been applied.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::component::{Description, Mode};

/// The applied state of each output of a slot, with the number of the effect
/// that set it.
///
/// Two processors may come back from the same device at the same time with
/// effects to apply. The numbers make the later effect win, whoever is faster.
/// The lock is held while an output's sinks are told, so that a sink hears of
/// changes in order; it is taken before a slot's lock, never after.
pub(super) struct Driven(Mutex<Outputs>);

/// The outputs of a slot by kind; the contract's numbers are the positions.
pub(super) struct Outputs {
    pub(super) lines: Vec<Applied<bool>>,
    pub(super) regions: Vec<Applied<()>>,
    pub(super) timers: Vec<Applied<()>>,
    pub(super) windows: Vec<Applied<Mode>>,
}

/// An output and the effect that set it last.
#[derive(Clone)]
pub(super) struct Applied<T> {
    sequence: u64,
    pub(super) value: T,
}

impl<T> Applied<T> {
    const fn new(value: T) -> Self {
        Self { sequence: 0, value }
    }

    /// Whether an effect is newer than what has been applied; it counts as
    /// applied from then on.
    pub(super) fn is_news(&mut self, sequence: u64) -> bool {
        let news = sequence > self.sequence;
        self.sequence = self.sequence.max(sequence);
        news
    }
}

impl Driven {
    pub(super) fn new(description: &Description) -> Self {
        Self(Mutex::new(Outputs {
            lines: vec![Applied::new(false); description.lines.len()],
            regions: vec![Applied::new(()); description.regions.len()],
            timers: vec![Applied::new(()); description.timers.len()],
            windows: vec![Applied::new(Mode::Bus); description.windows.len()],
        }))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Outputs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

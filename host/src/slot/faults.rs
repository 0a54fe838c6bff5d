//! The faults of a slot, the last ones kept.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::component::Fault;

/// How many faults a slot remembers.
pub const FAULTS_KEPT: usize = 16;

/// A fault, and when and where it happened.
#[derive(Clone, Debug)]
pub struct FaultRecord {
    /// Counts up from 1 over the life of the slot.
    pub number: u64,
    /// The slot's name.
    pub slot: Arc<str>,
    /// The device's name, version and build, as people say it.
    pub device: String,
    /// The machine's clock, in nanoseconds.
    pub time: u64,
    /// Export, reason and backtrace.
    pub fault: Fault,
    /// The version that has taken the place of the one that failed, as if nothing had
    /// happened; none if the slot was out of service.
    pub rolled_back_to: Option<String>,
}

/// The last faults of a slot, the oldest first.
#[derive(Default)]
pub(super) struct FaultLog(VecDeque<Arc<FaultRecord>>);

impl FaultLog {
    pub(super) fn push(&mut self, record: FaultRecord) {
        if self.0.len() == FAULTS_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Arc::new(record));
    }

    /// Notes what the last fault has led to.
    pub(super) fn rolled_back(&mut self, to: String) {
        if let Some(record) = self.0.back_mut() {
            Arc::make_mut(record).rolled_back_to = Some(to);
        }
    }

    pub(super) fn find(&self, number: u64) -> Option<Arc<FaultRecord>> {
        self.0.iter().find(|record| record.number == number).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<FaultRecord>> {
        self.0.iter().cloned().collect()
    }
}

//! Whatever a guest and its machine do, a device stays in service.

use super::{Bench, Law};
use crate::bench::action::Action;
use crate::bench::rig::Subject;

pub(super) const NAME: &str = "in-service";

pub(super) struct InService;

impl Law for InService {
    fn name(&self) -> &'static str {
        NAME
    }

    fn says(&self) -> &'static str {
        "No call traps, outlives its deadline, takes too much memory or records too many effects"
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let mut bench = Bench::new(subject)?;
        let started = bench.rig.started().fault().cloned();
        let fault = started.or_else(|| {
            actions.iter().find_map(|action| bench.rig.perform(action).fault().cloned())
        });
        fault.map_or(Ok(()), |fault| Err(fault.to_string()))
    }
}

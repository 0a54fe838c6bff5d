//! Effects are on what the device has declared.

use super::{Bench, Law};
use crate::bench::action::Action;
use crate::bench::rig::Subject;

pub(super) struct Declared;

impl Law for Declared {
    fn name(&self) -> &'static str {
        "declared"
    }

    fn says(&self) -> &'static str {
        "Effects name lines, regions, timers and the like that the device has declared"
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let mut bench = Bench::new(subject)?;
        for action in actions {
            let failed = bench.rig.perform(action).fault().is_some();
            if let Some(what) = bench.rig.undeclared() {
                return Err(format!("effect on something undeclared: {what}"));
            }
            if failed {
                break;
            }
        }
        Ok(())
    }
}

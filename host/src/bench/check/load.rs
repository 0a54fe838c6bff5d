//! A device refuses a state that cannot be, or makes do with it.

use super::{Bench, Law};
use crate::bench::action::Action;
use crate::bench::draw::Range;
use crate::bench::outcome::Answer;
use crate::bench::rig::Subject;

pub(super) struct Load;

impl Law for Load {
    fn name(&self) -> &'static str {
        "load"
    }

    fn says(&self) -> &'static str {
        "A state that nobody saved is refused, or is one that the device works with"
    }

    fn range(&self) -> Range {
        Range::All
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let mut bench = Bench::new(subject)?;
        let mut loaded = false;
        for action in actions {
            let outcome = bench.rig.perform(action);
            let is_load = matches!(action, Action::Load { .. });
            if let Answer::Failed(fault) = &outcome.answer {
                // What fails without such a state is another law's.
                return if loaded || is_load { Err(fault.to_string()) } else { Ok(()) };
            }
            if !is_load || outcome.answer != Answer::Done {
                continue;
            }
            loaded = true;
            match bench.rig.perform(&Action::Exchange).answer {
                Answer::Refused(reason) => {
                    return Err(format!("takes a state that it refuses later: {reason}"));
                }
                Answer::Failed(fault) => return Err(fault.to_string()),
                _ => {}
            }
        }
        Ok(())
    }
}

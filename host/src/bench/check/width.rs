//! A register that only tells something tells the same in every width.

use super::{Bench, Law};
use crate::bench::action::Action;
use crate::bench::outcome::Answer;
use crate::bench::rig::Subject;
use crate::slot::same_bytes;

pub(super) struct Width;

impl Law for Width {
    fn name(&self) -> &'static str {
        "width"
    }

    fn says(&self) -> &'static str {
        "A register whose reads change nothing reads the same in every width it is declared for"
    }

    fn is_advice(&self) -> bool {
        true
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let mut bench = Bench::new(subject)?;
        for action in actions {
            if bench.rig.perform(action).fault().is_some() {
                break;
            }
            if let Action::Read { region, offset, size } = *action {
                bench.judge_read(region, offset, size)?;
            }
        }
        Ok(())
    }
}

impl Bench {
    /// Reads anew in all widths in which the device itself answers.
    fn judge_read(&mut self, region: u32, offset: u64, size: u8) -> Result<(), String> {
        let image = self.rig.image();
        let Some(declared) = image.description().regions.get(region as usize) else {
            return Ok(());
        };
        let (valid, implemented) = (declared.valid, declared.implemented);
        let least = valid.min.max(implemented.min);
        let most = valid.max.min(implemented.max);
        let fits = offset.is_multiple_of(size.into())
            && offset.checked_add(size.into()).is_some_and(|end| end <= declared.size);
        if !fits || size > most || size <= least {
            return Ok(());
        }
        let Some(wide) = self.peek(region, offset, size) else { return Ok(()) };
        // The answer of a device that has no register of this width there.
        if wide == access::mask(size) {
            return Ok(());
        }
        let mut width = size / 2;
        while width >= least {
            let mut narrow = 0;
            for at in (0..size).step_by(width.into()) {
                let Some(part) = self.peek(region, offset + u64::from(at), width) else {
                    return Ok(());
                };
                narrow |= part << (8 * at);
            }
            if narrow != wide {
                let name = &declared.name;
                return Err(format!(
                    "{name} at {offset:#x} reads {wide:#x} in {size} bytes, {narrow:#x} in parts \
                     of {width}"
                ));
            }
            width /= 2;
        }
        Ok(())
    }

    /// What a read gives, if it changes nothing.
    fn peek(&mut self, region: u32, offset: u64, size: u8) -> Option<u64> {
        let before = self.state();
        let outcome = self.rig.perform(&Action::Read { region, offset, size });
        let Answer::Value(value) = outcome.answer else { return None };
        (outcome.is_quiet() && same_bytes(&before, &self.state())).then_some(value)
    }
}

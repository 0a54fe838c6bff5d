//! How long things take that a machine does with a device.

use std::time::{Duration, Instant};

use super::action::Action;
use super::rig::{Rig, Subject};
use crate::component::{Error, Scope, Space};

/// How long one thing took, many times.
#[derive(Clone, Debug)]
pub struct Times {
    /// What was done.
    pub what: String,
    /// The times, the shortest first.
    times: Vec<Duration>,
}

impl Times {
    fn of(what: String, count: u32, mut time: impl FnMut() -> Duration) -> Self {
        // The first ones pay for what is new to the host.
        for _ in 0..count.min(10) {
            time();
        }
        let mut times: Vec<_> = (0..count.max(1)).map(|_| time()).collect();
        times.sort_unstable();
        Self { what, times }
    }

    /// The shortest.
    #[must_use]
    pub fn least(&self) -> Duration {
        self.quantile(0)
    }

    /// The one that half of all do not exceed.
    #[must_use]
    pub fn median(&self) -> Duration {
        self.quantile(50)
    }

    /// The one that 99 of 100 do not exceed.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.quantile(99)
    }

    fn quantile(&self, percent: usize) -> Duration {
        let last = self.times.len().saturating_sub(1);
        self.times.get(last * percent / 100).copied().unwrap_or_default()
    }
}

/// Plugs, reads a register of each region, saves, loads and exchanges a device,
/// `count` times each.
///
/// # Errors
/// The device cannot be plugged.
pub fn measure(subject: &Subject, count: u32) -> Result<Vec<Times>, Error> {
    let mut rig = Rig::new(subject)?;
    let mut all = vec![Times::of("plug".into(), count, || {
        let start = Instant::now();
        let rig = Rig::new(subject);
        let time = start.elapsed();
        drop(rig);
        time
    })];
    for (region, declared) in (0..).zip(&subject.image.description().regions) {
        if declared.backing.is_none() {
            let size = declared.valid.min.max(declared.implemented.min).min(declared.valid.max);
            let space = match declared.space {
                Space::Port => "port",
                Space::Memory => "memory",
                Space::Configuration => "configuration",
            };
            let what = format!("read {} ({space}, {size} bytes)", declared.name);
            let read = Action::Read { region, offset: 0, size };
            all.push(timed(&mut rig, what, count, &read));
        }
    }
    let save = Action::Save { scope: Scope::Whole };
    let sections = rig.perform(&save).sections();
    let load = Action::Load { scope: Scope::Whole, sections };
    for (what, action) in [("save", save), ("load", load), ("exchange", Action::Exchange)] {
        all.push(timed(&mut rig, what.into(), count, &action));
    }
    Ok(all)
}

fn timed(rig: &mut Rig, what: String, count: u32, action: &Action) -> Times {
    Times::of(what, count, || {
        let start = Instant::now();
        let outcome = rig.perform(action);
        let time = start.elapsed();
        drop(outcome);
        time
    })
}

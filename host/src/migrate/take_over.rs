//! From a machine of one type to one of another.

use std::sync::Arc;

use crate::component::Scope;
use crate::machine::{Error, Machine};
use crate::slot::LoadError;

impl Machine {
    /// Takes the state of another machine over: all of it, also what the stream
    /// of either type leaves out, and the sections that machine keeps. Both must
    /// have the same devices, and stopped processors.
    ///
    /// # Errors
    /// The other machine has other devices, or a device does not take its state;
    /// this machine is untouched then.
    pub fn take_over(&self, other: &Self) -> Result<(), Error> {
        let saved = other.save(Scope::Whole)?;
        let names: Vec<_> = self.status().into_iter().map(|slot| slot.name).collect();
        if let Some(missing) = saved.iter().find(|saved| !names.contains(&saved.slot)) {
            let reason = format!("{} has no such device, {} has", self.name(), other.name());
            return Err(Error::State { slot: missing.slot.clone(), reason });
        }
        let states = names.iter().map(|name| {
            let state = saved.iter().find(|saved| saved.slot == *name);
            let reason = || format!("{} has no such device, {} has", other.name(), self.name());
            let state = state.ok_or_else(|| Error::State { slot: name.clone(), reason: reason() });
            state.map(|state| state.sections.clone())
        });
        let states = states.collect::<Result<Vec<_>, _>>()?;
        let loading = self.load(Scope::Whole, &states, other.clock().now()).map_err(|refused| {
            // None of them took its state: one is as good as another to say why.
            let refused = refused.into_iter().next();
            let (slot, reason) = match refused {
                Some(refused) => (refused.name, describe(&refused.error)),
                None => (Arc::from(""), String::new()),
            };
            Error::State { slot, reason }
        })?;
        loading.finish(other.origin(), &[]);
        Ok(())
    }
}

fn describe(error: &LoadError) -> String {
    match error {
        LoadError::Refused(refusal) => {
            format!("section {}, field {}: {}", refusal.section, refusal.field, refusal.reason)
        }
        other => other.to_string(),
    }
}

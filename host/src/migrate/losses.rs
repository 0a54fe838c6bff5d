//! What a guest could notice of a conversion.

use std::sync::Arc;

use crate::component::Scope;
use crate::machine::{Error, Machine};
use crate::slot;

/// A register that does not hold after a conversion what it held before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The slot of the device.
    pub slot: Arc<str>,
    /// The field of its whole state, with the section and the structures around it.
    pub field: String,
    /// Its bytes before, as they are on the wire.
    pub old: Vec<u8>,
    /// Its bytes after.
    pub new: Vec<u8>,
}

/// All of the state of one machine that another machine with the same devices
/// does not have: also what no stream of it holds.
pub(super) fn compare(old: &Machine, new: &Machine) -> Result<Vec<Loss>, Error> {
    let mut losses = Vec::new();
    let sides = old.save(Scope::Whole)?.into_iter().zip(new.save(Scope::Whole)?);
    let states = old.states().into_iter().zip(new.states());
    for ((before, after), ((slot, _, old), (_, _, new))) in sides.zip(states) {
        let wrong = |reason| Error::State { slot: slot.clone(), reason };
        let before = slot::decode(&old, &before.sections).map_err(wrong)?;
        let after = slot::decode(&new, &after.sections).map_err(wrong)?;
        for (field, before) in before {
            let Some(after) = after.get(&field).filter(|after| **after != before) else { continue };
            let (old, new) = (before.to_vec(), after.to_vec());
            losses.push(Loss { slot: slot.clone(), field, old, new });
        }
    }
    Ok(losses)
}

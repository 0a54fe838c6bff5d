//! A slot: where one device is plugged.
//!
//! A slot makes one call at a time into its device, hands the effects to the
//! caller, and never calls anybody above it. It holds what stays when the
//! device is replaced: the properties and grants of the machine file, and the
//! order of effects.

mod call;
mod checkpoint;
mod compare;
mod downgrade;
mod faults;
mod load;
mod properties;
mod status;
mod swap;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::component::{
    Children, Effects, Environment, Error, Fault, Image, Instance, Interface, Limits, Outputs,
    Property, SlotId, StateDescription,
};

pub use call::Part;
pub use checkpoint::{CheckpointError, CheckpointSummary};
pub(crate) use compare::decode;
pub use faults::{FAULTS_KEPT, FaultRecord};
pub use load::{LoadError, Loaded};
pub use properties::GivenProperty;
pub use status::{Counts, Status};
pub use swap::{SwapError, Swapped};

use checkpoint::Checkpoint;
use faults::FaultLog;

/// What a machine gives to a slot.
#[derive(Clone)]
pub struct Setting {
    /// The slot's number in its machine.
    pub id: SlotId,
    /// Its name in the machine file.
    pub name: Arc<str>,
    /// Interfaces granted to whatever is plugged here.
    pub grants: BTreeSet<Interface>,
    /// Properties that are set; others have the device's defaults.
    pub properties: Vec<GivenProperty>,
    /// The devices on the buses of the device that is plugged here.
    pub children: Arc<dyn Children>,
    /// Limits for whatever is plugged here.
    pub limits: Limits,
}

/// A slot and the device in it.
pub struct Slot {
    setting: Setting,
    clock: Arc<Clock>,
    plugged: Mutex<Plugged>,
}

/// The device, or what is left of it.
struct Plugged {
    image: Image,
    state: Arc<StateDescription>,
    /// None after a fault.
    instance: Option<Instance>,
    fault: Option<Fault>,
    faults: FaultLog,
    checkpoint: Option<Arc<Checkpoint>>,
    /// The level of each line the device was told last, and would have been if it
    /// were in service; an output's is false and never changes.
    inputs: Vec<bool>,
    /// What the slot drives while there is no instance to ask.
    outputs: Outputs,
    sequence: u64,
    /// The image a swap replaced, for going back.
    previous: Option<Image>,
    counts: Counts,
}

impl Slot {
    /// Plugs a device in and configures it. What it did while it was configured
    /// goes into `effects`.
    ///
    /// # Errors
    /// The image is not granted what it imports, or fails, or refuses its
    /// properties.
    pub fn plug(
        setting: Setting,
        clock: Arc<Clock>,
        image: &Image,
        effects: &mut Effects,
    ) -> Result<Self, Error> {
        let (mut instance, state) = setting.instantiate(image)?;
        instance.take_effects(effects);
        let plugged = Plugged {
            image: image.clone(),
            state,
            outputs: Outputs::new(image.description()),
            sequence: 0,
            instance: Some(instance),
            fault: None,
            faults: FaultLog::default(),
            checkpoint: None,
            inputs: vec![false; image.description().lines.len()],
            previous: None,
            counts: Counts::default(),
        };
        Ok(Self { setting, clock, plugged: Mutex::new(plugged) })
    }

    /// The slot's number in its machine.
    #[must_use]
    pub fn id(&self) -> SlotId {
        self.setting.id
    }

    /// The slot's name in the machine file.
    #[must_use]
    pub fn name(&self) -> &Arc<str> {
        &self.setting.name
    }

    /// The image that is plugged.
    #[must_use]
    pub fn image(&self) -> Image {
        self.lock().image.clone()
    }

    /// The properties of the device that is plugged.
    #[must_use]
    pub fn properties(&self) -> Vec<Property> {
        self.setting.properties(&self.image())
    }

    fn lock(&self) -> MutexGuard<'_, Plugged> {
        // A panic while a device was called is a bug of this host; the device
        // itself is as the last complete call left it.
        self.plugged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setting {
    /// The properties for an image: those that are set here, and its defaults.
    fn properties(&self, image: &Image) -> Vec<Property> {
        properties::fill(&image.description().properties, &self.properties)
    }

    /// A configured instance of an image for this slot, and its description of
    /// its state.
    fn instantiate(&self, image: &Image) -> Result<(Instance, Arc<StateDescription>), Error> {
        let mut instance = self.configured(image)?;
        let state = instance.describe_state()?;
        Ok((instance, Arc::new(state)))
    }

    /// A configured instance of an image for this slot.
    fn configured(&self, image: &Image) -> Result<Instance, Error> {
        image.instantiate(&Environment {
            slot: self.id,
            name: self.name.clone(),
            grants: self.grants.clone(),
            properties: self.properties(image),
            children: self.children.clone(),
            limits: self.limits,
        })
    }
}

//! A slot: where one device is plugged.
//!
//! A slot makes one call at a time into its device, hands the effects to the
//! caller, and never calls anybody above it. It holds what stays when the
//! device is replaced: the properties and grants of the machine file, and the
//! order of effects.

mod call;
mod checkpoint;
mod companion;
mod compare;
mod downgrade;
mod drives;
mod faults;
mod input;
mod load;
mod observed;
mod properties;
mod recorder;
mod status;
mod swap;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::component::{
    Block, Effects, Environment, Error, Fault, Files, GuestRam, Image, Instance, Interface, Limits,
    Outputs, Property, Resources, SlotId, StateDescription,
};

pub use call::Part;
pub use checkpoint::{CheckpointError, CheckpointSummary};
pub use companion::{Difference, ShadowStatus, Verdict};
pub(crate) use compare::{check as compare_states, decode, fits, same_bytes};
pub use drives::Media;
pub use faults::{FAULTS_KEPT, FaultRecord};
pub(crate) use input::{Answer as Answered, Input};
pub use load::{LoadError, Loaded};
pub use properties::GivenProperty;
pub(crate) use recorder::Call;
pub use recorder::{RecordError, Recording};
pub use status::{Counts, Status};
pub use swap::{SwapError, Swapped};

use checkpoint::Checkpoint;
use companion::{Companion, Trial};
use faults::FaultLog;
use recorder::Recorder;

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
    /// What the imports of whatever is plugged here reach.
    pub resources: Resources,
    /// What is in the drives of the device that is plugged here.
    pub media: Arc<Media>,
    /// Limits for whatever is plugged here.
    pub limits: Limits,
}

/// A slot and the device in it.
pub struct Slot {
    setting: Setting,
    clock: Arc<Clock>,
    plugged: Mutex<Plugged>,
    /// Notified when the last request to a drive has ended.
    idle: Condvar,
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
    /// A version that sees what the device sees. In a box: it is taken out for each call, and
    /// put back.
    companion: Option<Box<Companion>>,
    /// What keeps the last calls.
    recorder: Option<Recorder>,
    /// What is known of the last shadow.
    trial: Option<Trial>,
    counts: Counts,
    /// Requests to drives that have not ended, also those of a device that has
    /// failed since.
    requests: usize,
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
            companion: None,
            recorder: None,
            trial: None,
            counts: Counts::default(),
            requests: 0,
        };
        Ok(Self { setting, clock, plugged: Mutex::new(plugged), idle: Condvar::new() })
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

    /// A block of the slot's memory, by its number in the device's description.
    #[must_use]
    pub fn block(&self, number: u32) -> Option<&Block> {
        self.setting.resources.memories.get(number as usize)
    }

    /// What the guest writes to a block; nothing comes of it if the block is not the
    /// guest's to write.
    pub fn write_block(&self, number: u32, offset: u64, size: u8, value: u64) {
        let image = self.image();
        let declared = image.description().memories.get(number as usize);
        if let Some(block) = self.block(number)
            && declared.is_some_and(|declared| !declared.read_only)
        {
            block.store(offset, size, value);
        }
    }

    /// The guest's memory as the device reaches it.
    #[must_use]
    pub const fn ram(&self) -> &GuestRam {
        &self.setting.resources.ram
    }

    /// The files that the device hands to the guest.
    #[must_use]
    pub const fn files(&self) -> &Files {
        &self.setting.resources.files
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
        self.check_memories(image)?;
        let mut instance = image.instantiate(&Environment {
            slot: self.id,
            name: self.name.clone(),
            grants: self.grants.clone(),
            properties: self.properties(image),
            resources: self.resources.clone(),
            limits: self.limits,
        })?;
        self.media.tell(&mut instance)?;
        Ok(instance)
    }

    /// The blocks of memory are the slot's: another version finds those it wants.
    fn check_memories(&self, image: &Image) -> Result<(), Error> {
        let blocks: Vec<_> = self.resources.memories.iter().map(Block::size).collect();
        let wanted: Vec<_> = image.description().memories.iter().map(|m| m.size).collect();
        if blocks == wanted {
            return Ok(());
        }
        Err(Error::Unusable(format!(
            "declares blocks of memory of {wanted:?} bytes, where the slot has {blocks:?}"
        )))
    }
}

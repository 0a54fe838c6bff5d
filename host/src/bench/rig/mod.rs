//! One device, and a world around it that answers always alike.

mod drives;
mod neighbours;
mod perform;

use std::sync::Arc;

use vm_memory::{GuestAddress, GuestMemoryMmap};

use super::outcome::{Answer, Event, Outcome};
use crate::clock::Clock;
use crate::component::{
    Block, Effect, Effects, Error, Fault, GuestRam, Image, Limits, Outputs, Resources, SlotId,
    StateDescription, Told,
};
use crate::slot::{GivenProperty, Media, Setting, Slot};
use drives::Drives;

pub use neighbours::Cycle;
use neighbours::Neighbours;

/// Bytes of the guest's memory, from address 0 on.
pub const RAM: u64 = 1 << 20;

/// What is on the bench: a component and what it is configured with.
#[derive(Clone)]
pub struct Subject {
    /// The component.
    pub image: Image,
    /// Properties that do not have their defaults.
    pub properties: Vec<GivenProperty>,
    /// The files that it is to hand to the guest.
    pub files: Vec<(String, Vec<u8>)>,
    /// How much it may use.
    pub limits: Limits,
}

impl Subject {
    /// A component with the defaults of its properties, and the limits that it has in
    /// a machine.
    #[must_use]
    pub fn new(image: Image) -> Self {
        let (properties, files, limits) = (Vec::new(), Vec::new(), Limits::default());
        Self { image, properties, files, limits }
    }
}

/// A device in a slot, switched on. Around it are memory of a guest
/// ([`RAM`] bytes of zeros), media in its drives when an action puts them there,
/// neighbours on its buses, and time that passes when an action says so. What the
/// device does there is done, and told.
pub struct Rig {
    slot: Slot,
    clock: Arc<Clock>,
    neighbours: Arc<Neighbours>,
    drives: Drives,
    /// The deadline of each armed timer.
    timers: Vec<Option<u64>>,
    /// The level of each input line.
    inputs: Vec<bool>,
    /// What the device is answered in the next action, before its neighbours are asked.
    heard: Vec<Told>,
    effects: Effects,
    /// The fault of the call that was just made.
    fault: Option<Fault>,
    started: Outcome,
}

impl Rig {
    /// Plugs a device in and switches it on: configured and reset at time 0.
    ///
    /// # Errors
    /// The device cannot be plugged, or refuses its properties.
    pub fn new(subject: &Subject) -> Result<Self, Error> {
        let Subject { image, properties, files, limits } = subject;
        let description = image.description();
        let unusable = |reason: String| Error::Unusable(reason);
        let ram = GuestMemoryMmap::from_ranges(&[(GuestAddress(0), RAM as usize)])
            .map_err(|error| unusable(format!("no memory for a guest: {error}")))?;
        let blocks = description.memories.iter().map(|memory| Block::new(memory.size));
        let blocks = blocks.collect::<Result<Vec<_>, _>>().map_err(unusable)?;
        let mut files: Vec<_> = files.iter().map(|(n, d)| (n.clone(), Arc::from(&d[..]))).collect();
        files.sort_by(|(a, _), (b, _)| a.cmp(b));
        let neighbours = Arc::new(Neighbours::default());
        let setting = Setting {
            id: SlotId(0),
            name: "bench".into(),
            grants: image.imports().clone(),
            properties: properties.clone(),
            resources: Resources {
                children: neighbours.clone(),
                ram: GuestRam::new(ram),
                memories: blocks.into(),
                files: files.into(),
            },
            media: Arc::new(Media::new(vec![None; description.drives.len()])),
            limits: *limits,
        };
        let (clock, mut effects) = (Arc::new(Clock::manual()), Effects::new());
        let slot = Slot::plug(setting, clock.clone(), image, &mut effects)?;
        let mut rig = Self {
            slot,
            clock,
            neighbours,
            drives: Drives::new(description.drives.len()),
            timers: vec![None; description.timers.len()],
            inputs: vec![false; description.lines.len()],
            heard: Vec::new(),
            effects,
            fault: None,
            started: Outcome { events: Vec::new(), answer: Answer::Done },
        };
        let mut events = Vec::new();
        rig.apply(&mut events);
        rig.slot.reset(&mut rig.effects);
        rig.apply(&mut events);
        let answer = rig.fault.take().map_or(Answer::Done, Answer::Failed);
        rig.started = Outcome { events, answer };
        Ok(rig)
    }

    /// What the device did when it was plugged and switched on.
    #[must_use]
    pub const fn started(&self) -> &Outcome {
        &self.started
    }

    /// The component.
    #[must_use]
    pub fn image(&self) -> Image {
        self.slot.image()
    }

    /// The time, in nanoseconds.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.clock.now()
    }

    /// When the next timer expires.
    #[must_use]
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers.iter().flatten().min().copied()
    }

    /// How many requests to drives have not ended.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.drives.pending()
    }

    /// What the device says of its saved state.
    #[must_use]
    pub fn state_description(&self) -> Arc<StateDescription> {
        self.slot.state_description()
    }

    /// What the device drives.
    #[must_use]
    pub fn outputs(&self) -> Outputs {
        self.slot.outputs()
    }

    /// What the device did something to that it has not declared, if it did so since
    /// it was plugged or exchanged.
    #[must_use]
    pub fn undeclared(&self) -> Option<String> {
        self.slot.undeclared()
    }

    /// Whether the guest's memory and the device's blocks hold the same as another
    /// rig's.
    #[must_use]
    pub fn has_same_memory(&self, other: &Self) -> bool {
        let mut pages = [[0; 4096], [0; 4096]];
        let mut same = |size: u64, read: &dyn Fn(&Self, u64, &mut [u8])| {
            (0..size).step_by(4096).all(|at| {
                let [own, others] = &mut pages;
                read(self, at, own);
                read(other, at, others);
                own == others
            })
        };
        let memories = self.image().description().memories.len() as u32;
        same(RAM, &|rig, at, page| rig.slot.ram().read(at, page))
            && (0..memories).all(|number| {
                let size = self.slot.block(number).map_or(0, Block::size);
                same(size, &|rig, at, page| {
                    if let Some(block) = rig.slot.block(number) {
                        block.read(at, page);
                    }
                })
            })
    }

    /// Carries out what the last call of the device has led to.
    fn apply(&mut self, events: &mut Vec<Event>) {
        events.extend(self.neighbours.take().into_iter().map(Event::Cycle));
        let effects = std::mem::take(&mut self.effects);
        let number = effects.iter().find_map(|recorded| match recorded.effect {
            Effect::Faulted { number } => Some(number),
            _ => None,
        });
        if let Some(fault) = number.and_then(|number| self.slot.fault(number)) {
            // The others are its slot's, which brings all low.
            self.timers.fill(None);
            self.fault = Some(fault.fault.clone());
            return;
        }
        for recorded in effects {
            self.carry_out(&recorded.effect);
            events.push(Event::Effect(recorded.effect));
        }
    }

    fn carry_out(&mut self, effect: &Effect) {
        match effect {
            Effect::Arm { timer, deadline } => self.set_timer(*timer, Some(*deadline)),
            Effect::Disarm { timer } => self.set_timer(*timer, None),
            Effect::DmaWrite { address, data } => self.slot.ram().write(*address, data),
            Effect::CopyFile { file, offset, address, length } => {
                let file = self.slot.files().get(*file as usize);
                let data = file.map(|(_, data)| &data[..]).unwrap_or_default();
                let start = usize::try_from(*offset).unwrap_or(usize::MAX);
                let mut copied = data.get(start..).unwrap_or_default().to_vec();
                // No more than there is room for: a length is the device's word.
                copied.resize((*length as usize).min(RAM as usize), 0);
                self.slot.ram().write(*address, &copied);
            }
            Effect::Drive { drive, tag, request } => {
                self.drives.push(*drive, *tag, request.clone());
            }
            _ => {}
        }
    }

    fn set_timer(&mut self, timer: u32, deadline: Option<u64>) {
        if let Some(known) = self.timers.get_mut(timer as usize) {
            *known = deadline;
        }
    }
}

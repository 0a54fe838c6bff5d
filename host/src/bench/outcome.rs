//! What a device did when something happened to it.

use super::rig::Cycle;
use crate::component::{Asked, Effect, Fault, Section};

/// What came of an action: what the device did, in order, and its answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// What it did.
    pub events: Vec<Event>,
    /// What it answered.
    pub answer: Answer,
}

/// One thing that happened during an action.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An effect of the device.
    Effect(Effect),
    /// One of its timers expired; what it did then follows.
    Expired {
        /// The timer.
        timer: u32,
    },
    /// A request to one of its drives ended; what it did then follows.
    Completed {
        /// The drive.
        drive: u32,
        /// The device's mark.
        tag: u32,
    },
    /// It reached a device on a bus that it carries.
    Cycle(Cycle),
    /// It asked something else than it was to hear of.
    Asked(Asked),
    /// A section of the state it saved.
    Section(Saved),
}

/// A section of a saved state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Its contents.
    pub data: Vec<u8>,
}

/// How an action ended.
#[derive(Clone, Debug)]
pub enum Answer {
    /// There is nothing to say.
    Done,
    /// A number.
    Value(u64),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A picture.
    Picture {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The pixels.
        pixels: Vec<u8>,
    },
    /// Lines of text.
    Text(Vec<String>),
    /// The device refused what was asked of it, and goes on as before.
    Refused(String),
    /// The call failed. A device that is asked to load a state fails alone; else the
    /// one in the slot is out of service.
    Failed(Fault),
}

impl PartialEq for Answer {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Done, Self::Done) => true,
            (Self::Value(a), Self::Value(b)) => a == b,
            (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Refused(a), Self::Refused(b)) => a == b,
            (
                Self::Picture { width: aw, height: ah, pixels: a },
                Self::Picture { width: bw, height: bh, pixels: b },
            ) => (aw, ah, a) == (bw, bh, b),
            // Where in its code a device fails is not what a machine sees.
            (Self::Failed(a), Self::Failed(b)) => (a.export, &a.reason) == (b.export, &b.reason),
            _ => false,
        }
    }
}

impl Outcome {
    /// The fault in which the action ended.
    #[must_use]
    pub const fn fault(&self) -> Option<&Fault> {
        match &self.answer {
            Answer::Failed(fault) => Some(fault),
            _ => None,
        }
    }

    /// The sections of the state that the action saved.
    #[must_use]
    pub fn sections(&self) -> Vec<Section> {
        let saved = self.events.iter().filter_map(|event| match event {
            Event::Section(Saved { name, version, data }) => {
                Some(Section { name: name.clone(), version: *version, data: data.clone() })
            }
            _ => None,
        });
        saved.collect()
    }

    /// Whether the device did anything.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        !self.events.iter().any(|event| matches!(event, Event::Effect(_) | Event::Cycle(_)))
    }
}

impl From<Section> for Saved {
    fn from(Section { name, version, data }: Section) -> Self {
        Self { name, version, data }
    }
}

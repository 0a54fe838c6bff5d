//! The host's side of a device's imports.

mod buses;
mod children;
mod effects;
mod memory;
mod rate;
mod storage;
mod tape;

use std::fmt;
use std::sync::Arc;

use wasmtime::{StoreLimits, StoreLimitsBuilder};

use super::bindings::device_component::southbridge::device as contract;
use super::limits as most;
use super::{BusKind, Effect, Effects, Limits, Outputs, Recorded, Resources, SlotId};
use crate::log_limit::LogLimit;

pub use children::{Children, NoChildren};
pub use tape::{Afterwards, Asked, Question, Reply, Told};

use rate::Rate;
use tape::Tape;

/// What the store of a device holds: the world outside its sandbox.
pub(super) struct Outside {
    slot: SlotId,
    /// Shown with the device's messages.
    name: Arc<str>,
    pub(super) limits: StoreLimits,
    pub(super) effects: Effects,
    pub(super) outputs: Outputs,
    pub(super) sequence: u64,
    /// Effects that named something the device did not declare.
    pub(super) violations: u64,
    /// What the first of them named.
    pub(super) undeclared: Option<String>,
    /// Most effects the device may leave behind in a call.
    most_effects: usize,
    /// Bytes that the effects of this call carry.
    payload: usize,
    /// Whether it wanted more in this call.
    pub(super) flooded: bool,
    /// The kinds of its buses.
    buses: Vec<BusKind>,
    resources: Resources,
    messages: LogLimit,
    tape: Tape,
    pub(super) expiries: Rate,
    pub(super) interrupts: Rate,
    /// Whether there were more interrupts than there may be.
    pub(super) stormed: bool,
    /// The time of the call, in nanoseconds.
    pub(super) now: u64,
}

impl Outside {
    pub(super) fn new(
        slot: SlotId,
        name: Arc<str>,
        limits: &Limits,
        outputs: Outputs,
        buses: Vec<BusKind>,
        resources: Resources,
    ) -> Self {
        let store_limits = StoreLimitsBuilder::new()
            .memory_size(limits.memory)
            // Else the device would see -1, and trap in its allocator for a
            // reason that says nothing.
            .trap_on_grow_failure(true)
            .table_elements(limits.table)
            .instances(most::INSTANCES as usize)
            .memories(most::MEMORIES as usize)
            .tables(most::TABLES as usize)
            .build();
        let messages = LogLimit::new(name.clone(), limits.messages);
        Self {
            slot,
            name,
            limits: store_limits,
            // Room for what an ordinary call does, so that it does not allocate.
            effects: Effects::with_capacity(16),
            outputs,
            sequence: 0,
            violations: 0,
            undeclared: None,
            most_effects: limits.effects,
            payload: 0,
            flooded: false,
            buses,
            resources,
            messages,
            tape: Tape::Off,
            expiries: Rate::new(limits.timers),
            interrupts: Rate::new(limits.interrupts),
            stormed: false,
            now: 0,
        }
    }

    fn record(&mut self, effect: Effect) {
        let interrupts = self.interrupts_with(&effect);
        let payload = self.payload.saturating_add(effect.payload());
        match self.outputs.take(&effect) {
            Some(true) if interrupts && !self.interrupts.allow(self.now) => self.stormed = true,
            Some(true) if self.effects.len() >= self.most_effects || payload > most::PAYLOAD => {
                self.flooded = true;
            }
            Some(true) => {
                self.payload = payload;
                self.sequence += 1;
                let Self { slot, sequence, .. } = *self;
                self.effects.push(Recorded { slot, sequence, effect });
            }
            Some(false) => {}
            None => self.violate(&effect),
        }
    }

    /// Whether an effect is an interrupt, or the end of one. Lines that stay as they are
    /// are none.
    fn interrupts_with(&self, effect: &Effect) -> bool {
        match *effect {
            Effect::Line { line, level } => {
                self.outputs.lines.get(line as usize).is_some_and(|known| *known != level)
            }
            Effect::Message { .. } => true,
            _ => false,
        }
    }

    /// Moves the effects recorded since the last time to the end of `effects`.
    pub(super) fn take_effects(&mut self, effects: &mut Effects) {
        self.payload = 0;
        effects.append(&mut self.effects);
    }

    /// Counts something that names what the device did not declare.
    fn violate(&mut self, what: &dyn fmt::Debug) {
        self.violations += 1;
        if self.violations == 1 {
            self.undeclared = Some(format!("{what:?}"));
            tracing::warn!(device = &*self.name, ?what, "effect on something undeclared");
        }
    }

    /// How many messages of the device were dropped because it had too many.
    pub(super) const fn messages_dropped(&self) -> u64 {
        self.messages.dropped()
    }

    /// Whether the device has such a bus; it is counted if not.
    fn has_bus(&mut self, bus: u32, kind: BusKind) -> bool {
        let has = self.buses.get(bus as usize) == Some(&kind);
        if !has {
            self.violate(&format_args!("{kind:?} bus {bus}"));
        }
        has
    }
}

impl contract::types::Host for Outside {}
impl contract::state::Host for Outside {}

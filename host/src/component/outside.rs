//! The host's side of a device's imports.

use std::fmt;
use std::sync::Arc;

use wasmtime::{StoreLimits, StoreLimitsBuilder};

use super::bindings::device_component::southbridge::device as contract;
use super::limits as most;
use super::message::Message;
use super::{
    BusKind, Effect, Effects, Limits, Mode, Outputs, Recorded, Request, SlotId, WakeupReason,
};
use crate::log_limit::LogLimit;

/// How a device reaches the devices on the buses it carries. What they do goes
/// into the caller's effects.
pub trait Children: Send + Sync {
    /// `pci-bus.read`
    fn pci_read(&self, bus: u32, devfn: u8, offset: u16, size: u8, effects: &mut Effects) -> u32;
    /// `pci-bus.write`
    fn pci_write(
        &self,
        bus: u32,
        devfn: u8,
        offset: u16,
        size: u8,
        value: u32,
        effects: &mut Effects,
    );
    /// `i2c-bus.start`
    fn i2c_start(&self, bus: u32, address: u8, read: bool, effects: &mut Effects) -> bool;
    /// `i2c-bus.send`
    fn i2c_send(&self, bus: u32, address: u8, byte: u8, effects: &mut Effects) -> bool;
    /// `i2c-bus.receive`
    fn i2c_receive(&self, bus: u32, address: u8, effects: &mut Effects) -> u8;
    /// `i2c-bus.nack`
    fn i2c_nack(&self, bus: u32, address: u8, effects: &mut Effects);
    /// `i2c-bus.stop`
    fn i2c_stop(&self, bus: u32, address: u8, effects: &mut Effects);
}

/// For a device that carries no bus: nobody answers.
pub struct NoChildren;

impl Children for NoChildren {
    fn pci_read(&self, _: u32, _: u8, _: u16, _: u8, _: &mut Effects) -> u32 {
        u32::MAX
    }

    fn pci_write(&self, _: u32, _: u8, _: u16, _: u8, _: u32, _: &mut Effects) {}

    fn i2c_start(&self, _: u32, _: u8, _: bool, _: &mut Effects) -> bool {
        false
    }

    fn i2c_send(&self, _: u32, _: u8, _: u8, _: &mut Effects) -> bool {
        false
    }

    fn i2c_receive(&self, _: u32, _: u8, _: &mut Effects) -> u8 {
        0xff
    }

    fn i2c_nack(&self, _: u32, _: u8, _: &mut Effects) {}

    fn i2c_stop(&self, _: u32, _: u8, _: &mut Effects) {}
}

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
    /// Most effects the device may leave behind in a call.
    most_effects: usize,
    /// Whether it wanted more in this call.
    pub(super) flooded: bool,
    /// The kinds of its buses.
    buses: Vec<BusKind>,
    children: Arc<dyn Children>,
    messages: LogLimit,
}

impl Outside {
    pub(super) fn new(
        slot: SlotId,
        name: Arc<str>,
        limits: &Limits,
        outputs: Outputs,
        buses: Vec<BusKind>,
        children: Arc<dyn Children>,
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
            most_effects: limits.effects,
            flooded: false,
            buses,
            children,
            messages,
        }
    }

    fn record(&mut self, effect: Effect) {
        match self.outputs.take(effect) {
            Some(true) if self.effects.len() >= self.most_effects => self.flooded = true,
            Some(true) => {
                self.sequence += 1;
                let Self { slot, sequence, .. } = *self;
                self.effects.push(Recorded { slot, sequence, effect });
            }
            Some(false) => {}
            None => self.violate(&effect),
        }
    }

    /// Counts something that names what the device did not declare.
    fn violate(&mut self, what: &dyn fmt::Debug) {
        self.violations += 1;
        if self.violations == 1 {
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

impl contract::lines::Host for Outside {
    fn set(&mut self, line: u32, level: bool) {
        self.record(Effect::Line { line, level });
    }
}

impl contract::regions::Host for Outside {
    fn map(&mut self, region: u32, base: u64, priority: u8) {
        self.record(Effect::Map { region, base, priority });
    }

    fn unmap(&mut self, region: u32) {
        self.record(Effect::Unmap { region });
    }
}

impl contract::timers::Host for Outside {
    fn arm(&mut self, timer: u32, deadline: u64) {
        self.record(Effect::Arm { timer, deadline });
    }

    fn disarm(&mut self, timer: u32) {
        self.record(Effect::Disarm { timer });
    }
}

impl contract::log::Host for Outside {
    fn write(&mut self, level: contract::log::Level, message: String) {
        use contract::log::Level;
        let (device, message) = (&*self.name, Message(&message));
        let messages = &mut self.messages;
        // What nobody wants to see counts for nothing.
        macro_rules! log {
            ($level:ident) => {
                if tracing::enabled!(target: "device", tracing::Level::$level) && messages.pass() {
                    tracing::event!(
                        target: "device", tracing::Level::$level, device, "{message}"
                    );
                }
            };
        }
        match level {
            Level::Error => log!(ERROR),
            Level::Warn => log!(WARN),
            Level::Info => log!(INFO),
            Level::Debug => log!(DEBUG),
            Level::Trace => log!(TRACE),
        }
    }
}

impl contract::power::Host for Outside {
    fn ask(&mut self, request: Request) {
        self.record(Effect::Power(request));
    }

    fn exit(&mut self, status: u8) {
        self.record(Effect::Exit { status });
    }

    fn enable_wakeup(&mut self, reason: WakeupReason, enabled: bool) {
        self.record(Effect::EnableWakeup { reason, enabled });
    }

    fn wake(&mut self, reason: WakeupReason) {
        self.record(Effect::Wake(reason));
    }
}

impl contract::streams::Host for Outside {
    fn put(&mut self, stream: u32, byte: u8) {
        self.record(Effect::Put { stream, byte });
    }

    fn ready(&mut self, stream: u32) {
        self.record(Effect::Ready { stream });
    }
}

impl contract::ram_windows::Host for Outside {
    fn set(&mut self, window: u32, mode: Mode) {
        self.record(Effect::Window { window, mode });
    }
}

impl contract::pci_bus::Host for Outside {
    fn read(&mut self, bus: u32, devfn: u8, offset: u16, size: u8) -> u32 {
        if !self.has_bus(bus, BusKind::Pci) {
            return u32::MAX;
        }
        self.children.pci_read(bus, devfn, offset, size, &mut self.effects)
    }

    fn write(&mut self, bus: u32, devfn: u8, offset: u16, size: u8, value: u32) {
        if self.has_bus(bus, BusKind::Pci) {
            self.children.pci_write(bus, devfn, offset, size, value, &mut self.effects);
        }
    }
}

impl contract::i2c_bus::Host for Outside {
    fn start(&mut self, bus: u32, address: u8, read: bool) -> bool {
        self.has_bus(bus, BusKind::I2c)
            && self.children.i2c_start(bus, address, read, &mut self.effects)
    }

    fn send(&mut self, bus: u32, address: u8, byte: u8) -> bool {
        self.has_bus(bus, BusKind::I2c)
            && self.children.i2c_send(bus, address, byte, &mut self.effects)
    }

    fn receive(&mut self, bus: u32, address: u8) -> u8 {
        if !self.has_bus(bus, BusKind::I2c) {
            return 0xff;
        }
        self.children.i2c_receive(bus, address, &mut self.effects)
    }

    fn nack(&mut self, bus: u32, address: u8) {
        if self.has_bus(bus, BusKind::I2c) {
            self.children.i2c_nack(bus, address, &mut self.effects);
        }
    }

    fn stop(&mut self, bus: u32, address: u8) {
        if self.has_bus(bus, BusKind::I2c) {
            self.children.i2c_stop(bus, address, &mut self.effects);
        }
    }
}

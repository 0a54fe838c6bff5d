//! A machine: devices in slots, wired as a machine file says.
//!
//! [`Plan`] turns a machine type into a list of components that fit together;
//! [`Machine::build`] plugs them in. From then on every access, line change and
//! timer goes through [`Machine`], which is the one place that applies effects:
//! it turns what devices record into line changes, moved regions, armed timers,
//! bytes on streams and power requests.

mod apply;
mod backends;
mod board;
mod build;
mod components;
mod directory;
mod door;
mod driven;
mod drives;
mod error;
mod exchange;
pub mod file;
mod firmware;
mod interrupts;
mod load;
mod look;
mod media;
mod observe;
mod optional;
mod pci;
mod person;
mod plan;
mod power;
mod recording;
mod request;
mod state;
mod stream;
mod timers;
mod wiring;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::bus::AddressSpace;
use crate::clock::Clock;
use crate::component::{Effects, SlotId};
use crate::slot::Slot;

pub use backends::Backends;
pub use board::{Board, Unconnected, WINDOW_RANGE};
pub(crate) use components::Components;
pub use door::MachineDoor;
pub use drives::MachineDrive;
pub use error::Error;
pub(crate) use load::DeviceMemory;
pub use load::{Loading, NotLoaded, Pin};
pub use look::{Part, Reason, Window};
pub use media::{DriveKind, GivenDrive, HostDrive, ImageName, Inserted, Opened};
pub use observe::{DeviceEvent, DeviceListener};
pub use pci::{PciBar, PciBus, PciFunction};
pub use plan::Plan;
pub use power::{PowerEvent, PowerListener, Wakeups};
pub use request::DeviceRequest;
pub use state::{DescribedSlot, SavedSlot};
pub use stream::{Capture, Stream, StreamInput};

use driven::Driven;
use file::{MemoryLayout, Migration, Parameters, PortWrite, PropertyPath};
use interrupts::Interrupts;
use observe::Listeners;
use optional::Optional;
use person::Typing;
use plan::Planned;
use timers::Timers;
use wiring::Wires;

/// A machine without processors: what a processor, a test or a replay reaches
/// its devices through.
pub struct Machine {
    name: String,
    parameters: Parameters,
    memory_layout: MemoryLayout,
    migration: Migration,
    /// The options of the machine in QEMU that are properties of devices.
    options: BTreeMap<String, PropertyPath>,
    /// The devices as they were planned, one for each slot.
    planned: Vec<Planned>,
    /// For each slot where it sits on PCI, as saved state names it.
    paths: Vec<Option<String>>,
    /// The devices it could have besides.
    optional: Vec<Optional>,
    /// Held by whoever replaces devices, so that a load and a swap do not mix.
    exchange: Mutex<()>,
    /// The stream the devices were loaded from: what no device of this machine
    /// holds is written back from it.
    origin: Mutex<Option<Arc<vmstate::Stream>>>,
    slots: Vec<Arc<Slot>>,
    /// The slots in the order in which a system reset reaches them.
    reset_order: Vec<Arc<Slot>>,
    ports: AddressSpace,
    memory: AddressSpace,
    wires: Wires,
    interrupts: Interrupts,
    /// What firmware would have written to ports before it starts a kernel.
    without_firmware: Vec<PortWrite>,
    /// The slot of the device that has files for firmware.
    firmware_files: Option<usize>,
    driven: Vec<Driven>,
    /// For each slot the number of its first RAM window on the board.
    windows: Vec<usize>,
    /// For each slot the number of its first block of memory on the board.
    blocks: Vec<usize>,
    /// What the board was told last of claims.
    claims: Mutex<Vec<Range<u64>>>,
    streams: Vec<Vec<Arc<Stream>>>,
    drives: OnceLock<Vec<MachineDrive>>,
    timers: Arc<Timers>,
    typing: Typing,
    clock: Arc<Clock>,
    board: Arc<dyn Board>,
    power: PowerListener,
    wakeups: Wakeups,
    listeners: Listeners,
}

impl Machine {
    /// The machine type's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the devices have learnt of the machine.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// Where its RAM lies.
    #[must_use]
    pub const fn memory_layout(&self) -> &MemoryLayout {
        &self.memory_layout
    }

    /// What the machine's saved stream contains besides devices.
    #[must_use]
    pub const fn migration(&self) -> &Migration {
        &self.migration
    }

    /// The I/O ports.
    #[must_use]
    pub const fn ports(&self) -> &AddressSpace {
        &self.ports
    }

    /// Physical memory, as far as devices answer there.
    #[must_use]
    pub const fn memory(&self) -> &AddressSpace {
        &self.memory
    }

    /// The machine's clock.
    #[must_use]
    pub const fn clock(&self) -> &Arc<Clock> {
        &self.clock
    }

    /// Reads `size` (1, 2, 4 or 8) ports.
    pub fn port_read(&self, port: u16, size: u8, effects: &mut Effects) -> u64 {
        let value = self.ports.read(port.into(), size, effects);
        self.apply(effects);
        value
    }

    /// Writes `size` (1, 2, 4 or 8) ports.
    pub fn port_write(&self, port: u16, size: u8, value: u64, effects: &mut Effects) {
        self.ports.write(port.into(), size, value, effects);
        self.apply(effects);
    }

    /// Reads `size` (1, 2, 4 or 8) bytes of memory where devices answer.
    pub fn memory_read(&self, address: u64, size: u8, effects: &mut Effects) -> u64 {
        let value = self.memory.read(address, size, effects);
        self.apply(effects);
        value
    }

    /// Writes `size` (1, 2, 4 or 8) bytes of memory where devices answer.
    pub fn memory_write(&self, address: u64, size: u8, value: u64, effects: &mut Effects) {
        self.memory.write(address, size, value, effects);
        self.apply(effects);
    }

    /// A processor acknowledges its interrupt pin: the vector of the controller that
    /// drives it. None if no device is one.
    pub fn acknowledge_interrupt(&self, effects: &mut Effects) -> Option<u8> {
        let controller = self.slots.get(self.interrupts.controller?)?;
        let vector = controller.acknowledge(effects);
        self.apply(effects);
        vector
    }

    /// A processor has ended a level-triggered interrupt: tells the controllers that
    /// want to know.
    pub fn end_interrupt(&self, vector: u8, effects: &mut Effects) {
        for slot in self.interrupts.ends.iter().filter_map(|slot| self.slots.get(*slot)) {
            slot.interrupt_ended(vector, effects);
            self.apply(effects);
        }
    }

    fn exchanging(&self) -> MutexGuard<'_, ()> {
        self.exchange.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slot(&self, name: &str) -> Result<&Arc<Slot>, Error> {
        let found = self.slots.iter().find(|slot| &**slot.name() == name);
        found.ok_or_else(|| Error::NoSlot {
            name: name.into(),
            slots: self.slots.iter().map(|slot| slot.name().to_string()).collect(),
        })
    }

    fn by_id(&self, id: SlotId) -> Option<&Arc<Slot>> {
        self.slots.get(id.0 as usize)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.timers.stop();
    }
}

//! A guest: a machine's devices, and processors that run on them.
//!
//! [`Guest::start`] puts both together and [`Guest::run`] lives through what
//! the guest does to itself: resets, suspends, switches itself off.

mod board;
mod boot;
mod error;
mod lifecycle;

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::machine::{Machine, MachineDoor, Plan, PowerEvent, Stream};
use crate::vm::{Config as VmConfig, InterruptController, Memory, Platform, RamLayout, RamWindow};
use crate::vm::{Vm, VmEvent};

pub use boot::Boot;
pub use error::Error;
pub use lifecycle::{Outcome, RunState};

use board::KvmBoard;

/// What a guest is started with, besides its machine's devices.
pub struct Setup {
    /// Processors, 1 to 8.
    pub cpus: u32,
    /// How much RAM, and where.
    pub ram: RamLayout,
    /// Whether the kernel provides the interrupt controllers and the PIT.
    pub interrupts: InterruptController,
    /// What the boot processor starts with.
    pub boot: Boot,
    /// The host's streams by name.
    pub streams: BTreeMap<String, Arc<Stream>>,
}

/// Something that whoever runs the guest has to see to.
#[derive(Debug)]
pub(crate) enum Event {
    Power(PowerEvent),
    Vm(VmEvent),
    /// Somebody outside wants the guest to end.
    Quit,
}

/// What happens in a guest, in order; for [`Guest::run`].
pub struct Events(Receiver<Event>);

/// A machine with processors. It starts paused.
pub struct Guest {
    machine: Arc<Machine>,
    vm: Vm,
    boot: Boot,
    events: Sender<Event>,
    state: Mutex<RunState>,
}

impl Guest {
    /// Builds a planned machine with processors, loads what it boots and stops
    /// before the first instruction.
    ///
    /// # Errors
    /// KVM or the host's memory is not available, a device cannot be plugged in,
    /// or the boot image is not bootable.
    pub fn start(plan: &Plan, setup: Setup) -> Result<(Arc<Self>, Events), Error> {
        let Setup { cpus, ram, interrupts, boot, streams } = setup;
        let windows = plan.windows().map(|window| {
            let (base, size) = (window.base, window.size);
            RamWindow { base, size }
        });
        let platform = Platform::new(&VmConfig {
            cpus: cpus as usize,
            ram,
            windows: windows.collect(),
            rom: boot.rom().cloned(),
            interrupts,
        })?;
        let board = KvmBoard::new(platform.memory().clone(), platform.interrupts().clone());

        let (events, received) = channel();
        let clock = Arc::new(Clock::new());
        let told = events.clone();
        // Nobody receives any more when the guest is being taken down.
        let power = Arc::new(move |event| drop(told.send(Event::Power(event))));
        let machine = Machine::build(plan, clock, Arc::new(board), &streams, power)?;
        let door = Arc::new(MachineDoor::new(machine.clone()));
        let told = events.clone();
        let listener = Arc::new(move |event| drop(told.send(Event::Vm(event))));
        let vm = Vm::start(platform, door, listener)?;
        machine.start_timers().map_err(Error::Thread)?;

        let entry = boot.load(vm.memory())?;
        vm.reset(&entry)?;
        let guest = Self { machine, vm, boot, events, state: Mutex::default() };
        Ok((Arc::new(guest), Events(received)))
    }

    /// The machine's devices.
    #[must_use]
    pub const fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// The guest's memory.
    #[must_use]
    pub fn memory(&self) -> &Arc<Memory> {
        self.vm.memory()
    }

    /// How many processors there are.
    #[must_use]
    pub fn cpus(&self) -> usize {
        self.vm.cpus()
    }

    /// How often all processors together have left the guest for an access to a
    /// device.
    #[must_use]
    pub fn exits(&self) -> u64 {
        let counts = (0..self.vm.cpus()).filter_map(|cpu| self.vm.exits(cpu).ok());
        counts.map(|counts| counts.port + counts.memory).sum()
    }
}

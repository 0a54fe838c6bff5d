//! A machine on KVM.

use std::sync::Arc;

use super::board::KvmBoard;
use super::{Boot, Error, Post, Processors, Setup};
use crate::clock::Clock;
use crate::machine::{Machine, MachineDoor, Plan};
use crate::migrate::{Blocks, ProcessorForm};
use crate::vm::{
    Config as VmConfig, CpuState, InterruptController, Platform, RamWindow, Vm, VmState,
};

/// A machine whose processors are KVM's.
pub(super) struct Kvm {
    machine: Arc<Machine>,
    blocks: Arc<Blocks>,
    vm: Vm,
    boot: Boot,
}

impl Kvm {
    /// Builds a planned machine, loads what it boots and stops before the first
    /// instruction.
    pub(super) fn new(plan: &Plan, setup: Setup, post: &Post) -> Result<Self, Error> {
        let Setup { cpus, ram, interrupts, boot, backends } = setup;
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
        let clock = Arc::new(Clock::new());
        let power = post.power(Some(platform.hold()));
        let machine = Machine::build(plan, clock, Arc::new(board), &backends, power)?;
        let door = Arc::new(MachineDoor::new(machine.clone()));
        let vm = Vm::start(platform, door, post.vm())?;
        machine.start_timers().map_err(Error::Thread)?;

        let blocks = Arc::new(Blocks::of(vm.memory()));
        let kvm = Self { machine, blocks, vm, boot };
        kvm.reset()?;
        Ok(kvm)
    }
}

impl Processors for Kvm {
    fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    fn firmware_len(&self) -> u64 {
        self.vm.memory().roms().firmware_len()
    }

    fn threads(&self) -> Vec<u32> {
        self.vm.thread_ids().to_vec()
    }

    fn start(&self) {
        self.machine.start_clock();
        self.vm.resume();
    }

    fn stop(&self) {
        self.vm.pause();
        self.machine.stop_clock();
    }

    fn suspend(&self) {
        self.vm.pause();
    }

    fn still(&self, action: &mut dyn FnMut(&Machine)) {
        action(&self.machine);
    }

    fn state_of(&self, cpu: usize) -> Result<Option<CpuState>, Error> {
        let state = (cpu < self.vm.cpus()).then(|| self.vm.state(cpu));
        Ok(state.transpose()?)
    }

    fn reset(&self) -> Result<(), Error> {
        let entry = self.boot.load(&self.machine, self.vm.memory())?;
        Ok(self.vm.reset(&entry)?)
    }

    fn end(&self) {
        self.vm.stop();
    }

    fn exits(&self) -> u64 {
        let counts = (0..self.vm.cpus()).filter_map(|cpu| self.vm.exits(cpu).ok());
        counts.map(|counts| counts.port + counts.memory).sum()
    }

    fn form(&self) -> Option<ProcessorForm> {
        let controller = self.vm.interrupts().controller();
        Some(ProcessorForm {
            cpus: self.vm.cpus(),
            apics: controller != InterruptController::None,
            chips: controller == InterruptController::Kernel,
        })
    }

    fn save(&self) -> Result<Option<VmState>, Error> {
        Ok(Some(self.vm.save()?))
    }

    fn load(&self, state: &VmState) -> Result<(), Error> {
        Ok(self.vm.load(state)?)
    }
}

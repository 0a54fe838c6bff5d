//! The life of a machine: created, paused, running, paused again, reset,
//! stopped.
//!
//! A machine starts paused. [`Vm::resume`] lets its processors run;
//! [`Vm::pause`] returns once each is parked: outside the guest, outside any
//! call of the [`Door`], its last access complete, its registers those between
//! two instructions. Only then can [`Vm::reset`] put the processors and the
//! kernel's interrupt controllers to their power-on state. [`Vm::stop`] ends
//! the threads; a stopped machine stays stopped.
//!
//! A processor that cannot go on (a triple fault, an error of KVM) tells the
//! [`Listener`] and parks; the others run on. A reset revives it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use kvm_bindings::kvm_clock_data;

use super::boot::Entry;
use super::control::Control;
use super::door::Door;
use super::sync::lock;
use super::vcpu::{ExitCounts, Exits, Shared, Vcpu};
use super::{CpuState, Error, Interrupts, Memory, Platform, VmState};

/// Something that ended a processor's run. `cpu` counts from 0.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VmEvent {
    /// The processor shut down: an exception while a double fault was
    /// delivered. On a PC this resets the machine.
    TripleFault {
        /// Which processor.
        cpu: usize,
    },
    /// KVM cannot run what the guest wants to run.
    InternalError {
        /// Which processor.
        cpu: usize,
        /// What KVM says of it, and where.
        detail: String,
    },
    /// The hardware refused the processor's state.
    EntryFailed {
        /// Which processor.
        cpu: usize,
        /// The hardware's reason code.
        reason: u64,
    },
    /// A call of the door panicked. The processor's thread has ended and cannot
    /// be revived.
    Panicked {
        /// Which processor.
        cpu: usize,
        /// The panic's message.
        message: String,
    },
}

/// Who is told of events: called on the vCPU's thread, with no lock of this
/// room held. Like a call of the door, it must not pause, reset or stop the
/// machine itself.
pub type Listener = Arc<dyn Fn(VmEvent) + Send + Sync>;

/// A machine with its processors.
///
/// `resume`, `pause`, `reset` and `stop` may be called by any thread but the
/// vCPUs'; calls at the same time take turns.
pub struct Vm {
    platform: Platform,
    control: Arc<Control>,
    exits: Vec<Arc<Exits>>,
    /// The ids of the processors' threads in the kernel.
    thread_ids: Vec<u32>,
    /// Set by the first `stop`.
    stopped: AtomicBool,
    /// Held during each change of the run state.
    change: Mutex<()>,
}

impl Vm {
    /// Creates the processors in their power-on state, each with its thread,
    /// paused.
    ///
    /// # Errors
    ///
    /// KVM refuses, or a thread cannot be started.
    pub fn start(
        platform: Platform,
        door: Arc<dyn Door>,
        listener: Listener,
    ) -> Result<Self, Error> {
        let control = platform.control.clone();
        let shared = Shared {
            door,
            listener,
            control: control.clone(),
            gate: platform.gate.clone(),
            memory: platform.memory.clone(),
            interrupts: platform.interrupts.clone(),
        };
        let exits: Vec<Arc<Exits>> = (0..platform.cpus).map(|_| Arc::default()).collect();
        let vcpus = exits
            .iter()
            .enumerate()
            .map(|(cpu, exits)| Vcpu::new(&platform, cpu, exits.clone(), shared.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        let mut vm = Self {
            platform,
            control,
            exits,
            thread_ids: Vec::new(),
            stopped: AtomicBool::new(false),
            change: Mutex::new(()),
        };
        for (cpu, vcpu) in vcpus.into_iter().enumerate() {
            // A thread that cannot be started drops `vm`, which ends the rest.
            let thread = thread::Builder::new()
                .name(format!("vcpu{cpu}"))
                .spawn(move || vcpu.run())
                .map_err(|source| Error::Thread { cpu, source })?;
            vm.platform.threads.push(thread);
        }
        let id = |_: &mut Vcpu| rustix::thread::gettid().as_raw_nonzero().get().unsigned_abs();
        let ids = (0..vm.cpus()).map(|cpu| vm.on_thread(cpu, id));
        vm.thread_ids = ids.collect::<Result<_, _>>()?;
        Ok(vm)
    }

    /// The machine's memory.
    pub fn memory(&self) -> &Arc<Memory> {
        &self.platform.memory
    }

    /// The machine's interrupt lines.
    pub fn interrupts(&self) -> &Arc<Interrupts> {
        &self.platform.interrupts
    }

    /// How many processors there are.
    pub fn cpus(&self) -> usize {
        self.platform.cpus
    }

    /// The ids of the processors' threads in the kernel, as `gettid` returns them.
    pub fn thread_ids(&self) -> &[u32] {
        &self.thread_ids
    }

    /// Lets the processors run. No effect on a machine that runs or is stopped.
    pub fn resume(&self) {
        let _change = lock(&self.change);
        self.control.resume();
    }

    /// Pauses the machine; returns when every processor is parked. No effect on
    /// a machine that is paused.
    pub fn pause(&self) {
        let _change = lock(&self.change);
        self.control.pause();
    }

    /// Whether the machine runs.
    pub fn is_running(&self) -> bool {
        self.control.is_running()
    }

    /// Puts processors and the kernel's interrupt controllers to their power-on
    /// state, with the boot processor at `entry`. Memory, RAM windows and line
    /// levels stay as they are.
    ///
    /// # Errors
    ///
    /// The machine is not paused, a processor's thread has panicked, or KVM
    /// refuses.
    pub fn reset(&self, entry: &Entry) -> Result<(), Error> {
        let _change = lock(&self.change);
        for cpu in 0..self.cpus() {
            let entry = entry.clone();
            self.on_thread(cpu, move |vcpu| vcpu.reset(&entry))??;
        }
        self.platform.interrupts.reset()
    }

    /// What the registers of a processor hold.
    ///
    /// # Errors
    ///
    /// There is no such processor, the machine is not paused, or KVM refuses.
    pub fn state(&self, cpu: usize) -> Result<CpuState, Error> {
        let _change = lock(&self.change);
        if cpu >= self.cpus() {
            return Err(Error::NoSuchCpu { cpu, count: self.cpus() });
        }
        self.on_thread(cpu, |vcpu| vcpu.state())?
    }

    /// All that processors and the kernel's chips hold.
    ///
    /// # Errors
    ///
    /// The machine is not paused, or KVM refuses.
    pub fn save(&self) -> Result<VmState, Error> {
        let _change = lock(&self.change);
        let processors = (0..self.cpus()).map(|cpu| self.on_thread(cpu, |vcpu| vcpu.save())?);
        let processors = processors.collect::<Result<_, _>>()?;
        let chips = self.platform.interrupts.save()?;
        let clock = self.platform.vm.get_clock().map_err(Error::kvm("read the guests' clock"))?;
        Ok(VmState { processors, chips, messages: Vec::new(), clock: clock.clock })
    }

    /// Makes processors and the kernel's chips hold this. The chips' lines keep their
    /// levels, which are the devices' to say.
    ///
    /// # Errors
    ///
    /// The state has another number of processors, the machine is not paused, or KVM
    /// refuses: the machine must be reset before it runs, then.
    pub fn load(&self, state: &VmState) -> Result<(), Error> {
        let _change = lock(&self.change);
        let (found, count) = (state.processors.len(), self.cpus());
        if found != count {
            return Err(Error::OtherCpuCount { found, count });
        }
        for (cpu, processor) in state.processors.iter().enumerate() {
            let processor = processor.clone();
            self.on_thread(cpu, move |vcpu| vcpu.load(&processor))??;
        }
        if let Some(chips) = &state.chips {
            self.platform.interrupts.load(chips)?;
        }
        for &(address, data) in &state.messages {
            self.platform.interrupts.expect_message(address, data)?;
        }
        let clock = kvm_clock_data { clock: state.clock, ..Default::default() };
        self.platform.vm.set_clock(&clock).map_err(Error::kvm("set the guests' clock"))
    }

    /// Stops the machine for good; returns when every thread has ended.
    pub fn stop(&self) {
        let _change = lock(&self.change);
        if !self.stopped.swap(true, Ordering::Relaxed) {
            self.control.stop();
            self.platform.threads.join();
        }
    }

    /// How often a processor has left the guest.
    ///
    /// # Errors
    ///
    /// There is no such processor.
    pub fn exits(&self, cpu: usize) -> Result<ExitCounts, Error> {
        let exits = self.exits.get(cpu).ok_or(Error::NoSuchCpu { cpu, count: self.exits.len() })?;
        Ok(exits.counts())
    }

    /// Has a parked vCPU's own thread do `work` and waits for the result: KVM
    /// wants its requests from the thread that runs the vCPU.
    fn on_thread<R: Send + 'static>(
        &self,
        cpu: usize,
        work: impl FnOnce(&mut Vcpu) -> R + Send + 'static,
    ) -> Result<R, Error> {
        let (sender, receiver) = mpsc::channel();
        self.control.give_work(
            cpu,
            Box::new(move |vcpu| {
                // Fails only if nobody waits for the result any more.
                let _ = sender.send(work(vcpu));
            }),
        );
        // Work that is dropped undone drops its sender.
        receiver.recv().map_err(|_| Error::NotPaused)
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        self.stop();
    }
}

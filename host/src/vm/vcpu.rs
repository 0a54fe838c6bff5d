//! One processor: its thread's loop.

mod area;
mod cpuid;
mod exits;
mod external;
mod look;
mod machine_check;
mod registers;
mod run_page;
mod whole;

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use kvm_ioctls::{VcpuExit, VcpuFd};
use rustix::io::Errno;

pub use cpuid::has_amd_processors;
pub use exits::ExitCounts;
pub(super) use exits::Exits;

use super::boot::Entry;
use super::control::{Control, Turn};
use super::door::Door;
use super::gate::Gate;
use super::interrupts::{InterruptController, Interrupts};
use super::kick::Listening;
use super::lifecycle::{Listener, VmEvent};
use super::{Error, Memory, Platform};
use area::Layout;
use cpuid::Place;
use registers::PowerOn;

/// What every vCPU of a machine shares.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) door: Arc<dyn Door>,
    pub(super) listener: Listener,
    pub(super) control: Arc<Control>,
    pub(super) gate: Arc<Gate>,
    pub(super) memory: Arc<Memory>,
    pub(super) interrupts: Arc<Interrupts>,
}

/// A processor. Its thread owns it; others reach it by
/// [`Control::give_work`].
pub(super) struct Vcpu {
    cpu: usize,
    fd: VcpuFd,
    /// Where its XSAVE area has what.
    layout: Layout,
    /// How many bits a physical address has.
    physical_bits: u32,
    power_on: PowerOn,
    exits: Arc<Exits>,
    /// It has failed or halted, and runs again only after a reset.
    idle: bool,
    shared: Shared,
}

/// What an exit means for the loop.
enum Next {
    /// Run on.
    Run,
    /// A kick: see what is wanted.
    Look,
    /// There is nothing more to run. Tell the listener, if there is an event.
    Idle(Option<VmEvent>),
}

impl Vcpu {
    /// Creates a processor in its power-on state.
    pub(super) fn new(
        platform: &Platform,
        cpu: usize,
        exits: Arc<Exits>,
        shared: Shared,
    ) -> Result<Self, Error> {
        let fd = platform
            .vm
            .create_vcpu(cpu as u64)
            .map_err(Error::kvm(format!("create processor {cpu}")))?;
        let place = Place { cpu: cpu as u32, cpus: platform.cpus as u32 };
        let controller = platform.interrupts.controller();
        let cpuid = cpuid::cpuid(&platform.kvm, place, controller)?;
        fd.set_cpuid2(&cpuid).map_err(Error::kvm(format!("set the CPUID of processor {cpu}")))?;
        machine_check::set_up(&platform.kvm, &fd)?;
        let local_apic = controller != InterruptController::None;
        let power_on = PowerOn::of(&fd, &platform.kvm, local_apic)?;
        let (layout, physical_bits) = (Layout::of(&cpuid), cpuid::physical_bits(&cpuid));
        Ok(Self { cpu, fd, layout, physical_bits, power_on, exits, idle: false, shared })
    }

    /// The thread's body. Returns when the machine stops.
    #[allow(unsafe_code)]
    pub(super) fn run(mut self) {
        let (cpu, shared) = (self.cpu, self.shared.clone());
        let flag = run_page::immediate_exit(&mut self.fd);
        // SAFETY: the flag is in the mapping of `self.fd`, which is dropped
        // with `self`: after `_listening`, as parameters are after locals.
        let _listening = unsafe { Listening::new(flag) };
        let ended = panic::catch_unwind(AssertUnwindSafe(|| self.follow_turns()));
        shared.gate.leave(cpu);
        shared.control.leave(cpu);
        if let Err(panic) = ended {
            (shared.listener)(VmEvent::Panicked { cpu, message: panic_message(panic.as_ref()) });
        }
    }

    fn follow_turns(&mut self) {
        self.shared.door.thread_started();
        loop {
            match self.shared.control.next_turn(self.cpu, self.idle) {
                Turn::Run => self.run_until_kicked(),
                Turn::Work(work) => work(self),
                Turn::Stop => return,
            }
        }
    }

    /// Power-on state, and on the boot processor the entry.
    pub(super) fn reset(&mut self, entry: &Entry) -> Result<(), Error> {
        self.power_on.restore(&self.fd)?;
        if self.cpu == 0 {
            registers::enter(&self.fd, entry)?;
        }
        self.idle = false;
        Ok(())
    }

    fn run_until_kicked(&mut self) {
        loop {
            if self.cpu == 0 {
                self.offer_interrupt();
            }
            self.shared.gate.enter(self.cpu);
            let exit = self.fd.run();
            self.shared.gate.leave(self.cpu);
            let next = match exit {
                Ok(VcpuExit::IoIn(..) | VcpuExit::IoOut(..)) => self.access_port(),
                Ok(VcpuExit::MmioRead(address, data)) => {
                    self.exits.memory.increment();
                    let door = &*self.shared.door;
                    for_each_access(address, data.len(), |address, part| {
                        door.memory_read(address, &mut data[part]);
                    });
                    Next::Run
                }
                Ok(VcpuExit::MmioWrite(address, data)) => {
                    self.exits.memory.increment();
                    let Shared { door, memory, .. } = &self.shared;
                    for_each_access(address, data.len(), |address, part| {
                        if !memory.drops_write(address) {
                            door.memory_write(address, &data[part]);
                        }
                    });
                    Next::Run
                }
                Ok(VcpuExit::IoapicEoi(vector)) => {
                    self.exits.other.increment();
                    self.shared.door.end_interrupt(vector);
                    Next::Run
                }
                Ok(VcpuExit::Hlt) => {
                    self.exits.halt.increment();
                    Next::Idle(None)
                }
                Ok(VcpuExit::Intr | VcpuExit::IrqWindowOpen) => {
                    self.exits.other.increment();
                    Next::Run
                }
                Ok(exit) => {
                    self.exits.other.increment();
                    Next::Idle(Some(failure(self.cpu, &exit)))
                }
                Err(error) => self.no_exit(error),
            };
            match next {
                Next::Run => {}
                Next::Look => return,
                Next::Idle(event) => {
                    self.idle = true;
                    if let Some(event) = event {
                        self.report(event);
                    }
                    return;
                }
            }
        }
    }

    fn access_port(&mut self) -> Next {
        self.exits.port.increment();
        let door = &*self.shared.door;
        if let Some(access) = run_page::port_access(&mut self.fd) {
            for data in access.data.chunks_exact_mut(access.size.max(1)) {
                if access.read {
                    door.port_read(access.port, data);
                } else {
                    door.port_write(access.port, data);
                }
            }
        }
        Next::Run
    }

    /// `KVM_RUN` returned without an exit.
    fn no_exit(&mut self, error: kvm_ioctls::Error) -> Next {
        match Errno::from_raw_os_error(error.errno()) {
            Errno::INTR => {
                self.exits.interrupted.increment();
                self.fd.set_kvm_immediate_exit(0);
                Next::Look
            }
            // A processor that waits for its start-up interrupt got another.
            Errno::AGAIN => Next::Run,
            _ => {
                self.exits.other.increment();
                Next::Idle(Some(VmEvent::InternalError {
                    cpu: self.cpu,
                    detail: format!("KVM cannot run the processor: {error}"),
                }))
            }
        }
    }

    /// Tells the listener, with what only the vCPU itself can say.
    fn report(&mut self, mut event: VmEvent) {
        if let VmEvent::InternalError { detail, .. } = &mut event {
            if detail.is_empty() {
                *detail = run_page::internal_error(&mut self.fd);
            }
            if let Ok(regs) = self.fd.get_regs() {
                detail.push_str(&format!(", at RIP {:#x}", regs.rip));
            }
        }
        (self.shared.listener)(event);
    }
}

/// What an exit that ends the vCPU means. An internal error's detail is left to
/// [`Vcpu::report`].
fn failure(cpu: usize, exit: &VcpuExit<'_>) -> VmEvent {
    match exit {
        VcpuExit::Shutdown => VmEvent::TripleFault { cpu },
        VcpuExit::FailEntry(reason, _) => VmEvent::EntryFailed { cpu, reason: *reason },
        VcpuExit::InternalError => VmEvent::InternalError { cpu, detail: String::new() },
        other => VmEvent::InternalError {
            cpu,
            detail: format!("an exit this host does not know: {other:?}"),
        },
    }
}

/// Cuts `length` bytes at `address` into accesses of 8, 4, 2 and 1 bytes. KVM
/// hands over 3, 5, 6 or 7 bytes when an access crosses into a page of another
/// kind.
fn for_each_access(
    address: u64,
    length: usize,
    mut access: impl FnMut(u64, std::ops::Range<usize>),
) {
    let mut done = 0;
    while let Some(power) = (length - done).checked_ilog2() {
        let size = 1 << power;
        access(address.wrapping_add(done as u64), done..done + size);
        done += size;
    }
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_odd_accesses_into_powers_of_two() {
        let cut = |length| {
            let mut parts = Vec::new();
            for_each_access(0x1001, length, |address, part| {
                assert_eq!(address, 0x1001 + part.start as u64);
                parts.push(part.len());
            });
            parts
        };
        assert_eq!(cut(1), [1]);
        assert_eq!(cut(3), [2, 1]);
        assert_eq!(cut(7), [4, 2, 1]);
        assert_eq!(cut(8), [8]);
        assert_eq!(cut(0), [0; 0]);
    }
}

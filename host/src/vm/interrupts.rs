//! The interrupt controllers and the interval timer inside the kernel, and the
//! lines that lead to them.

mod chips;
mod routes;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use kvm_bindings::{KVM_PIT_SPEAKER_DUMMY, kvm_msi, kvm_pit_config};
use kvm_ioctls::VmFd;

use super::kick::Threads;
use super::sync::lock;
use super::{ChipState, Error};
use routes::Routes;

/// Which interrupt controllers a machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InterruptController {
    /// The kernel's two 8259A, I/O APIC and local APICs, and its 8254 timer,
    /// with the speaker's port 0x61.
    Kernel,
    /// The kernel's local APICs, and nothing else. What stands before them are devices
    /// that send messages ([`Interrupts::send_message`]) and drive the interrupt pin of
    /// processor 0 ([`Interrupts::set_pin`]). A line's level is only recorded.
    Local,
    /// None. A line's level is only recorded, and `HLT` ends in its thread.
    None,
}

/// The interrupt lines (GSIs) of a machine. Lines 0 to 15 go to the 8259A pair
/// and to the I/O APIC, lines 16 to 23 to the I/O APIC alone, with line 0 on
/// the I/O APIC's pin 2: KVM's default routes, which are the PC's.
pub struct Interrupts {
    vm: Arc<VmFd>,
    levels: AtomicU32,
    controller: InterruptController,
    /// The kernel's chips as they were when they were created.
    kernel: Option<ChipState>,
    routes: Mutex<Routes>,
    /// The interrupt pin of processor 0.
    pin: AtomicBool,
    threads: Arc<Threads>,
}

impl Interrupts {
    /// How many lines there are.
    pub const LINES: u32 = 24;

    /// Creates the controllers. Must come before the first vCPU, whose local
    /// APIC is one of them.
    pub(super) fn new(
        vm: Arc<VmFd>,
        controller: InterruptController,
        threads: Arc<Threads>,
    ) -> Result<Self, Error> {
        let kernel = match controller {
            InterruptController::Kernel => Some(create(&vm)?),
            InterruptController::Local => {
                routes::split(&vm)?;
                None
            }
            InterruptController::None => None,
        };
        Ok(Self {
            vm,
            levels: AtomicU32::new(0),
            controller,
            kernel,
            routes: Mutex::default(),
            pin: AtomicBool::new(false),
            threads,
        })
    }

    /// Which controllers there are.
    pub fn controller(&self) -> InterruptController {
        self.controller
    }

    /// Drives a line high (`true`) or low. May be called by any thread; calls
    /// for one line must not race with each other.
    ///
    /// # Errors
    ///
    /// `gsi` is not below [`LINES`](Self::LINES), or KVM refuses.
    pub fn set_line(&self, gsi: u32, level: bool) -> Result<(), Error> {
        let bit = Self::bit(gsi)?;
        if level {
            self.levels.fetch_or(bit, Ordering::Relaxed);
        } else {
            self.levels.fetch_and(!bit, Ordering::Relaxed);
        }
        match self.kernel {
            Some(_) => self
                .vm
                .set_irq_line(gsi, level)
                .map_err(Error::kvm(format!("set interrupt line {gsi}"))),
            None => Ok(()),
        }
    }

    /// Delivers a message-signalled interrupt to the local APICs; to nobody if there
    /// are none.
    ///
    /// # Errors
    ///
    /// KVM refuses.
    pub fn send_message(&self, address: u64, data: u32) -> Result<(), Error> {
        match self.controller {
            InterruptController::Kernel => {}
            InterruptController::Local => lock(&self.routes).note(&self.vm, address, data)?,
            InterruptController::None => return Ok(()),
        }
        let message = kvm_msi {
            address_lo: address as u32,
            address_hi: (address >> 32) as u32,
            data,
            ..Default::default()
        };
        // The result says whether a processor took it, which is for the guest to know.
        self.vm.signal_msi(message).map_err(Error::kvm("send an interrupt message"))?;
        Ok(())
    }

    /// A message was sent before processors and devices were loaded.
    pub(super) fn expect_message(&self, address: u64, data: u32) -> Result<(), Error> {
        match self.controller {
            InterruptController::Local => lock(&self.routes).note(&self.vm, address, data),
            InterruptController::Kernel | InterruptController::None => Ok(()),
        }
    }

    /// Drives the interrupt pin of processor 0, behind which is a controller that is a
    /// device. May be called by any thread.
    pub fn set_pin(&self, level: bool) {
        self.pin.store(level, Ordering::SeqCst);
        if level {
            self.threads.kick_others(0);
        }
    }

    /// The level of the interrupt pin of processor 0.
    pub(super) fn pin(&self) -> bool {
        self.pin.load(Ordering::SeqCst)
    }

    /// The level a line was last driven to; low at first.
    ///
    /// # Errors
    ///
    /// `gsi` is not below [`LINES`](Self::LINES).
    pub fn line(&self, gsi: u32) -> Result<bool, Error> {
        Ok(self.levels.load(Ordering::Relaxed) & Self::bit(gsi)? != 0)
    }

    fn bit(gsi: u32) -> Result<u32, Error> {
        if gsi < Self::LINES { Ok(1 << gsi) } else { Err(Error::NoSuchLine(gsi)) }
    }

    /// Puts the kernel's chips back to their power-on state. Lines keep their
    /// levels: those are the devices' to change.
    pub(super) fn reset(&self) -> Result<(), Error> {
        self.kernel.as_ref().map_or(Ok(()), |power_on| power_on.write(&self.vm))
    }

    /// What the kernel's chips hold; none if it has none.
    pub(super) fn save(&self) -> Result<Option<ChipState>, Error> {
        self.kernel.as_ref().map(|_| ChipState::read(&self.vm)).transpose()
    }

    /// Makes the kernel's chips hold this, if it has any.
    pub(super) fn load(&self, state: &ChipState) -> Result<(), Error> {
        self.kernel.as_ref().map_or(Ok(()), |_| state.write(&self.vm))
    }
}

/// Has the kernel make its chips, and says what they hold.
fn create(vm: &VmFd) -> Result<ChipState, Error> {
    vm.create_irq_chip().map_err(Error::kvm("create the interrupt controllers"))?;
    vm.create_pit2(kvm_pit_config { flags: KVM_PIT_SPEAKER_DUMMY, ..Default::default() })
        .map_err(Error::kvm("create the interval timer"))?;
    ChipState::read(vm)
}

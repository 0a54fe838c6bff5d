//! The interrupt controllers and the interval timer inside the kernel, and the
//! lines that lead to them.

mod routes;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use kvm_bindings::{
    KVM_IRQCHIP_IOAPIC, KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_PIT_SPEAKER_DUMMY,
    kvm_irqchip, kvm_msi, kvm_pit_config, kvm_pit_state2,
};
use kvm_ioctls::VmFd;

use super::Error;
use super::kick::Threads;
use super::sync::lock;
use routes::Routes;

const CHIPS: [u32; 3] = [KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, KVM_IRQCHIP_IOAPIC];

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
    kernel: Option<PowerOn>,
    routes: Mutex<Routes>,
    /// The interrupt pin of processor 0.
    pin: AtomicBool,
    threads: Arc<Threads>,
}

/// The state of the kernel's chips when they were created.
struct PowerOn {
    chips: [kvm_irqchip; CHIPS.len()],
    timer: kvm_pit_state2,
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
            InterruptController::Kernel => Some(PowerOn::create(&vm)?),
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
        let Some(power_on) = &self.kernel else {
            return Ok(());
        };
        for chip in &power_on.chips {
            self.vm.set_irqchip(chip).map_err(Error::kvm("reset an interrupt controller"))?;
        }
        self.vm.set_pit2(&power_on.timer).map_err(Error::kvm("reset the interval timer"))
    }
}

impl PowerOn {
    fn create(vm: &VmFd) -> Result<Self, Error> {
        vm.create_irq_chip().map_err(Error::kvm("create the interrupt controllers"))?;
        vm.create_pit2(kvm_pit_config { flags: KVM_PIT_SPEAKER_DUMMY, ..Default::default() })
            .map_err(Error::kvm("create the interval timer"))?;
        let mut chips = [kvm_irqchip::default(); CHIPS.len()];
        for (chip, chip_id) in chips.iter_mut().zip(CHIPS) {
            chip.chip_id = chip_id;
            vm.get_irqchip(chip).map_err(Error::kvm("read an interrupt controller"))?;
        }
        let timer = vm.get_pit2().map_err(Error::kvm("read the interval timer"))?;
        Ok(Self { chips, timer })
    }
}

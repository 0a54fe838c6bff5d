//! The interrupt pin of processor 0, where the controller that drives it is a device.
//!
//! The kernel takes a vector when the processor can be interrupted, and says so when
//! it returns; until then it is asked to return as soon as that is the case (KVM API,
//! `KVM_INTERRUPT` and `request_interrupt_window`).

#![allow(unsafe_code)]

use std::io;

use kvm_bindings::{KVMIO, kvm_interrupt};
use vmm_sys_util::ioctl::ioctl_with_ref;
use vmm_sys_util::ioctl_iow_nr;

use super::Vcpu;
use crate::vm::interrupts::InterruptController;

ioctl_iow_nr!(KVM_INTERRUPT, KVMIO, 0x86, kvm_interrupt);

impl Vcpu {
    /// Gives the processor the interrupt that waits at its pin, or has it come back
    /// when it can take one.
    pub(super) fn offer_interrupt(&mut self) {
        let interrupts = &self.shared.interrupts;
        if interrupts.controller() != InterruptController::Local {
            return;
        }
        if interrupts.pin() && self.fd.get_kvm_run().ready_for_interrupt_injection != 0 {
            if let Some(vector) = self.shared.door.acknowledge_interrupt()
                && let Err(error) = self.inject(vector)
            {
                tracing::error!(vector, %error, "KVM does not take an interrupt");
            }
            // It is not ready for another one before it has run.
            self.fd.get_kvm_run().ready_for_interrupt_injection = 0;
        }
        let waits = self.shared.interrupts.pin();
        self.fd.get_kvm_run().request_interrupt_window = waits.into();
    }

    fn inject(&self, vector: u8) -> io::Result<()> {
        let interrupt = kvm_interrupt { irq: vector.into() };
        // SAFETY: the descriptor is a vCPU's, and the structure the one that this
        // request reads.
        match unsafe { ioctl_with_ref(&self.fd, KVM_INTERRUPT(), &interrupt) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

//! What the kernel's local APICs must know of an I/O APIC that is a device.
//!
//! A local APIC tells of the end of an interrupt only if a route says that the
//! interrupt is level-triggered. The devices tell nobody their routes, but the
//! messages they send say the same: the trigger mode is a bit of the message.

use kvm_bindings::{
    KVM_CAP_SPLIT_IRQCHIP, KVM_IRQ_ROUTING_MSI, KvmIrqRouting, kvm_enable_cap,
    kvm_irq_routing_entry, kvm_irq_routing_entry__bindgen_ty_1, kvm_irq_routing_msi,
};
use kvm_ioctls::VmFd;

use crate::vm::Error;

/// Inputs of the I/O APIC for which the kernel keeps routes.
const PINS: usize = 24;

/// The trigger mode of a message: level (Intel SDM volume 3, 11.11.2).
const LEVEL: u32 = 1 << 15;

/// Has the kernel provide local APICs alone.
pub(super) fn split(vm: &VmFd) -> Result<(), Error> {
    let mut cap = kvm_enable_cap { cap: KVM_CAP_SPLIT_IRQCHIP, ..Default::default() };
    cap.args[0] = PINS as u64;
    vm.enable_cap(&cap).map_err(Error::kvm("leave the interrupt controllers to devices"))
}

/// The level-triggered messages that were sent last.
#[derive(Default)]
pub(super) struct Routes {
    /// Address and data.
    known: Vec<(u64, u32)>,
    /// The route that is replaced next when there are enough.
    oldest: usize,
}

impl Routes {
    /// A message is about to be sent.
    pub(super) fn note(&mut self, vm: &VmFd, address: u64, data: u32) -> Result<(), Error> {
        if data & LEVEL == 0 || self.known.contains(&(address, data)) {
            return Ok(());
        }
        if self.known.len() < PINS {
            self.known.push((address, data));
        } else {
            self.known[self.oldest] = (address, data);
            self.oldest = (self.oldest + 1) % PINS;
        }
        let entries: Vec<_> =
            (0..).zip(&self.known).map(|(gsi, route)| entry(gsi, *route)).collect();
        // There are fewer than such a list can have.
        let Ok(routing) = KvmIrqRouting::from_entries(&entries) else { return Ok(()) };
        vm.set_gsi_routing(&routing).map_err(Error::kvm("set interrupt routes"))
    }
}

fn entry(gsi: u32, (address, data): (u64, u32)) -> kvm_irq_routing_entry {
    kvm_irq_routing_entry {
        gsi,
        type_: KVM_IRQ_ROUTING_MSI,
        u: kvm_irq_routing_entry__bindgen_ty_1 {
            msi: kvm_irq_routing_msi {
                address_lo: address as u32,
                address_hi: (address >> 32) as u32,
                data,
                ..Default::default()
            },
        },
        ..Default::default()
    }
}

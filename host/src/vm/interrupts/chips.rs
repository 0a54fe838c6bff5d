//! The state of the kernel's interrupt controllers and timer.

#![allow(unsafe_code)]

use kvm_bindings::{
    KVM_IRQCHIP_IOAPIC, KVM_IRQCHIP_PIC_MASTER, KVM_IRQCHIP_PIC_SLAVE, kvm_ioapic_state,
    kvm_ioapic_state__bindgen_ty_1, kvm_irqchip, kvm_irqchip__bindgen_ty_1, kvm_pic_state,
};
use kvm_ioctls::VmFd;

use crate::vm::{ChipState, Error, IoApicState};

impl ChipState {
    /// What they hold now.
    pub(super) fn read(vm: &VmFd) -> Result<Self, Error> {
        let chip = |chip_id| {
            let mut chip = kvm_irqchip { chip_id, ..Default::default() };
            let read = vm.get_irqchip(&mut chip);
            read.map(|()| chip.chip).map_err(Error::kvm("read an interrupt controller"))
        };
        // SAFETY: KVM has filled in the part of each chip that its id says; both are
        // integers, of which all values are valid.
        let pic = |chip_id| chip(chip_id).map(|chip| unsafe { chip.pic });
        let pics = [pic(KVM_IRQCHIP_PIC_MASTER)?, pic(KVM_IRQCHIP_PIC_SLAVE)?];
        // SAFETY: as above.
        let io_apic = unsafe { chip(KVM_IRQCHIP_IOAPIC)?.ioapic };
        // SAFETY: an entry of the table is 64 bits, whichever way it is looked at.
        let redirections = io_apic.redirtbl.map(|entry| unsafe { entry.bits });
        let timer = vm.get_pit2().map_err(Error::kvm("read the interval timer"))?;
        let io_apic = IoApicState {
            base: io_apic.base_address,
            selected: io_apic.ioregsel,
            id: io_apic.id,
            requests: io_apic.irr,
            redirections,
        };
        Ok(Self { pics, io_apic, timer })
    }

    /// Makes them hold this.
    pub(super) fn write(&self, vm: &VmFd) -> Result<(), Error> {
        let [first, second] = self.pics.map(|pic: kvm_pic_state| kvm_irqchip__bindgen_ty_1 { pic });
        let ioapic = kvm_ioapic_state {
            base_address: self.io_apic.base,
            ioregsel: self.io_apic.selected,
            id: self.io_apic.id,
            irr: self.io_apic.requests,
            pad: 0,
            redirtbl: self.io_apic.redirections.map(|bits| kvm_ioapic_state__bindgen_ty_1 { bits }),
        };
        for (chip_id, chip) in [
            (KVM_IRQCHIP_PIC_MASTER, first),
            (KVM_IRQCHIP_PIC_SLAVE, second),
            (KVM_IRQCHIP_IOAPIC, kvm_irqchip__bindgen_ty_1 { ioapic }),
        ] {
            let chip = kvm_irqchip { chip_id, chip, ..Default::default() };
            vm.set_irqchip(&chip).map_err(Error::kvm("write an interrupt controller"))?;
        }
        vm.set_pit2(&self.timer).map_err(Error::kvm("write the interval timer"))
    }
}

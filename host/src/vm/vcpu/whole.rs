//! All of a vCPU's state, read and written.

use std::collections::BTreeMap;

use kvm_bindings::{
    KVM_MP_STATE_HALTED, KVM_MP_STATE_RUNNABLE, KVM_VCPUEVENT_VALID_NMI_PENDING,
    KVM_VCPUEVENT_VALID_SHADOW, KVM_VCPUEVENT_VALID_SIPI_VECTOR, kvm_lapic_state, kvm_mp_state,
    kvm_msr_entry, kvm_vcpu_events,
};

use super::registers::{MSR_IA32_TSC, fam};
use super::{Vcpu, machine_check};
use crate::vm::{ApicState, CpuState, Error, Events, ProcessorState, msr_at_reset};

/// Variable memory type range registers: base and mask by turns.
const MTRR_MASKS: [u32; 8] = [0x201, 0x203, 0x205, 0x207, 0x209, 0x20b, 0x20d, 0x20f];

impl Vcpu {
    /// All that the processor holds now.
    pub(in crate::vm) fn save(&self) -> Result<ProcessorState, Error> {
        let failed = || Error::kvm("read a processor's state");
        let fd = &self.fd;
        let registers = self.state()?;
        let events = fd.get_vcpu_events().map_err(failed())?;
        // Without a local APIC in the kernel it is this thread that knows of a halt.
        let activity = match &self.power_on.lapic {
            Some(_) => fd.get_mp_state().map_err(failed())?.mp_state,
            None if self.idle => KVM_MP_STATE_HALTED,
            None => KVM_MP_STATE_RUNNABLE,
        };
        let apic = self.power_on.lapic.is_some().then(|| {
            let registers = fd.get_lapic().map_err(failed())?.regs.map(|byte| byte.cast_unsigned());
            let base = fd.get_sregs().map_err(failed())?.apic_base;
            Ok(ApicState { base, registers: Box::new(registers) })
        });
        Ok(ProcessorState {
            registers,
            events: read_events(&events),
            activity,
            msrs: self.msrs()?,
            machine_checks: machine_check::capabilities(fd)?,
            tsc_khz: fd.get_tsc_khz().ok().filter(|khz| *khz != 0),
            physical_bits: self.physical_bits,
            apic: apic.transpose()?,
        })
    }

    /// Makes the processor hold this, and nothing of what it held before: what the state
    /// does not say is as at power-on.
    pub(in crate::vm) fn load(&mut self, state: &ProcessorState) -> Result<(), Error> {
        let failed = || Error::kvm("write a processor's state");
        self.power_on.restore(&self.fd)?;
        self.set_tsc_rate(state.tsc_khz);
        let apic_base = state.apic.as_ref().map(|apic| apic.base);
        self.set_registers(&state.registers, apic_base)?;
        if let (Some(apic), Some(_)) = (&state.apic, &self.power_on.lapic) {
            let regs = apic.registers.map(u8::cast_signed);
            self.fd.set_lapic(&kvm_lapic_state { regs }).map_err(failed())?;
        }
        self.set_msrs(&state.msrs)?;
        let events = write_events(&state.events, &state.registers);
        self.fd.set_vcpu_events(&events).map_err(failed())?;
        self.idle = self.power_on.lapic.is_none() && state.activity == KVM_MP_STATE_HALTED;
        let mp_state = match self.power_on.lapic {
            Some(_) => state.activity,
            None => KVM_MP_STATE_RUNNABLE,
        };
        self.fd.set_mp_state(kvm_mp_state { mp_state }).map_err(failed())
    }

    fn msrs(&self) -> Result<BTreeMap<u32, u64>, Error> {
        let known = self.power_on.msrs.as_slice();
        let mut msrs = fam(known)?;
        let read = self.fd.get_msrs(&mut msrs);
        let read = read.map_err(Error::kvm("read a processor's model-specific registers"))?;
        if let Some(missing) = known.get(read) {
            return Err(Error::Msr { index: missing.index, value: missing.data });
        }
        Ok(msrs.as_slice().iter().map(|msr| (msr.index, msr.data)).collect())
    }

    /// Writes registers. One that this host does not have must be as a reset leaves it.
    fn set_msrs(&self, msrs: &BTreeMap<u32, u64>) -> Result<(), Error> {
        // An address beyond what the processor has is no address of a range.
        let address = (1u64 << self.physical_bits.min(63)) - 1;
        for (&index, &value) in msrs {
            let value = if MTRR_MASKS.contains(&index) { value & address } else { value };
            let power_on = self.power_on.msr(index);
            // The counter counts from when it is written, whatever its value.
            let is_there = power_on == Some(value) && index != MSR_IA32_TSC;
            if is_there || power_on.is_none() && value == msr_at_reset(index) {
                continue;
            }
            let msr = fam(&[kvm_msr_entry { index, data: value, ..Default::default() }])?;
            if !matches!(self.fd.set_msrs(&msr), Ok(1)) {
                return Err(Error::Msr { index, value });
            }
        }
        Ok(())
    }

    /// Has the time stamp counter count as it did where the state is from. A host that
    /// cannot do that says so: the guest will find its clocks run at another rate.
    fn set_tsc_rate(&self, khz: Option<u32>) {
        let Some(khz) = khz.filter(|khz| self.fd.get_tsc_khz().ok() != Some(*khz)) else { return };
        if let Err(error) = self.fd.set_tsc_khz(khz) {
            tracing::warn!(khz, %error, "the time stamp counter runs at this host's rate");
        }
    }
}

fn read_events(events: &kvm_vcpu_events) -> Events {
    let exception = &events.exception;
    let injected = exception.injected != 0;
    Events {
        exception: injected.then_some(exception.nr),
        error_code: (injected && exception.has_error_code != 0).then_some(exception.error_code),
        interrupt: (events.interrupt.injected != 0).then_some(events.interrupt.nr),
        soft: events.interrupt.soft != 0,
        nmi_injected: events.nmi.injected != 0,
        nmi_pending: events.nmi.pending != 0,
        nmi_masked: events.nmi.masked != 0,
        sipi_vector: events.sipi_vector,
    }
}

fn write_events(events: &Events, registers: &CpuState) -> kvm_vcpu_events {
    let mut written = kvm_vcpu_events {
        sipi_vector: events.sipi_vector,
        flags: KVM_VCPUEVENT_VALID_NMI_PENDING
            | KVM_VCPUEVENT_VALID_SIPI_VECTOR
            | KVM_VCPUEVENT_VALID_SHADOW,
        ..Default::default()
    };
    written.exception.injected = events.exception.is_some().into();
    written.exception.nr = events.exception.unwrap_or(0);
    written.exception.has_error_code = events.error_code.is_some().into();
    written.exception.error_code = events.error_code.unwrap_or(0);
    written.interrupt.injected = events.interrupt.is_some().into();
    written.interrupt.nr = events.interrupt.unwrap_or(0);
    written.interrupt.soft = events.soft.into();
    // KVM has one kind of shadow for STI, one for MOV SS; either ends after one
    // instruction, and the first lets exceptions through (KVM API, KVM_X86_SHADOW_INT_STI).
    written.interrupt.shadow = if registers.interrupt_shadow { 2 } else { 0 };
    written.nmi.injected = events.nmi_injected.into();
    written.nmi.pending = events.nmi_pending.into();
    written.nmi.masked = events.nmi_masked.into();
    written
}

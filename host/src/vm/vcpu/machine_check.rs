//! The machine-check banks, as many as QEMU's guests have.

#![allow(unsafe_code)]

use kvm_bindings::{KVMIO, kvm_msr_entry};
use kvm_ioctls::{Kvm, VcpuFd};
use vmm_sys_util::ioctl::{ioctl_with_mut_ref, ioctl_with_ref};
use vmm_sys_util::{ioctl_ior_nr, ioctl_iow_nr};

use super::registers::fam;
use crate::vm::{Error, MACHINE_CHECKS};

ioctl_iow_nr!(KVM_X86_SETUP_MCE, KVMIO, 0x9c, u64);
ioctl_ior_nr!(KVM_X86_GET_MCE_CAP_SUPPORTED, KVMIO, 0x9d, u64);

/// QEMU's `MCE_BANKS_DEF`; KVM has 32 at most.
const BANKS: u64 = (MACHINE_CHECKS.end - MACHINE_CHECKS.start) as u64 / 4;

/// A control register, and recovery by software (Software Developer's Manual, volume 3B,
/// 16.3.1.1: bits 8 and 24 of `IA32_MCG_CAP`).
const CAPABILITIES: u64 = 1 << 8 | 1 << 24;

/// `IA32_MCG_CAP`.
const CAPABILITIES_MSR: u32 = 0x179;

/// What machine checks a processor reports.
pub(super) fn capabilities(vcpu: &VcpuFd) -> Result<u64, Error> {
    let mut msrs = fam(&[kvm_msr_entry { index: CAPABILITIES_MSR, ..Default::default() }])?;
    let read = vcpu.get_msrs(&mut msrs);
    read.map_err(Error::kvm("say what machine checks a processor reports"))?;
    Ok(msrs.as_slice().first().map_or(0, |msr| msr.data))
}

/// Gives a processor its banks.
pub(super) fn set_up(kvm: &Kvm, vcpu: &VcpuFd) -> Result<(), Error> {
    let failed = |what| Error::kvm(what)(kvm_ioctls::Error::last());
    let mut supported = 0u64;
    // SAFETY: the descriptor is KVM's, and the number is what this request writes.
    if unsafe { ioctl_with_mut_ref(kvm, KVM_X86_GET_MCE_CAP_SUPPORTED(), &mut supported) } != 0 {
        return Err(failed("say what machine checks it has"));
    }
    let capabilities = supported & CAPABILITIES | BANKS;
    // SAFETY: the descriptor is a vCPU's, and the number is what this request reads.
    if unsafe { ioctl_with_ref(vcpu, KVM_X86_SETUP_MCE(), &capabilities) } != 0 {
        return Err(failed("set up a processor's machine checks"));
    }
    Ok(())
}

//! What KVM says of an exit in the `kvm_run` page, beyond what `kvm-ioctls`
//! hands out.

#![allow(unsafe_code)]

use std::fmt::Write;
use std::{ptr, slice};

use kvm_bindings::{
    KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_IO, KVM_EXIT_IO_IN, KVM_INTERNAL_ERROR_DELIVERY_EV,
    KVM_INTERNAL_ERROR_EMULATION, KVM_INTERNAL_ERROR_SIMUL_EX,
    KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON,
};
use kvm_ioctls::VcpuFd;

/// A port instruction: one access, or as many as a string instruction makes at
/// once.
pub(super) struct PortAccess<'a> {
    pub(super) port: u16,
    /// The width of one access, in bytes: 1, 2 or 4.
    pub(super) size: usize,
    /// Whether the guest reads.
    pub(super) read: bool,
    /// The accesses' data, one after the other.
    pub(super) data: &'a mut [u8],
}

/// The port instruction that ended the last run, if one did. `kvm-ioctls` gives
/// the data without the width.
pub(super) fn port_access(vcpu: &mut VcpuFd) -> Option<PortAccess<'_>> {
    let run = vcpu.get_kvm_run();
    if run.exit_reason != KVM_EXIT_IO {
        return None;
    }
    // SAFETY: the exit reason says that this is the union's field. Every bit
    // pattern is valid for its integers.
    let io = unsafe { run.__bindgen_anon_1.io };
    let size = usize::from(io.size);
    // SAFETY: for this exit KVM puts `count` items of `size` bytes at
    // `data_offset` into the mapping that starts with `run`, behind the
    // structure itself. The mapping lives as long as `vcpu`, which stays
    // borrowed, and nothing else refers to that part of it meanwhile: the kernel
    // touches it only in `KVM_RUN`, which takes `vcpu` exclusively.
    let data = unsafe {
        let start = ptr::from_mut(run).cast::<u8>().add(io.data_offset as usize);
        slice::from_raw_parts_mut(start, size * io.count as usize)
    };
    Some(PortAccess { port: io.port, size, read: u32::from(io.direction) == KVM_EXIT_IO_IN, data })
}

/// What KVM says of the internal error that ended the last run.
pub(super) fn internal_error(vcpu: &mut VcpuFd) -> String {
    let run = vcpu.get_kvm_run();
    if run.exit_reason != KVM_EXIT_INTERNAL_ERROR {
        return "no internal error".to_owned();
    }
    // SAFETY: the exit reason says that this is the union's field. Every bit
    // pattern is valid for its integers.
    let error = unsafe { run.__bindgen_anon_1.internal };
    let mut text = match error.suberror {
        KVM_INTERNAL_ERROR_EMULATION => "an instruction that KVM cannot emulate".to_owned(),
        KVM_INTERNAL_ERROR_SIMUL_EX => "exceptions at the same time".to_owned(),
        KVM_INTERNAL_ERROR_DELIVERY_EV => "an exit while an event was delivered".to_owned(),
        KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON => {
            "an unexpected exit of the processor".to_owned()
        }
        other => format!("internal error {other}"),
    };
    let count = (error.ndata as usize).min(error.data.len());
    for data in &error.data[..count] {
        // Writing to a string does not fail.
        let _ = write!(text, ", {data:#x}");
    }
    text
}

/// Where a kick is to set `immediate_exit`. Valid as long as `vcpu`.
pub(super) fn immediate_exit(vcpu: &mut VcpuFd) -> *mut u8 {
    &raw mut vcpu.get_kvm_run().immediate_exit
}

//! What the `CPUID` instruction answers: KVM's supported set, with each
//! processor's place in it.
//!
//! The processors are the cores of one package, with one thread each; the APIC
//! id is the processor's number. Leaves as in Intel's Software Developer's
//! Manual, volume 2A, "CPUID", and AMD's Architecture Programmer's Manual,
//! volume 3, appendix E.

use kvm_bindings::{
    CpuId, KVM_CPUID_FLAG_SIGNIFCANT_INDEX, KVM_MAX_CPUID_ENTRIES, kvm_cpuid_entry2,
};
use kvm_ioctls::{Cap, Kvm};

use crate::vm::{Error, InterruptController};

/// A processor's place in the machine.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) cpu: u32,
    pub(super) cpus: u32,
}

/// The answers for the processor at `place`.
pub(super) fn cpuid(
    kvm: &Kvm,
    place: Place,
    controller: InterruptController,
) -> Result<CpuId, Error> {
    let supported = kvm
        .get_supported_cpuid(KVM_MAX_CPUID_ENTRIES)
        .map_err(Error::kvm("list what CPUID can answer"))?;
    let local_apic = LocalApic {
        present: controller != InterruptController::None,
        deadline_timer: kvm.check_extension(Cap::TscDeadlineTimer),
    };
    let entries = adapt(supported.as_slice(), place, local_apic);
    CpuId::from_entries(&entries).map_err(|_| Error::Kvm {
        what: format!("answer {} CPUID leaves", entries.len()),
        source: kvm_ioctls::Error::new(rustix::io::Errno::TOOBIG.raw_os_error()),
    })
}

/// How many bits a physical address has: 36 where leaf 0x80000008 does not say, as in
/// QEMU.
pub(super) fn physical_bits(cpuid: &CpuId) -> u32 {
    let leaf = cpuid.as_slice().iter().find(|leaf| leaf.function == 0x8000_0008);
    leaf.map_or(36, |leaf| leaf.eax & 0xff)
}

#[derive(Clone, Copy)]
struct LocalApic {
    present: bool,
    deadline_timer: bool,
}

fn adapt(
    supported: &[kvm_cpuid_entry2],
    place: Place,
    local_apic: LocalApic,
) -> Vec<kvm_cpuid_entry2> {
    let mut entries: Vec<_> =
        supported.iter().filter(|entry| !is_topology(entry.function)).copied().collect();
    for entry in &mut entries {
        match entry.function {
            0x1 => features(entry, place, local_apic),
            0x4 => intel_cache(entry, place),
            0x8000_0001 => set(&mut entry.ecx, 1 << 1, place.cpus > 1), // CmpLegacy
            0x8000_0008 => entry.ecx = amd_core_count(place),
            0x8000_001d => share_cache(entry, place),
            0x8000_001e => {
                entry.eax = place.cpu;
                entry.ebx = place.cpu;
                entry.ecx = 0;
            }
            _ => {}
        }
    }
    // The hypervisor's leaves from 0x40000000 on stay as they are KVM's.
    let largest = entries.iter().find(|entry| entry.function == 0).map_or(0, |entry| entry.eax);
    for function in [0xb, 0x1f] {
        if function <= largest {
            entries.extend(topology(function, place));
        }
    }
    entries
}

fn is_topology(function: u32) -> bool {
    matches!(function, 0xb | 0x1f)
}

fn set(register: &mut u32, bits: u32, on: bool) {
    *register = if on { *register | bits } else { *register & !bits };
}

/// How many bits of an APIC id tell the processors of a package apart.
fn core_bits(place: Place) -> u32 {
    place.cpus.next_power_of_two().trailing_zeros()
}

/// Leaf 1. EBX: initial APIC id (31:24), addressable ids in the package
/// (23:16). ECX: x2APIC (21), TSC deadline (24), hypervisor (31). EDX: HTT (28).
fn features(entry: &mut kvm_cpuid_entry2, place: Place, local_apic: LocalApic) {
    entry.ebx = entry.ebx & 0x0000_ffff | place.cpu << 24 | place.cpus << 16;
    set(&mut entry.edx, 1 << 28, place.cpus > 1);
    set(&mut entry.ecx, 1 << 31, true);
    // Both are the kernel's local APIC's, and KVM lists the timer only as a
    // capability.
    set(&mut entry.ecx, 1 << 21, local_apic.present);
    set(&mut entry.ecx, 1 << 24, local_apic.present && local_apic.deadline_timer);
}

/// Leaf 4. EAX: addressable cores in the package, less one (31:26), and what
/// `share_cache` sets.
fn intel_cache(entry: &mut kvm_cpuid_entry2, place: Place) {
    if entry.eax & 0x1f != 0 {
        let cores = (1 << core_bits(place)) - 1;
        entry.eax = entry.eax & 0x03ff_ffff | cores << 26;
        share_cache(entry, place);
    }
}

/// Leaves 4 and 0x8000001d, EAX: type (4:0), level (7:5), addressable threads
/// that share the cache, less one (25:14). Levels 1 and 2 are a core's own.
fn share_cache(entry: &mut kvm_cpuid_entry2, place: Place) {
    if entry.eax & 0x1f != 0 {
        let sharing = match entry.eax >> 5 & 7 {
            0..=2 => 0,
            _ => (1 << core_bits(place)) - 1,
        };
        entry.eax = entry.eax & !(0xfff << 14) | sharing << 14;
    }
}

/// Leaf 0x80000008, ECX: APIC id size (15:12), cores less one (7:0).
fn amd_core_count(place: Place) -> u32 {
    core_bits(place) << 12 | (place.cpus - 1)
}

/// Leaves 0xb and 0x1f: the thread level, the core level, and the end. EAX:
/// how far to shift the APIC id for the next level's. EBX: processors at this
/// level. ECX: level number (7:0) and type (15:8). EDX: the APIC id.
fn topology(function: u32, place: Place) -> [kvm_cpuid_entry2; 3] {
    const THREAD: u32 = 1 << 8;
    const CORE: u32 = 2 << 8;
    let level = |index, eax, ebx, kind| kvm_cpuid_entry2 {
        function,
        index,
        flags: KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
        eax,
        ebx,
        ecx: kind | index,
        edx: place.cpu,
        ..Default::default()
    };
    [level(0, 0, 1, THREAD), level(1, core_bits(place), place.cpus, CORE), level(2, 0, 0, 0)]
}

/// Whether the host's processors, which are the guest's, are AMD's (CPUID leaf 0).
#[must_use]
pub fn has_amd_processors() -> bool {
    let leaf = std::arch::x86_64::__cpuid(0);
    let vendor = [leaf.ebx, leaf.edx, leaf.ecx].map(u32::to_le_bytes);
    vendor.as_flattened() == b"AuthenticAMD"
}

#[cfg(test)]
mod tests;

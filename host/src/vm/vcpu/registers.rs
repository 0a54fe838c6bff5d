//! A vCPU's registers at power-on, and where a guest is entered.

#![allow(unsafe_code)]

use kvm_bindings::{
    Msrs, kvm_debugregs, kvm_lapic_state, kvm_mp_state, kvm_msr_entry, kvm_regs, kvm_segment,
    kvm_sregs, kvm_vcpu_events, kvm_xcrs, kvm_xsave,
};
use kvm_ioctls::{Cap, Kvm, VcpuFd};

use crate::vm::boot::{Entry, Mode};
use crate::vm::{Error, MACHINE_CHECKS};

const CR0_PE: u64 = 1 << 0;
const CR0_PG: u64 = 1 << 31;
const CR4_PAE: u64 = 1 << 5;
const EFER_LME: u64 = 1 << 8;
const EFER_LMA: u64 = 1 << 10;

pub(super) const MSR_IA32_TSC: u32 = 0x10;
const MSR_IA32_MISC_ENABLE: u32 = 0x1a0;
const FAST_STRING: u64 = 1;

/// The memory type range registers (Software Developer's Manual, volume 3A,
/// "Memory Type Range Registers"): variable, fixed and default. KVM lists neither them
/// nor those of machine checks.
const MTRRS: [std::ops::RangeInclusive<u32>; 6] =
    [0x200..=0x20f, 0x250..=0x250, 0x258..=0x259, 0x268..=0x26f, 0x277..=0x277, 0x2ff..=0x2ff];

/// All of a vCPU's state as KVM created it.
pub(super) struct PowerOn {
    regs: kvm_regs,
    sregs: kvm_sregs,
    xsave: Box<kvm_xsave>,
    xcrs: Option<kvm_xcrs>,
    debug: kvm_debugregs,
    events: kvm_vcpu_events,
    /// None without the kernel's local APIC.
    pub(super) lapic: Option<Box<kvm_lapic_state>>,
    mp_state: kvm_mp_state,
    /// Those that can be read and written.
    pub(super) msrs: Msrs,
}

impl PowerOn {
    /// Reads the state of a vCPU that has its CPUID and has never run.
    pub(super) fn of(vcpu: &VcpuFd, kvm: &Kvm, local_apic: bool) -> Result<Self, Error> {
        let failed = || Error::kvm("read a processor's power-on state");
        let xcrs = kvm.check_extension(Cap::Xcrs);
        Ok(Self {
            regs: vcpu.get_regs().map_err(failed())?,
            sregs: vcpu.get_sregs().map_err(failed())?,
            xsave: Box::new(vcpu.get_xsave().map_err(failed())?),
            xcrs: xcrs.then(|| vcpu.get_xcrs()).transpose().map_err(failed())?,
            debug: vcpu.get_debug_regs().map_err(failed())?,
            events: vcpu.get_vcpu_events().map_err(failed())?,
            lapic: local_apic
                .then(|| vcpu.get_lapic().map(Box::new))
                .transpose()
                .map_err(failed())?,
            mp_state: vcpu.get_mp_state().map_err(failed())?,
            msrs: msrs(vcpu, kvm)?,
        })
    }

    /// The value of a model-specific register, if it can be read and written.
    pub(super) fn msr(&self, index: u32) -> Option<u64> {
        let mut msrs = self.msrs.as_slice().iter();
        msrs.find(|msr| msr.index == index).map(|msr| msr.data)
    }

    /// Puts a vCPU back to this state.
    pub(super) fn restore(&self, vcpu: &VcpuFd) -> Result<(), Error> {
        let failed = || Error::kvm("put a processor to its power-on state");
        // The system registers hold the APIC's base and mode, which its state
        // depends on; the run state comes last, as events may change it.
        vcpu.set_sregs(&self.sregs).map_err(failed())?;
        vcpu.set_regs(&self.regs).map_err(failed())?;
        // SAFETY: KVM reads more than the structure holds only for features
        // that a process must ask for (AMX), which this one never does.
        unsafe { vcpu.set_xsave(&self.xsave) }.map_err(failed())?;
        if let Some(xcrs) = &self.xcrs {
            vcpu.set_xcrs(xcrs).map_err(failed())?;
        }
        vcpu.set_debug_regs(&self.debug).map_err(failed())?;
        if let Some(lapic) = &self.lapic {
            vcpu.set_lapic(lapic).map_err(failed())?;
        }
        vcpu.set_msrs(&self.msrs).map_err(failed())?;
        vcpu.set_vcpu_events(&self.events).map_err(failed())?;
        vcpu.set_mp_state(self.mp_state).map_err(failed())
    }
}

/// The model-specific registers KVM can both read and write, with their values;
/// the time stamp counter as 0.
fn msrs(vcpu: &VcpuFd, kvm: &Kvm) -> Result<Msrs, Error> {
    let failed = || Error::kvm("read a processor's model-specific registers");
    let listed = kvm.get_msr_index_list().map_err(failed())?;
    let indices = listed.as_slice().iter().copied();
    let unlisted = MTRRS.into_iter().flatten().chain(MACHINE_CHECKS);
    let mut entries = read_msrs(vcpu, indices.chain(unlisted))?;
    for entry in &mut entries {
        match entry.index {
            MSR_IA32_TSC => entry.data = 0,
            // As the firmware of PCs leaves it, and as Linux expects it.
            MSR_IA32_MISC_ENABLE => entry.data |= FAST_STRING,
            _ => {}
        }
    }
    // KVM stops at the first register that cannot be written; some in its list
    // are for reading only.
    loop {
        let msrs = fam(&entries)?;
        let written = vcpu.set_msrs(&msrs).map_err(failed())?;
        if written >= entries.len() {
            return Ok(msrs);
        }
        entries.remove(written);
    }
}

/// The most registers that KVM reads at once.
const AT_ONCE: usize = 256;

/// Reads those of the registers that can be read.
fn read_msrs(
    vcpu: &VcpuFd,
    indices: impl Iterator<Item = u32>,
) -> Result<Vec<kvm_msr_entry>, Error> {
    let entries: Vec<_> =
        indices.map(|index| kvm_msr_entry { index, ..Default::default() }).collect();
    let (mut left, mut found) = (&entries[..], Vec::new());
    while !left.is_empty() {
        let mut msrs = fam(&left[..left.len().min(AT_ONCE)])?;
        // It stops at the first register that cannot be read.
        let read = vcpu.get_msrs(&mut msrs).unwrap_or(0);
        found.extend_from_slice(&msrs.as_slice()[..read]);
        let next = if read < msrs.as_slice().len() { read + 1 } else { read };
        left = &left[next..];
    }
    Ok(found)
}

pub(super) fn fam(entries: &[kvm_msr_entry]) -> Result<Msrs, Error> {
    Msrs::from_entries(entries).map_err(|_| Error::Kvm {
        what: format!("hold {} model-specific registers", entries.len()),
        source: kvm_ioctls::Error::new(rustix::io::Errno::TOOBIG.raw_os_error()),
    })
}

/// Makes a vCPU at power-on start at `entry`.
pub(super) fn enter(vcpu: &VcpuFd, entry: &Entry) -> Result<(), Error> {
    let failed = || Error::kvm("set a processor's entry");
    let mut sregs = vcpu.get_sregs().map_err(failed())?;
    match entry.mode {
        Mode::PowerOn => return Ok(()),
        Mode::Protected => flat_segments(&mut sregs, false),
        Mode::Long { page_table, gdt } => {
            flat_segments(&mut sregs, true);
            sregs.cr3 = page_table;
            sregs.cr4 |= CR4_PAE;
            sregs.cr0 |= CR0_PG;
            sregs.efer |= EFER_LME | EFER_LMA;
            sregs.gdt.base = gdt;
            sregs.gdt.limit = Entry::GDT_SIZE - 1;
        }
    }
    sregs.cr0 |= CR0_PE;
    vcpu.set_sregs(&sregs).map_err(failed())?;
    vcpu.set_regs(&kvm_regs {
        rip: entry.rip,
        rax: entry.rax,
        rbx: entry.rbx,
        rsi: entry.rsi,
        rsp: 0,
        rflags: 2,
        ..Default::default()
    })
    .map_err(failed())
}

/// Segments that span all addresses, as the descriptors of
/// [`Entry::GDT`] would load them.
fn flat_segments(sregs: &mut kvm_sregs, long: bool) {
    let code = kvm_segment {
        base: 0,
        limit: 0xffff_ffff,
        selector: Entry::CODE_SELECTOR,
        type_: 0xb, // code, readable, accessed
        present: 1,
        dpl: 0,
        db: u8::from(!long),
        s: 1,
        l: u8::from(long),
        g: 1,
        ..Default::default()
    };
    let data = kvm_segment {
        selector: Entry::DATA_SELECTOR,
        type_: 3, // data, writable, accessed
        db: 1,
        l: 0,
        ..code
    };
    sregs.cs = code;
    sregs.ds = data;
    sregs.es = data;
    sregs.fs = data;
    sregs.gs = data;
    sregs.ss = data;
    // A busy 32-bit (64-bit in long mode) task state segment, which the
    // processor's entry checks demand.
    sregs.tr.type_ = 0xb;
}

//! Reads a vCPU's registers, and writes them.

#![allow(unsafe_code)]

use kvm_bindings::{
    KVM_MP_STATE_HALTED, kvm_debugregs, kvm_dtable, kvm_regs, kvm_segment, kvm_sregs,
};

use super::Vcpu;
use super::area::Area;
use crate::vm::{CpuState, Error, Segment};

impl Vcpu {
    /// What the registers hold now.
    pub(in crate::vm) fn state(&self) -> Result<CpuState, Error> {
        let failed = || Error::kvm("read a processor's registers");
        let fd = &self.fd;
        let regs = fd.get_regs().map_err(failed())?;
        let sregs = fd.get_sregs().map_err(failed())?;
        let debug = fd.get_debug_regs().map_err(failed())?;
        let events = fd.get_vcpu_events().map_err(failed())?;
        let mp_state = fd.get_mp_state().map_err(failed())?.mp_state;
        let xsave = fd.get_xsave().map_err(failed())?;
        // Without extended states there is nothing to enable, and nothing to read.
        let xcrs = fd.get_xcrs().unwrap_or_default();
        let xcr0 = xcrs.xcrs.iter().take(xcrs.nr_xcrs as usize).find(|xcr| xcr.xcr == 0);
        let enabled = xcr0.map_or(0, |xcr| xcr.value);
        let area = Area { words: &xsave.region[..], layout: &self.layout };
        let segments = [
            &sregs.es, &sregs.cs, &sregs.ss, &sregs.ds, &sregs.fs, &sregs.gs, &sregs.ldt, &sregs.tr,
        ];
        let table = |table: &kvm_dtable| (table.base, table.limit);
        Ok(CpuState {
            general: [
                regs.rax, regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp, regs.rsp,
                regs.r8, regs.r9, regs.r10, regs.r11, regs.r12, regs.r13, regs.r14, regs.r15,
            ],
            rip: regs.rip,
            rflags: regs.rflags,
            segments: segments.map(segment),
            gdt: table(&sregs.gdt),
            idt: table(&sregs.idt),
            cr0: sregs.cr0,
            cr2: sregs.cr2,
            cr3: sregs.cr3,
            cr4: sregs.cr4,
            breakpoints: debug.db,
            dr6: debug.dr6,
            dr7: debug.dr7,
            efer: sregs.efer,
            interrupt_shadow: events.interrupt.shadow != 0,
            smm: events.smi.smm != 0,
            halted: mp_state == KVM_MP_STATE_HALTED || self.idle,
            fpu: area.fpu(),
            protection_keys: area.protection_keys(enabled),
            vectors: area.vectors(enabled),
        })
    }

    /// Makes the registers hold this, and the local APIC's base if it is given. Whether it
    /// is halted or in system management mode is not theirs.
    pub(super) fn set_registers(
        &self,
        state: &CpuState,
        apic_base: Option<u64>,
    ) -> Result<(), Error> {
        let failed = || Error::kvm("write a processor's registers");
        let fd = &self.fd;
        let [rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15] =
            state.general;
        let (rip, rflags) = (state.rip, state.rflags);
        let virtual_8086 = rflags & VIRTUAL_8086 != 0;
        let [es, cs, ss, ds, fs, gs, ldt, tr] = state.segments;
        let code_or_data = |segment| match virtual_8086 {
            true => virtual_8086_segment(segment),
            false => kvm_segment_of(segment),
        };
        let table = |(base, limit)| kvm_dtable { base, limit, ..Default::default() };
        let before = fd.get_sregs().map_err(failed())?;
        let sregs = kvm_sregs {
            es: code_or_data(es),
            cs: code_or_data(cs),
            ss: code_or_data(ss),
            ds: code_or_data(ds),
            fs: code_or_data(fs),
            gs: code_or_data(gs),
            ldt: kvm_segment_of(ldt),
            tr: kvm_segment_of(tr),
            gdt: table(state.gdt),
            idt: table(state.idt),
            cr0: state.cr0,
            cr2: state.cr2,
            cr3: state.cr3,
            cr4: state.cr4,
            efer: state.efer,
            apic_base: apic_base.unwrap_or(before.apic_base),
            // An interrupt on its way is an event.
            interrupt_bitmap: [0; 4],
            ..before
        };
        fd.set_sregs(&sregs).map_err(failed())?;
        #[rustfmt::skip]
        let regs = kvm_regs {
            rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15,
            rip, rflags,
        };
        fd.set_regs(&regs).map_err(failed())?;
        let mut xsave = fd.get_xsave().map_err(failed())?;
        let mut area = Area { words: &mut xsave.region[..], layout: &self.layout };
        area.set_fpu(&state.fpu);
        area.set_vectors(&state.vectors);
        area.set_protection_keys(state.protection_keys, state.vectors.enabled);
        // SAFETY: KVM reads more than the structure holds only for features that a
        // process must ask for (AMX), which this one never does.
        unsafe { fd.set_xsave(&xsave) }.map_err(failed())?;
        if let Ok(mut xcrs) = fd.get_xcrs() {
            let xcrs0 = xcrs.xcrs.iter_mut().find(|xcr| xcr.xcr == 0);
            if let Some(xcr) = xcrs0 {
                xcr.value = state.vectors.enabled;
                fd.set_xcrs(&xcrs).map_err(failed())?;
            }
        }
        fd.set_debug_regs(&kvm_debugregs {
            db: state.breakpoints,
            dr6: state.dr6,
            dr7: state.dr7,
            ..Default::default()
        })
        .map_err(failed())
    }
}

/// The flag VM.
const VIRTUAL_8086: u64 = 1 << 17;

fn segment(segment: &kvm_segment) -> Segment {
    let bit = |value: u8, at: u32| u32::from(value & 1) << at;
    let attributes = u32::from(segment.type_ & 15) << 8
        | bit(segment.s, 12)
        | u32::from(segment.dpl & 3) << 13
        | bit(segment.present & !segment.unusable, 15)
        | bit(segment.avl, 20)
        | bit(segment.l, 21)
        | bit(segment.db, 22)
        | bit(segment.g, 23);
    Segment { selector: segment.selector, base: segment.base, limit: segment.limit, attributes }
}

fn kvm_segment_of(segment: Segment) -> kvm_segment {
    let bit = |at: u32| (segment.attributes >> at & 1) as u8;
    kvm_segment {
        base: segment.base,
        limit: segment.limit,
        selector: segment.selector,
        type_: (segment.attributes >> 8 & 15) as u8,
        s: bit(12),
        dpl: (segment.attributes >> 13 & 3) as u8,
        present: bit(15),
        avl: bit(20),
        l: bit(21),
        db: bit(22),
        g: bit(23),
        unusable: 1 - bit(15),
        ..Default::default()
    }
}

/// In virtual-8086 mode the attributes are always these (Software Developer's Manual,
/// volume 3C, 26.3.1.2), whatever was kept of them.
fn virtual_8086_segment(segment: Segment) -> kvm_segment {
    kvm_segment_of(Segment { attributes: 0xf300, ..segment })
}

//! Reads a vCPU's registers, for people.

use kvm_bindings::{CpuId, KVM_MAX_CPUID_ENTRIES, KVM_MP_STATE_HALTED, kvm_dtable, kvm_segment};

use super::Vcpu;
use crate::vm::{CpuState, Error, Fpu, Segment, Vectors};

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
        let cpuid = fd.get_cpuid2(KVM_MAX_CPUID_ENTRIES).map_err(failed())?;
        // Without extended states there is nothing to enable, and nothing to read.
        let xcrs = fd.get_xcrs().unwrap_or_default();
        let xcr0 = xcrs.xcrs.iter().take(xcrs.nr_xcrs as usize).find(|xcr| xcr.xcr == 0);
        let area = Area { words: &xsave.region, cpuid: &cpuid };
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
            vectors: area.vectors(xcr0.map_or(0, |xcr| xcr.value)),
        })
    }
}

fn segment(segment: &kvm_segment) -> Segment {
    let bit = |value: u8, at: u32| u32::from(value & 1) << at;
    let attributes = u32::from(segment.type_ & 15) << 8
        | bit(segment.s, 12)
        | u32::from(segment.dpl & 3) << 13
        | bit(segment.present, 15)
        | bit(segment.avl, 20)
        | bit(segment.l, 21)
        | bit(segment.db, 22)
        | bit(segment.g, 23);
    Segment { selector: segment.selector, base: segment.base, limit: segment.limit, attributes }
}

/// An XSAVE area in its standard form (Software Developer's Manual, volume 1,
/// 13.4).
struct Area<'a> {
    words: &'a [u32],
    cpuid: &'a CpuId,
}

/// Components of the extended state (13.1).
mod component {
    pub(super) const AVX: u32 = 2;
    pub(super) const MASKS: u32 = 5;
    pub(super) const UPPER_HALVES: u32 = 6;
    pub(super) const UPPER_REGISTERS: u32 = 7;
}

impl Area<'_> {
    fn u32(&self, at: usize) -> u32 {
        self.words.get(at / 4).copied().unwrap_or(0)
    }

    fn u16(&self, at: usize) -> u16 {
        (self.u32(at) >> (8 * (at % 4))) as u16
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }

    /// Where a component lies, if the processor has it and its bit in `enabled` is
    /// set (13.2: leaf 0DH of CPUID says).
    fn offset(&self, component: u32, enabled: u64) -> Option<usize> {
        let entries = self.cpuid.as_slice().iter();
        let mut leaves = entries.filter(|leaf| leaf.function == 0xd && leaf.index == component);
        let leaf = leaves.next().filter(|_| enabled >> component & 1 != 0)?;
        (leaf.eax != 0).then_some(leaf.ebx as usize)
    }

    fn fpu(&self) -> Fpu {
        let status = self.u16(2);
        let top = usize::from(status >> 11 & 7);
        let mut registers = [(0, 0); 8];
        for stack in 0..8 {
            // The area has them in the order of the stack.
            let at = 32 + 16 * stack;
            registers[(top + stack) % 8] = (self.u64(at), self.u16(at + 8));
        }
        Fpu { control: self.u16(0), status, tags: self.u16(4) as u8, registers }
    }

    fn vectors(&self, enabled: u64) -> Vectors {
        let mut vectors = Vectors { mxcsr: self.u32(24), enabled, ..Vectors::default() };
        let low = Some(160);
        let avx = self.offset(component::AVX, enabled);
        let upper = self.offset(component::UPPER_HALVES, enabled);
        let more = self.offset(component::UPPER_REGISTERS, enabled);
        let mut copy =
            |from: Option<usize>, registers: std::ops::Range<usize>, first: usize, count: usize| {
                let Some(from) = from else { return };
                for (index, register) in vectors.registers[registers].iter_mut().enumerate() {
                    for (word, value) in register[first..first + count].iter_mut().enumerate() {
                        *value = self.u64(from + 8 * (index * count + word));
                    }
                }
            };
        copy(low, 0..16, 0, 2);
        copy(avx, 0..16, 2, 2);
        copy(upper, 0..16, 4, 4);
        copy(more, 16..32, 0, 8);
        if let Some(masks) = self.offset(component::MASKS, enabled) {
            for (index, mask) in vectors.masks.iter_mut().enumerate() {
                *mask = self.u64(masks + 8 * index);
            }
        }
        vectors
    }
}

#[cfg(test)]
mod tests {
    use kvm_bindings::kvm_cpuid_entry2;

    use super::*;

    /// Leaf 0DH of a processor: component, size and offset.
    fn leaves(components: &[(u32, u32, u32)]) -> CpuId {
        let leaf = |&(index, eax, ebx): &(u32, u32, u32)| kvm_cpuid_entry2 {
            function: 0xd,
            index,
            eax,
            ebx,
            ..Default::default()
        };
        CpuId::from_entries(&components.iter().map(leaf).collect::<Vec<_>>()).unwrap()
    }

    /// An area in which each 64-bit word holds its offset.
    fn words() -> Vec<u32> {
        (0..1024).map(|word| if word % 2 == 0 { 4 * word } else { 0 }).collect()
    }

    #[test]
    fn the_stack_of_the_floating_point_unit_is_turned_into_registers() {
        let mut words = vec![0; 1024];
        // Control word, status word with a top of 6, two tags, and the stack.
        words[0] = 0x3000_037f;
        words[1] = 0xc0;
        (words[8], words[9], words[10]) = (0, 1 << 31, 0x3fff);
        let area = Area { words: &words, cpuid: &leaves(&[]) };
        let fpu = area.fpu();
        assert_eq!((fpu.control, fpu.status, fpu.tags), (0x37f, 0x3000, 0xc0));
        assert_eq!(fpu.registers[6], (1 << 63, 0x3fff));
        assert_eq!(fpu.registers[0], (0, 0));
    }

    #[test]
    fn registers_are_put_together_of_what_is_enabled() {
        let words = words();
        let cpuid = leaves(&[(2, 256, 576), (5, 64, 1088), (6, 512, 1152), (7, 1024, 1664)]);
        let area = Area { words: &words, cpuid: &cpuid };
        let sse = area.vectors(3);
        assert_eq!((sse.mxcsr, sse.enabled), (24, 3));
        assert_eq!(sse.registers[1], [176, 184, 0, 0, 0, 0, 0, 0]);
        let avx = area.vectors(7);
        assert_eq!(avx.registers[1], [176, 184, 592, 600, 0, 0, 0, 0]);
        assert_eq!((avx.registers[16], avx.masks), ([0; 8], [0; 8]));
        let all = area.vectors(0xe7);
        assert_eq!(all.registers[1], [176, 184, 592, 600, 1184, 1192, 1200, 1208]);
        assert_eq!(all.registers[17], std::array::from_fn(|word| 1728 + 8 * word as u64));
        assert_eq!(all.masks[7], 1088 + 56);
        // A processor without a component does not have it in its area.
        let none = Area { words: &words, cpuid: &leaves(&[]) };
        assert_eq!(none.vectors(7).registers[1], [176, 184, 0, 0, 0, 0, 0, 0]);
    }
}

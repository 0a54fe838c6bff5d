//! The XSAVE area in its standard form (Software Developer's Manual, volume 1, 13.4).

use std::ops::{Deref, DerefMut};

use kvm_bindings::CpuId;

use crate::vm::{Fpu, Vectors};

/// Where the parts of an area lie that not every processor has, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Layout {
    avx: Option<usize>,
    masks: Option<usize>,
    upper_halves: Option<usize>,
    upper_registers: Option<usize>,
    protection_keys: Option<usize>,
}

/// Components of the extended state (13.1).
mod component {
    pub(super) const AVX: u32 = 2;
    pub(super) const MASKS: u32 = 5;
    pub(super) const UPPER_HALVES: u32 = 6;
    pub(super) const UPPER_REGISTERS: u32 = 7;
    pub(super) const PROTECTION_KEYS: u32 = 9;
}

/// Where XSTATE_BV is (13.4.2).
const IN_USE: usize = 512;

impl Layout {
    /// The layout of a processor with this CPUID (13.2: leaf 0DH says).
    pub(super) fn of(cpuid: &CpuId) -> Self {
        let find = |component| {
            let entries = cpuid.as_slice().iter();
            let mut leaves = entries.filter(|leaf| leaf.function == 0xd && leaf.index == component);
            leaves.next().filter(|leaf| leaf.eax != 0).map(|leaf| leaf.ebx as usize)
        };
        Self {
            avx: find(component::AVX),
            masks: find(component::MASKS),
            upper_halves: find(component::UPPER_HALVES),
            upper_registers: find(component::UPPER_REGISTERS),
            protection_keys: find(component::PROTECTION_KEYS),
        }
    }

    /// The same without what is not in `enabled`.
    fn within(&self, enabled: u64) -> Self {
        let only =
            |place: Option<usize>, component: u32| place.filter(|_| enabled >> component & 1 != 0);
        Self {
            avx: only(self.avx, component::AVX),
            masks: only(self.masks, component::MASKS),
            upper_halves: only(self.upper_halves, component::UPPER_HALVES),
            upper_registers: only(self.upper_registers, component::UPPER_REGISTERS),
            protection_keys: only(self.protection_keys, component::PROTECTION_KEYS),
        }
    }

    /// Where a word of a vector register is.
    fn vector(&self, register: usize, word: usize) -> Option<usize> {
        match (register, word) {
            (0..16, 0..2) => Some(160 + 16 * register + 8 * word),
            (0..16, 2..4) => self.avx.map(|start| start + 16 * register + 8 * (word - 2)),
            (0..16, _) => self.upper_halves.map(|start| start + 32 * register + 8 * (word - 4)),
            _ => self.upper_registers.map(|start| start + 64 * (register - 16) + 8 * word),
        }
    }

    fn mask(&self, register: usize) -> Option<usize> {
        self.masks.map(|start| start + 8 * register)
    }
}

/// An area, in words of 32 bits.
pub(super) struct Area<'l, W> {
    pub(super) words: W,
    pub(super) layout: &'l Layout,
}

impl<W: Deref<Target = [u32]>> Area<'_, W> {
    fn u32(&self, at: usize) -> u32 {
        self.words.get(at / 4).copied().unwrap_or(0)
    }

    fn u16(&self, at: usize) -> u16 {
        (self.u32(at) >> (8 * (at % 4))) as u16
    }

    fn u64(&self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }

    pub(super) fn fpu(&self) -> Fpu {
        let mut fpu = Fpu {
            control: self.u16(0),
            status: self.u16(2),
            tags: self.u16(4) as u8,
            registers: Default::default(),
            last: (self.u16(6), self.u64(8), self.u64(16)),
        };
        for stack in 0..8 {
            // The area has them in the order of the stack.
            let at = 32 + 16 * stack;
            fpu.registers[fpu.at(stack)] = (self.u64(at), self.u16(at + 8));
        }
        fpu
    }

    pub(super) fn vectors(&self, enabled: u64) -> Vectors {
        let layout = self.layout.within(enabled);
        let mut vectors = Vectors {
            mxcsr: self.u32(24),
            enabled,
            in_use: self.u64(IN_USE),
            ..Vectors::default()
        };
        for (index, register) in vectors.registers.iter_mut().enumerate() {
            for (word, value) in register.iter_mut().enumerate() {
                *value = layout.vector(index, word).map_or(0, |at| self.u64(at));
            }
        }
        for (index, mask) in vectors.masks.iter_mut().enumerate() {
            *mask = layout.mask(index).map_or(0, |at| self.u64(at));
        }
        vectors
    }

    pub(super) fn protection_keys(&self, enabled: u64) -> u32 {
        self.layout.within(enabled).protection_keys.map_or(0, |at| self.u32(at))
    }
}

impl<W: DerefMut<Target = [u32]>> Area<'_, W> {
    fn set_u32(&mut self, at: usize, value: u32) {
        if let Some(word) = self.words.get_mut(at / 4) {
            *word = value;
        }
    }

    fn set_u64(&mut self, at: usize, value: u64) {
        self.set_u32(at, value as u32);
        self.set_u32(at + 4, (value >> 32) as u32);
    }

    pub(super) fn set_fpu(&mut self, fpu: &Fpu) {
        let (opcode, instruction, operand) = fpu.last;
        self.set_u32(0, u32::from(fpu.control) | u32::from(fpu.status) << 16);
        self.set_u32(4, u32::from(fpu.tags) | u32::from(opcode) << 16);
        self.set_u64(8, instruction);
        self.set_u64(16, operand);
        for stack in 0..8 {
            let at = 32 + 16 * stack;
            let (significand, exponent) = fpu.registers[fpu.at(stack)];
            self.set_u64(at, significand);
            self.set_u64(at + 8, exponent.into());
        }
    }

    pub(super) fn set_vectors(&mut self, vectors: &Vectors) {
        let layout = self.layout.within(vectors.enabled);
        self.set_u32(24, vectors.mxcsr);
        self.set_u64(IN_USE, vectors.in_use);
        for (index, register) in vectors.registers.iter().enumerate() {
            for (word, value) in register.iter().enumerate() {
                if let Some(at) = layout.vector(index, word) {
                    self.set_u64(at, *value);
                }
            }
        }
        for (index, mask) in vectors.masks.iter().enumerate() {
            if let Some(at) = layout.mask(index) {
                self.set_u64(at, *mask);
            }
        }
    }

    pub(super) fn set_protection_keys(&mut self, rights: u32, enabled: u64) {
        if let Some(at) = self.layout.within(enabled).protection_keys {
            self.set_u32(at, rights);
        }
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
        let layout = Layout::of(&leaves(&[]));
        let area = Area { words: &words[..], layout: &layout };
        let fpu = area.fpu();
        assert_eq!((fpu.control, fpu.status, fpu.tags), (0x37f, 0x3000, 0xc0));
        assert_eq!(fpu.registers[6], (1 << 63, 0x3fff));
        assert_eq!(fpu.registers[0], (0, 0));
    }

    #[test]
    fn registers_are_put_together_of_what_is_enabled() {
        let words = words();
        let cpuid = leaves(&[(2, 256, 576), (5, 64, 1088), (6, 512, 1152), (7, 1024, 1664)]);
        let layout = Layout::of(&cpuid);
        let area = Area { words: &words[..], layout: &layout };
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
        let layout = Layout::of(&leaves(&[]));
        let none = Area { words: &words[..], layout: &layout };
        assert_eq!(none.vectors(7).registers[1], [176, 184, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let components =
            [(2, 256, 576), (5, 64, 1088), (6, 512, 1152), (7, 1024, 1664), (9, 8, 2688)];
        let layout = Layout::of(&leaves(&components));
        let fpu = Fpu {
            control: 0x37f,
            status: 0x3000,
            tags: 0xc1,
            registers: std::array::from_fn(|index| (1 << (56 + index), 0x4000 + index as u16)),
            last: (0x7d9, 0x1234_5678_9abc, 0xdef0_1234),
        };
        let mut vectors =
            Vectors { mxcsr: 0x1fa0, enabled: 0x2e7, in_use: 0x2e7, ..Vectors::default() };
        for (index, register) in vectors.registers.iter_mut().enumerate() {
            *register = std::array::from_fn(|word| (index << 8 | word) as u64 + 1);
        }
        vectors.masks = std::array::from_fn(|index| 1 << index);
        let mut words = vec![0; 1024];
        let mut area = Area { words: &mut words[..], layout: &layout };
        area.set_fpu(&fpu);
        area.set_vectors(&vectors);
        area.set_protection_keys(0x5555_5554, vectors.enabled);
        assert_eq!(area.fpu(), fpu);
        assert_eq!(area.vectors(vectors.enabled), vectors);
        assert_eq!(area.protection_keys(vectors.enabled), 0x5555_5554);
        // What is not enabled is neither written nor read.
        assert_eq!(area.protection_keys(7), 0);
        assert_eq!(area.vectors(3).registers[1], [0x101, 0x102, 0, 0, 0, 0, 0, 0]);
    }
}

//! `info registers`: what a processor's registers hold, in QEMU's form.

use std::fmt::Write as _;

use crate::vm::{CpuState, Fpu, Segment, Vectors};

const CR0_PE: u64 = 1 << 0;
const EFER_LMA: u64 = 1 << 10;

// Attributes of a segment (Software Developer's Manual, volume 3A, 3.4.5).
const LONG: u32 = 1 << 21;
const BIG: u32 = 1 << 22;
const PRESENT: u32 = 1 << 15;
const NO_SYSTEM: u32 = 1 << 12;
const CODE: u32 = 1 << 11;
const CONFORMING_OR_DOWN: u32 = 1 << 10;
const READABLE_OR_WRITABLE: u32 = 1 << 9;
const ACCESSED: u32 = 1 << 8;

/// The states of AVX, and of AVX-512 with all it needs, in XCR0 (volume 1, 13.1).
const AVX: u64 = 1 << 2;
const AVX_512: u64 = 0xe6;

/// The flags that QEMU shows as letters: bit and letter.
const FLAGS: [(u32, char); 7] =
    [(10, 'D'), (11, 'O'), (7, 'S'), (6, 'Z'), (4, 'A'), (2, 'P'), (0, 'C')];

const CS: usize = 1;
const SS: usize = 2;

#[cfg(test)]
mod tests;

/// The text for a processor.
pub(super) fn text(state: &CpuState) -> String {
    let long_code = state.efer & EFER_LMA != 0 && state.segments[CS].attributes & LONG != 0;
    let mut dump = Dump { state, long_code, text: String::new() };
    dump.general();
    dump.segments();
    dump.system();
    dump.fpu(&state.fpu, state.vectors.mxcsr);
    dump.vectors(&state.vectors);
    dump.text
}

struct Dump<'a> {
    state: &'a CpuState,
    /// It executes 64-bit code.
    long_code: bool,
    text: String,
}

// Writing into a `String` cannot fail.
impl Dump<'_> {
    /// A number of as many digits as addresses have in the processor's mode.
    fn wide(long: bool, value: u64) -> String {
        if long { format!("{value:016x}") } else { format!("{:08x}", value as u32) }
    }

    fn general(&mut self) {
        const NAMES: [&str; 8] = ["AX", "BX", "CX", "DX", "SI", "DI", "BP", "SP"];
        let CpuState { general, rip, rflags, .. } = self.state;
        let (long, prefix) = (self.long_code, if self.long_code { 'R' } else { 'E' });
        let count = if long { 16 } else { 8 };
        for (index, value) in general[..count].iter().enumerate() {
            let end = if index % 4 == 3 { '\n' } else { ' ' };
            let _ = match NAMES.get(index) {
                Some(name) => write!(self.text, "{prefix}{name}"),
                None => write!(self.text, "R{index:<2}"),
            };
            let _ = write!(self.text, "={}{end}", Self::wide(long, *value));
        }
        let flags: String = FLAGS
            .iter()
            .map(|(bit, letter)| if rflags >> bit & 1 != 0 { *letter } else { '-' })
            .collect();
        let CpuState { interrupt_shadow, smm, halted, .. } = self.state;
        let cpl = self.state.segments[SS].attributes >> 13 & 3;
        let _ = writeln!(
            self.text,
            "{prefix}IP={} {prefix}FL={:08x} [{flags}] CPL={cpl} II={} A20=1 SMM={} HLT={}",
            Self::wide(long, *rip),
            *rflags as u32,
            u8::from(*interrupt_shadow),
            u8::from(*smm),
            u8::from(*halted),
        );
    }

    fn segments(&mut self) {
        const NAMES: [&str; 8] = ["ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR"];
        for (name, segment) in NAMES.into_iter().zip(self.state.segments) {
            let Segment { selector, base, limit, attributes } = segment;
            let base = Self::wide(self.long_code, base);
            let _ =
                write!(self.text, "{name:<3}={selector:04x} {base} {limit:08x} {attributes:08x}");
            if self.state.cr0 & CR0_PE != 0 && attributes & PRESENT != 0 {
                let _ =
                    write!(self.text, " DPL={} {}", attributes >> 13 & 3, self.kind(attributes));
            }
            self.text.push('\n');
        }
    }

    fn is_long(&self) -> bool {
        self.state.efer & EFER_LMA != 0
    }

    /// What kind of segment it is.
    fn kind(&self, attributes: u32) -> String {
        /// Of system segments, in 32-bit and in 64-bit mode (volume 3A, table 3-2).
        const SYSTEM: [[&str; 16]; 2] = [
            [
                "Reserved",
                "TSS16-avl",
                "LDT",
                "TSS16-busy",
                "CallGate16",
                "TaskGate",
                "IntGate16",
                "TrapGate16",
                "Reserved",
                "TSS32-avl",
                "Reserved",
                "TSS32-busy",
                "CallGate32",
                "Reserved",
                "IntGate32",
                "TrapGate32",
            ],
            [
                "<hiword>",
                "Reserved",
                "LDT",
                "Reserved",
                "Reserved",
                "Reserved",
                "Reserved",
                "Reserved",
                "Reserved",
                "TSS64-avl",
                "Reserved",
                "TSS64-busy",
                "CallGate64",
                "Reserved",
                "IntGate64",
                "TrapGate64",
            ],
        ];
        let has = |bit: u32, letter: char| if attributes & bit != 0 { letter } else { '-' };
        if attributes & NO_SYSTEM == 0 {
            return SYSTEM[usize::from(self.is_long())][(attributes >> 8 & 15) as usize].into();
        }
        let (kind, first, second) = if attributes & CODE != 0 {
            let kind = match () {
                () if attributes & LONG != 0 => "CS64",
                () if attributes & BIG != 0 => "CS32",
                () => "CS16",
            };
            (kind, 'C', 'R')
        } else {
            (if attributes & BIG != 0 || self.is_long() { "DS  " } else { "DS16" }, 'E', 'W')
        };
        let first = has(CONFORMING_OR_DOWN, first);
        let second = has(READABLE_OR_WRITABLE, second);
        format!("{kind} [{first}{second}{}]", has(ACCESSED, 'A'))
    }

    fn system(&mut self) {
        let long = self.is_long();
        let wide = |value| Self::wide(long, value);
        let CpuState { gdt, idt, cr0, cr2, cr3, cr4, breakpoints, dr6, dr7, efer, .. } = self.state;
        let text = &mut self.text;
        let _ = writeln!(text, "GDT=     {} {:08x}", wide(gdt.0), gdt.1);
        let _ = writeln!(text, "IDT=     {} {:08x}", wide(idt.0), idt.1);
        let (cr0, cr4) = (*cr0 as u32, *cr4 as u32);
        let _ = writeln!(text, "CR0={cr0:08x} CR2={} CR3={} CR4={cr4:08x}", wide(*cr2), wide(*cr3));
        for (number, breakpoint) in breakpoints.iter().enumerate() {
            let _ = write!(text, "DR{number}={breakpoint:016x} ");
        }
        let _ = writeln!(text, "\nDR6={dr6:016x} DR7={dr7:016x}");
        let _ = writeln!(text, "EFER={efer:016x}");
    }

    fn fpu(&mut self, fpu: &Fpu, mxcsr: u32) {
        let Fpu { control, status, tags, registers, .. } = fpu;
        let top = fpu.at(0);
        let _ = writeln!(
            self.text,
            "FCW={control:04x} FSW={status:04x} [ST={top}] FTW={tags:02x} MXCSR={mxcsr:08x}"
        );
        for (number, (significand, exponent)) in registers.iter().enumerate() {
            let end = if number % 2 == 1 { '\n' } else { ' ' };
            let _ = write!(self.text, "FPR{number}={significand:016x} {exponent:04x}{end}");
        }
    }

    fn vectors(&mut self, vectors: &Vectors) {
        let Vectors { enabled, registers, masks, .. } = vectors;
        if enabled & AVX_512 == AVX_512 {
            for (number, mask) in masks.iter().enumerate() {
                let end = if number % 4 == 3 { '\n' } else { ' ' };
                let _ = write!(self.text, "Opmask{number:02}={mask:016x}{end}");
            }
            let count = if self.long_code { 32 } else { 8 };
            self.registers("ZMM", &registers[..count], 8, 1);
        } else {
            let count = if self.long_code { 16 } else { 8 };
            let (name, words, in_line) =
                if enabled & AVX != 0 { ("YMM", 4, 1) } else { ("XMM", 2, 2) };
            self.registers(name, &registers[..count], words, in_line);
        }
    }

    fn registers(&mut self, name: &str, registers: &[[u64; 8]], words: usize, in_line: usize) {
        for (number, register) in registers.iter().enumerate() {
            let words: Vec<_> =
                register[..words].iter().rev().map(|word| format!("{word:016x}")).collect();
            let end = if number % in_line == in_line - 1 { '\n' } else { ' ' };
            let _ = write!(self.text, "{name}{number:02}={}{end}", words.join(" "));
        }
    }
}

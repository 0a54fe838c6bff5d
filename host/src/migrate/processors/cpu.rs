//! The sections `cpu_common` and `cpu`: what a processor holds.

use kvm_bindings::{KVM_MP_STATE_HALTED, KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED};
use vmstate::Section;

use super::fields::Fields;
use super::{apic, parts};
use crate::vm::{CpuState, Events, Fpu, MACHINE_CHECKS, ProcessorState, Segment, Vectors};

pub(super) const COMMON: &str = "cpu_common";
pub(super) const NAME: &str = "cpu";
const VERSION: u32 = 12;
/// Without subsections.
const SIZE: usize = 1817;

/// Where QEMU's general registers are among ours: it has RCX, RDX, RBX, RSP, RBP, RSI and
/// RDI in the order of their numbers.
const GENERAL: [usize; 16] = [0, 2, 3, 1, 7, 6, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15];

/// Model-specific registers, one to a field.
const MSRS: [(&str, u32); 18] = [
    ("env.sysenter_cs", 0x174),
    ("env.sysenter_esp", 0x175),
    ("env.sysenter_eip", 0x176),
    ("env.star", 0xc000_0081),
    ("env.lstar", 0xc000_0082),
    ("env.cstar", 0xc000_0083),
    ("env.fmask", 0xc000_0084),
    ("env.kernelgsbase", 0xc000_0102),
    ("env.smbase", 0x9e),
    ("env.pat", 0x277),
    ("env.vm_hsave", 0xc001_0117),
    ("env.mtrr_deftype", 0x2ff),
    ("env.tsc", 0x10),
    ("env.mcg_status", 0x17a),
    ("env.mcg_ctl", 0x17b),
    ("env.tsc_aux", 0xc000_0103),
    ("env.system_time_msr", 0x12),
    ("env.wall_clock_msr", 0x11),
];

const FIXED_MTRRS: &str = "env.mtrr_fixed";
const VARIABLE_MTRRS: &str = "env.mtrr_var";
const MACHINE_CHECK_BANKS: &str = "env.mce_banks";

fn fixed_mtrrs() -> impl Iterator<Item = u32> {
    [0x250, 0x258, 0x259].into_iter().chain(0x268..=0x26f)
}

fn variable_mtrrs() -> impl Iterator<Item = u32> {
    0x200..=0x20f
}

/// What QEMU keeps of the flags and modes in one place (`hflags`), as far as it is read
/// from there.
mod hidden {
    pub(super) const NO_INTERRUPTS: u64 = 1 << 3;
    pub(super) const SYSTEM_MANAGEMENT: u64 = 1 << 19;
    pub(super) const IN_NESTED_GUEST: u64 = 1 << 21;
}

/// The same of `hflags2`.
mod hidden2 {
    pub(super) const INTERRUPTS_AT_ALL: u64 = 1 << 0;
    pub(super) const NMI_MASKED: u64 = 1 << 2;
}

/// Why a processor's state cannot be taken.
pub(super) enum Unfit {
    /// A subsection of which no processor here knows.
    Subsection(String),
    /// It is in a guest of its own, or in system management mode.
    Mode(&'static str),
}

/// What the sections of a processor say, at a time of the machine's clock.
pub(super) fn read(
    common: Option<&Fields>,
    cpu: &Fields,
    apic: Option<&Fields>,
    now: u64,
) -> Result<ProcessorState, Unfit> {
    if let Some(name) = parts::unknown(cpu) {
        return Err(Unfit::Subsection(name.to_owned()));
    }
    let hidden = cpu.number("env.hflags");
    if hidden & hidden::IN_NESTED_GUEST != 0 {
        return Err(Unfit::Mode("it runs a guest of its own"));
    }
    if hidden & hidden::SYSTEM_MANAGEMENT != 0 {
        return Err(Unfit::Mode("it is in system management mode"));
    }
    let halted = common.is_some_and(|common| common.number("halted") != 0);
    let activity = match cpu.number("env.mp_state") as u32 {
        // A processor of QEMU's own says it elsewhere.
        KVM_MP_STATE_RUNNABLE if apic.is_some_and(apic::waits_for_start) => {
            KVM_MP_STATE_UNINITIALIZED
        }
        KVM_MP_STATE_RUNNABLE if halted => KVM_MP_STATE_HALTED,
        activity => activity,
    };
    let mut state = ProcessorState {
        registers: registers(cpu, hidden & hidden::NO_INTERRUPTS != 0),
        events: events(cpu),
        activity,
        msrs: MSRS.iter().map(|(name, register)| (*register, cpu.number(name))).collect(),
        machine_checks: cpu.number("env.mcg_cap"),
        tsc_khz: None,
        physical_bits: 0,
        apic: apic.map(|fields| apic::read(fields, now)),
    };
    state.msrs.extend(fixed_mtrrs().zip(cpu.numbers(FIXED_MTRRS)));
    state.msrs.extend(variable_mtrrs().zip(cpu.numbers(VARIABLE_MTRRS)));
    state.msrs.extend(MACHINE_CHECKS.zip(cpu.numbers(MACHINE_CHECK_BANKS)));
    parts::read(cpu, &mut state);
    Ok(state)
}

fn registers(cpu: &Fields, interrupt_shadow: bool) -> CpuState {
    let number = |name| cpu.number(name);
    let mut general = [0; 16];
    for (value, place) in cpu.numbers("env.regs").into_iter().zip(GENERAL) {
        general[place] = value;
    }
    let real_mode = number("env.cr[0]") & 1 == 0;
    let names = ["env.ldt", "env.tr"].into_iter();
    let numbers =
        names.fold(cpu.numbers("env.segs"), |all, name| [all, cpu.numbers(name)].concat());
    let mut segments = [Segment::default(); 8];
    for (segment, numbers) in segments.iter_mut().zip(numbers.chunks_exact(4)) {
        *segment = Segment {
            selector: numbers[0] as u16,
            base: numbers[1],
            limit: numbers[2] as u32,
            attributes: numbers[3] as u32 & 0x00f0_ff00,
        };
    }
    // In real mode the privilege is 0; old versions of KVM did not say so.
    if real_mode {
        segments[..6].iter_mut().for_each(|segment| segment.attributes &= !(3 << 13));
    }
    let table = |name| {
        let numbers = cpu.numbers(name);
        let number = |at: usize| numbers.get(at).copied().unwrap_or(0);
        (number(1), number(2) as u16)
    };
    let debug = cpu.numbers("env.dr");
    let debug = |at: usize| debug.get(at).copied().unwrap_or(0);
    let mut fpu = Fpu {
        control: number("env.fpuc") as u16,
        status: number("env.fpus_vmstate") as u16,
        tags: number("env.fptag_vmstate") as u8,
        ..Fpu::default()
    };
    // QEMU with KVM has them in the order of the stack.
    for (stack, numbers) in cpu.numbers("env.fpregs").chunks_exact(2).enumerate() {
        fpu.registers[fpu.at(stack)] = (numbers[0], numbers[1] as u16);
    }
    let mut vectors = Vectors {
        mxcsr: number("env.mxcsr") as u32,
        enabled: number("env.xcr0"),
        in_use: number("env.xstate_bv"),
        ..Vectors::default()
    };
    for (first, name) in [(0, "env.xmm_regs[0]"), (2, "env.xmm_regs[1]")] {
        let words = cpu.numbers(name);
        for (register, words) in vectors.registers.iter_mut().zip(words.chunks_exact(2)) {
            register[first..first + 2].copy_from_slice(words);
        }
    }
    CpuState {
        general,
        rip: number("env.eip"),
        rflags: number("env.eflags"),
        segments,
        gdt: table("env.gdt"),
        idt: table("env.idt"),
        cr0: number("env.cr[0]"),
        cr2: number("env.cr[2]"),
        cr3: number("env.cr[3]"),
        cr4: number("env.cr[4]"),
        breakpoints: std::array::from_fn(debug),
        dr6: debug(6),
        dr7: debug(7),
        efer: number("env.efer"),
        interrupt_shadow,
        smm: false,
        halted: false,
        fpu,
        protection_keys: 0,
        vectors,
    }
}

fn events(cpu: &Fields) -> Events {
    let flag = |name| cpu.number(name) != 0;
    // All ones if there is none.
    let vector = |name| u8::try_from(cpu.number(name)).ok();
    let exception = vector("env.exception_nr");
    Events {
        exception,
        // The section does not say which.
        error_code: exception.filter(|_| flag("env.has_error_code")).map(|_| 0),
        interrupt: vector("env.interrupt_injected"),
        soft: flag("env.soft_interrupt"),
        nmi_injected: flag("env.nmi_injected"),
        nmi_pending: flag("env.nmi_pending"),
        nmi_masked: cpu.number("env.hflags2") & hidden2::NMI_MASKED != 0,
        sipi_vector: cpu.number("env.sipi_vector") as u32,
    }
}

/// The two sections of a processor. Those it was loaded from keep what is nothing of a
/// processor's here.
pub(super) fn write(
    state: &ProcessorState,
    instance: u32,
    origin: &[Section],
    save_tsc_khz: bool,
) -> Option<[Section; 2]> {
    let mut common = Fields::found_or_zeros(origin, COMMON, instance, 1, 8);
    common.set("halted", [u64::from(state.activity == KVM_MP_STATE_HALTED)]);
    let zeros = || {
        let mut zeros = Fields::zeros(NAME, instance, VERSION, SIZE);
        zeros.set("env.a20_mask", [u64::MAX]);
        zeros.set("env.hflags2", [hidden2::INTERRUPTS_AT_ALL]);
        zeros
    };
    let known = super::fields::find(origin, NAME, instance).and_then(|cpu| Fields::of(cpu).ok());
    // The section of a processor of 32 bits has no room for what one of 64 bits may hold.
    let cpu = write_cpu(state, known.unwrap_or_else(zeros), save_tsc_khz)
        .or_else(|| write_cpu(state, zeros(), save_tsc_khz));
    Some([common.finish()?, cpu?])
}

fn write_cpu(state: &ProcessorState, mut cpu: Fields, save_tsc_khz: bool) -> Option<Section> {
    let (registers, events) = (&state.registers, &state.events);
    cpu.set("env.regs", GENERAL.map(|place| registers.general[place]));
    let mut set = |name, value: u64| cpu.set(name, [value]);
    set("env.eip", registers.rip);
    set("env.eflags", registers.rflags);
    set("env.cr[0]", registers.cr0);
    set("env.cr[2]", registers.cr2);
    set("env.cr[3]", registers.cr3);
    set("env.cr[4]", registers.cr4);
    set("env.efer", registers.efer);
    set("env.fpuc", registers.fpu.control.into());
    set("env.fpus_vmstate", registers.fpu.status.into());
    set("env.fptag_vmstate", registers.fpu.tags.into());
    set("env.mxcsr", registers.vectors.mxcsr.into());
    set("env.xcr0", registers.vectors.enabled);
    set("env.xstate_bv", registers.vectors.in_use);
    set("env.mp_state", state.activity.into());
    set("env.mcg_cap", state.machine_checks);
    let vector = |vector: Option<u8>| vector.map_or(u64::MAX, u64::from);
    set("env.exception_nr", vector(events.exception));
    set("env.has_error_code", events.error_code.is_some().into());
    set("env.interrupt_injected", vector(events.interrupt));
    set("env.soft_interrupt", events.soft.into());
    set("env.nmi_injected", events.nmi_injected.into());
    set("env.nmi_pending", events.nmi_pending.into());
    set("env.sipi_vector", events.sipi_vector.into());
    let hidden2 = cpu.number("env.hflags2") & !hidden2::NMI_MASKED;
    let masked = if events.nmi_masked { hidden2::NMI_MASKED } else { 0 };
    cpu.set("env.hflags2", [hidden2 | masked]);
    let hidden = cpu.number("env.hflags");
    cpu.set("env.hflags", [hidden_flags(registers, hidden)]);

    let numbers = |segment: &Segment| {
        [segment.selector.into(), segment.base, segment.limit.into(), segment.attributes.into()]
    };
    let [ldt, tr] = [6, 7].map(|at| numbers(&registers.segments[at]));
    cpu.set("env.segs", registers.segments[..6].iter().flat_map(numbers));
    cpu.set("env.ldt", ldt);
    cpu.set("env.tr", tr);
    for (name, (base, limit)) in [("env.gdt", registers.gdt), ("env.idt", registers.idt)] {
        cpu.set(name, [0, base, limit.into(), 0]);
    }
    let [b0, b1, b2, b3] = registers.breakpoints;
    let (dr6, dr7) = (registers.dr6, registers.dr7);
    cpu.set("env.dr", [b0, b1, b2, b3, dr6, dr7, dr6, dr7]);
    let stack = (0..8).map(|stack| registers.fpu.registers[registers.fpu.at(stack)]);
    cpu.set("env.fpregs", stack.flat_map(|(significand, exponent)| [significand, exponent.into()]));
    for (first, name) in [(0, "env.xmm_regs[0]"), (2, "env.xmm_regs[1]")] {
        let words = |register: &[u64; 8]| [register[first], register[first + 1]];
        cpu.set(name, registers.vectors.registers[..16].iter().flat_map(words));
    }

    let msr = |register| state.msr(register);
    for (name, register) in MSRS {
        cpu.set(name, [msr(register)]);
    }
    cpu.set(FIXED_MTRRS, fixed_mtrrs().map(msr));
    // Beyond the address bits that the processor has the masks are ones, for one that has
    // more.
    let beyond = (1u64 << 52) - (1 << state.physical_bits.min(52));
    cpu.set(
        VARIABLE_MTRRS,
        variable_mtrrs().map(|register| match register % 2 {
            0 => msr(register),
            _ => msr(register) | beyond,
        }),
    );
    cpu.set(MACHINE_CHECK_BANKS, MACHINE_CHECKS.map(msr));
    parts::write(state, &mut cpu, save_tsc_khz);
    cpu.finish()
}

/// QEMU's `hflags` (`target/i386/cpu.h`): modes and flags as they follow from the
/// registers. `old` has those that do not.
fn hidden_flags(registers: &CpuState, old: u64) -> u64 {
    const FROM_FLAGS: u64 = 1 << 8 | 3 << 12 | 1 << 17;
    let [es, cs, ss, ds, ..] = &registers.segments;
    let bit = |on: bool, at: u32| u64::from(on) << at;
    let attribute = |segment: &Segment, at: u32| segment.attributes >> at & 1 != 0;
    let cr0 = |at: u32| registers.cr0 >> at & 1 != 0;
    let long_mode = registers.efer >> 10 & 1 != 0;
    let code_64 = long_mode && attribute(cs, 21);
    let code_32 = code_64 || attribute(cs, 22);
    let stack_32 = code_64 || attribute(ss, 22);
    let virtual_8086 = registers.rflags >> 17 & 1 != 0;
    let has_bases = !cr0(0) || virtual_8086 || !code_32 || [ds, es, ss].iter().any(|s| s.base != 0);
    let derived = u64::from(ss.attributes >> 13 & 3)
        | bit(code_32, 4)
        | bit(stack_32, 5)
        | bit(!code_64 && has_bases, 6)
        | bit(cr0(0), 7)
        | bit(cr0(1), 9)
        | bit(cr0(2), 10)
        | bit(cr0(3), 11)
        | bit(long_mode, 14)
        | bit(code_64, 15)
        | bit(registers.cr4 >> 9 & 1 != 0, 22)
        | registers.rflags & FROM_FLAGS;
    let all = 3 | 0x7f << 4 | 7 << 9 | 3 << 14 | 1 << 22 | FROM_FLAGS;
    let shadow = if registers.interrupt_shadow { hidden::NO_INTERRUPTS } else { 0 };
    old & !(all | hidden::NO_INTERRUPTS | hidden::SYSTEM_MANAGEMENT) | derived | shadow
}

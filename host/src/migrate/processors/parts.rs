//! The subsections of `cpu`: what not every processor has.

use super::fields::Fields;
use crate::vm::{ProcessorState, msr_at_reset};

/// A subsection of model-specific registers. It is there if one of them is not as a reset
/// leaves it.
struct Part {
    name: &'static str,
    fields: &'static [MsrField],
}

/// A field: QEMU's name, bytes of a number, first register, how many.
struct MsrField(&'static str, usize, u32, u32);

/// In QEMU's order.
const MSRS: [Part; 15] = [
    part("cpu/async_pf_msr", &[MsrField("env.async_pf_en_msr", 8, 0x4b56_4d02, 1)]),
    part("cpu/async_pf_int_msr", &[MsrField("env.async_pf_int_msr", 8, 0x4b56_4d06, 1)]),
    part("cpu/async_pv_eoi_msr", &[MsrField("env.pv_eoi_en_msr", 8, 0x4b56_4d04, 1)]),
    part("cpu/steal_time_msr", &[MsrField("env.steal_time_msr", 8, 0x4b56_4d03, 1)]),
    part("cpu/poll_control_msr", &[MsrField("env.poll_control_msr", 8, 0x4b56_4d05, 1)]),
    part("cpu/msr_tsc_adjust", &[MsrField("env.tsc_adjust", 8, 0x3b, 1)]),
    part("cpu/msr_tscdeadline", &[MsrField("env.tsc_deadline", 8, 0x6e0, 1)]),
    part("cpu/msr_ia32_misc_enable", &[MsrField("env.msr_ia32_misc_enable", 8, 0x1a0, 1)]),
    part("cpu/msr_ia32_feature_control", &[MsrField("env.msr_ia32_feature_control", 8, 0x3a, 1)]),
    part(
        "cpu/msr_architectural_pmu",
        &[
            MsrField("env.msr_fixed_ctr_ctrl", 8, 0x38d, 1),
            MsrField("env.msr_global_ctrl", 8, 0x38f, 1),
            MsrField("env.msr_global_status", 8, 0x38e, 1),
            MsrField("env.msr_global_ovf_ctrl", 8, 0x390, 1),
            MsrField("env.msr_fixed_counters", 8, 0x309, 3),
            MsrField("env.msr_gp_counters", 8, 0xc1, 18),
            MsrField("env.msr_gp_evtsel", 8, 0x186, 18),
        ],
    ),
    part("cpu/xss", &[MsrField("env.xss", 8, 0xda0, 1)]),
    part("cpu/umwait", &[MsrField("env.umwait", 4, 0xe1, 1)]),
    part("cpu/spec_ctrl", &[MsrField("env.spec_ctrl", 8, 0x48, 1)]),
    part("cpu/virt_ssbd", &[MsrField("env.virt_ssbd", 8, 0xc001_011f, 1)]),
    part("cpu/msr_tsx_ctrl", &[MsrField("env.tsx_ctrl", 4, 0x122, 1)]),
];

const fn part(name: &'static str, fields: &'static [MsrField]) -> Part {
    Part { name, fields }
}

const LAST_INSTRUCTION: &str = "cpu/fpop_ip_dp";
const AVX512: &str = "cpu/avx512";
const PROTECTION_KEYS: &str = "cpu/pkru";
const TSC_RATE: &str = "cpu/tsc_khz";

/// What follows from other fields: page directory pointers are in guest memory.
const DERIVED: &str = "cpu/pdptrs";

/// The subsections that say what a processor here can hold.
fn is_known(name: &str) -> bool {
    [LAST_INSTRUCTION, AVX512, PROTECTION_KEYS, TSC_RATE, DERIVED].contains(&name)
        || MSRS.iter().any(|part| part.name == name)
}

/// The subsections that no processor here can take.
pub(super) fn unknown(fields: &Fields) -> Option<&str> {
    fields.parts().find(|name| !is_known(name))
}

/// Puts what the subsections say into a processor's state.
pub(super) fn read(fields: &Fields, state: &mut ProcessorState) {
    for Part { name, fields: members } in &MSRS {
        for MsrField(member, _, first, count) in *members {
            // One that is not there is as after a reset.
            let numbers = fields.part_numbers(name, member);
            for (number, register) in (0..).zip(*first..first + count) {
                let value = numbers.as_ref().and_then(|numbers: &Vec<u64>| numbers.get(number));
                let value = value.copied().unwrap_or_else(|| msr_at_reset(register));
                state.msrs.insert(register, value);
            }
        }
    }
    let number = |part, name| fields.part_numbers(part, name)?.first().copied();
    let last = |name| number(LAST_INSTRUCTION, name).unwrap_or(0);
    let registers = &mut state.registers;
    registers.fpu.last = (last("env.fpop") as u16, last("env.fpip"), last("env.fpdp"));
    registers.protection_keys = number(PROTECTION_KEYS, "env.pkru").unwrap_or(0) as u32;
    state.tsc_khz = number(TSC_RATE, "env.tsc_khz").and_then(|khz| u32::try_from(khz).ok());
    let words = |name| fields.part_numbers(AVX512, name).unwrap_or_default();
    let vectors = &mut registers.vectors;
    copy(&mut vectors.masks, &words("env.opmask_regs"));
    let (lower, upper) = vectors.registers.split_at_mut(16);
    for (register, words) in lower.iter_mut().zip(words("env.xmm_regs[0]").chunks_exact(4)) {
        register[4..].copy_from_slice(words);
    }
    for (register, words) in upper.iter_mut().zip(words("env.xmm_regs[1]").chunks_exact(8)) {
        register.copy_from_slice(words);
    }
}

/// Writes the subsections of a processor's state; the rate of its time stamp counter if
/// the machine's sections have it.
pub(super) fn write(state: &ProcessorState, fields: &mut Fields, save_tsc_khz: bool) {
    for Part { name, fields: members } in &MSRS {
        let value = |register| state.msr(register);
        let numbers = |MsrField(name, size, first, count): &MsrField| {
            (*name, *size, (*first..first + count).map(value).collect())
        };
        let numbers: Vec<(&str, usize, Vec<u64>)> = members.iter().map(numbers).collect();
        let mut registers =
            members.iter().flat_map(|MsrField(_, _, first, count)| *first..first + count);
        let needed = registers.any(|register| value(register) != msr_at_reset(register));
        put(fields, name, needed, &numbers);
    }
    let registers = &state.registers;
    let (opcode, instruction, operand) = registers.fpu.last;
    put(
        fields,
        LAST_INSTRUCTION,
        registers.fpu.last != (0, 0, 0),
        &[
            ("env.fpop", 2, vec![opcode.into()]),
            ("env.fpip", 8, vec![instruction]),
            ("env.fpdp", 8, vec![operand]),
        ],
    );
    let vectors = &registers.vectors;
    let (lower, upper) = vectors.registers.split_at(16);
    let lower: Vec<u64> = lower.iter().flat_map(|register| register[4..].to_vec()).collect();
    let upper = upper.as_flattened().to_vec();
    let needed = [&vectors.masks[..], &lower, &upper]
        .iter()
        .any(|words| words.iter().any(|word| *word != 0));
    put(
        fields,
        AVX512,
        needed,
        &[
            ("env.opmask_regs", 8, vectors.masks.to_vec()),
            ("env.xmm_regs[0]", 8, lower),
            ("env.xmm_regs[1]", 8, upper),
        ],
    );
    let rights = u64::from(registers.protection_keys);
    put(fields, PROTECTION_KEYS, rights != 0, &[("env.pkru", 4, vec![rights])]);
    let khz = state.tsc_khz.filter(|_| save_tsc_khz).map_or(0, u64::from);
    put(fields, TSC_RATE, khz != 0, &[("env.tsc_khz", 8, vec![khz])]);
    fields.drop_part(DERIVED);
}

fn put(fields: &mut Fields, name: &str, needed: bool, numbers: &[(&str, usize, Vec<u64>)]) {
    match needed {
        true => fields.set_part(name, numbers),
        false => fields.drop_part(name),
    }
}

fn copy(to: &mut [u64], from: &[u64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

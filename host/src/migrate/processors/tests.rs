use std::io::Read as _;

use flate2::read::GzDecoder;
use proptest::prelude::*;
use vmstate::{Devices, Layouts, Value};

use super::*;
use crate::vm::{ApicState, CpuState, Events, Fpu, Segment, Vectors};

const KERNEL: ProcessorForm = ProcessorForm { cpus: 2, apics: true, chips: true };

/// Of the newest machines.
fn migration() -> Migration {
    Migration::default()
}

fn recorded() -> Stream {
    let packed = include_bytes!("../../../../tests/data/processors/qemu-7.2-kvm.xsds.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
    Stream::read(&bytes, Layouts::builtin()).unwrap()
}

/// What it says of processors with addresses of 40 bits, as QEMU's model has them.
fn recorded_state() -> VmState {
    let mut state = read(&recorded(), KERNEL).ok().unwrap().unwrap();
    state.processors.iter_mut().for_each(|processor| processor.physical_bits = 40);
    state
}

fn now(stream: &Stream) -> u64 {
    clock::read(stream.devices.section(clock::NAME, 0).unwrap()).ok().unwrap()
}

fn stream(sections: Vec<Section>) -> Stream {
    let devices = Devices { sections, ..Devices::default() };
    Stream { devices, ..recorded() }
}

/// The fields of a section that differ, by name.
fn differences(a: &Section, b: &Section) -> Vec<String> {
    let fields = |section| Layouts::builtin().decode(section).unwrap().structure.fields;
    let pairs = fields(a).into_iter().zip(fields(b));
    let different = pairs.filter(|(a, b)| a.value != b.value);
    different.map(|(a, _)| format!("{} {}", section_name(b), a.name)).collect()
}

fn section_name(section: &Section) -> String {
    format!("{} {}", section.name, section.instance)
}

#[test]
fn what_qemu_has_saved_is_saved_again() {
    let recorded = recorded();
    let state = recorded_state();
    let first = &state.processors[0].registers;
    assert_eq!((first.rip, first.rflags, first.general[2]), (0x7c11, 0x293, 0xfc3e));
    assert_eq!((first.segments[1].base, first.segments[1].attributes), (0, 0x9b00));
    let activities: Vec<_> = state.processors.iter().map(|cpu| cpu.activity).collect();
    assert_eq!(activities, [3, 3]);
    let chips = state.chips.as_ref().unwrap();
    assert_eq!((chips.pics[0].irq_base, chips.pics[1].irq_base), (8, 0x70));
    assert_eq!(chips.timer.channels[0].count, 0x1_0000);

    let now = now(&recorded);
    let written = write(&state, Some(&recorded), &migration(), now).unwrap();
    let own: Vec<_> =
        recorded.devices.sections.iter().filter(|section| KERNEL.has(section)).collect();
    assert_eq!(own.len(), written.len());
    for section in &written {
        let old = own.iter().find(|old| section_name(old) == section_name(section)).unwrap();
        match section.name.as_str() {
            // When its counters began is this host's affair.
            chips::TIMER => {}
            _ => assert!(section.payload == old.payload, "{:?}", differences(section, old)),
        }
    }
}

/// Without what QEMU had saved the sections say the same but for what only QEMU's own
/// processors have.
#[test]
fn what_qemu_has_saved_is_written_anew() {
    let recorded = recorded();
    let state = recorded_state();
    let written = write(&state, None, &migration(), now(&recorded)).unwrap();
    let mut different = Vec::new();
    for section in written.iter().filter(|section| section.name != chips::TIMER) {
        let old = recorded.devices.section(&section.name, section.instance).unwrap();
        different.extend(differences(section, old));
        assert_eq!(section.payload.len(), old.payload.len());
    }
    assert_eq!(different, ["cpu 0 env.hflags2", "cpu 1 env.hflags2"]);
}

#[test]
fn a_state_must_have_all_that_the_machine_has() {
    let without = |name: &str, instance: u32| {
        let mut sections = recorded().devices.sections;
        sections.retain(|section| section.name != name || section.instance != instance);
        let problems = read(&stream(sections), KERNEL).err().unwrap();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let missing = |name: &str, owner: &str| {
        let reason = "the state ends early, or was saved without that device";
        vec![format!("section {name} is missing, which device {owner} always saves: {reason}")]
    };
    assert_eq!(without("apic", 1), missing("apic", "processor 1"));
    assert_eq!(without("i8259", 1), missing("i8259", "the kernel"));
    assert_eq!(
        without("cpu", 1),
        ["the state has 1 processors, this machine has 2; start it with as many"]
    );
    // What clients drive has none, which is no mistake.
    let mut sections = recorded().devices.sections;
    sections.retain(|section| section.name != "cpu");
    assert!(read(&stream(sections), KERNEL).is_ok_and(|state| state.is_none()));
    // Where the kernel has no chips they are devices' affair.
    let split = ProcessorForm { chips: false, ..KERNEL };
    assert!(read(&recorded(), split).ok().unwrap().unwrap().chips.is_none());
}

#[test]
fn what_no_processor_here_has_is_refused() {
    let refused = |change: &dyn Fn(&mut Fields)| {
        let mut sections = recorded().devices.sections;
        let section = sections.iter_mut().find(|section| section.name == "cpu").unwrap();
        let mut fields = Fields::of(section).unwrap();
        change(&mut fields);
        let offset = section.offset;
        *section = Section { offset, ..fields.finish().unwrap() };
        let problems = read(&stream(sections), KERNEL).err().unwrap();
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let part: [(&str, usize, Vec<u64>); 2] =
        [("env.nested_cr3", 8, vec![0x1000]), ("env.nested_pg_mode", 4, vec![1])];
    assert_eq!(
        refused(&|fields| fields.set_part("cpu/svn_npt", &part)),
        "at offset 0x6e: device processor 0: no processor here has what cpu/svn_npt says"
    );
    assert_eq!(
        refused(&|fields| fields.set("env.hflags", [1 << 19])),
        "at offset 0x6e: device processor 0: it is in system management mode, which is not taken \
         over"
    );
    assert_eq!(
        refused(&|fields| fields.set("env.hflags", [1 << 21])),
        "at offset 0x6e: device processor 0: it runs a guest of its own, which is not taken over"
    );
}

/// A section of qemu-system-i386, whose registers have 32 bits, stays one as long as it can.
#[test]
fn a_section_of_32_bits_stays_one_if_it_can() {
    let section = Section { payload: vec![0; 1313], ..cpu_section() };
    let mut fields = Fields::of(&section).unwrap();
    assert_eq!(fields.numbers("env.regs").len(), 8);
    fields.set("env.regs", [1, 2, 3, 4, 5, 6, 7, 8]);
    let mut sections = vec![fields.finish().unwrap()];
    let form = ProcessorForm { cpus: 1, apics: false, chips: false };
    let mut state = read(&stream(sections.clone()), form).ok().unwrap().unwrap();
    state.processors[0].physical_bits = 52;
    assert_eq!(state.processors[0].registers.general[..8], [1, 4, 2, 3, 7, 8, 6, 5]);
    let origin = stream(std::mem::take(&mut sections));
    let size = |state: &VmState| {
        let written = write(state, Some(&origin), &migration(), 0).unwrap();
        written.iter().find(|section| section.name == "cpu").unwrap().payload.len()
    };
    assert_eq!(size(&state), 1313);
    state.processors[0].registers.general[12] = 1;
    assert_eq!(size(&state), 1817);
}

fn cpu_section() -> Section {
    recorded().devices.section("cpu", 0).unwrap().clone()
}

/// The timer's count goes on where it was.
#[test]
fn a_local_timer_goes_on() {
    for (vector, initial, current, count) in [
        (0x40, 1000, 700, 650),
        // One that has run out stays there, a periodic one begins anew.
        (0x40, 1000, 20, 0),
        (0x2_0040, 1000, 20, 971),
    ] {
        let mut apic = ApicState { base: 0xfee0_0900, registers: Box::new([0; 1024]) };
        apic.set_register(0xe0, 0xffff_ffff);
        apic.set_register(0x320, vector);
        apic.set_register(0x380, initial);
        apic.set_register(0x390, current);
        // By 16.
        apic.set_register(0x3e0, 3);
        let section = apic::write(&apic, 0, &[], 1_000_000).unwrap();
        let fields = Fields::of(&section).unwrap();
        let started = 1_000_000 - u64::from(initial - current) * 16;
        assert_eq!(fields.number("initial_count_load_time"), started);
        assert_eq!(fields.number("timer_expiry"), started + u64::from(initial + 1) * 16);
        assert_eq!(apic::read(&fields, 1_000_000), apic);
        let later = apic::read(&fields, 1_000_000 + 50 * 16);
        assert_eq!(later.register(0x390), count);
        // Saved by QEMU, which has it begin when it is saved.
        apic.set_register(0x390, initial);
        let section = apic::write(&apic, 0, &[], 1_000_000).unwrap();
        let anew = apic::read(&Fields::of(&section).unwrap(), 1_000_000);
        assert_eq!(anew.register(0x390), if vector == 0x40 { 0 } else { initial });
    }
}

prop_compose! {
    fn segment()(
        selector: u16,
        base: u64,
        limit: u32,
        attributes: u32,
    ) -> Segment {
        Segment { selector, base, limit, attributes: attributes & 0x00f0_ff00 }
    }
}

prop_compose! {
    fn registers()(
        general: [u64; 16],
        (rip, rflags, cr2, cr3, cr4, efer) in any::<(u64, u64, u64, u64, u64, u64)>(),
        segments in prop::array::uniform8(segment()),
        (gdt, idt) in any::<((u64, u16), (u64, u16))>(),
        breakpoints: [u64; 4],
        (dr6, dr7) in any::<(u64, u64)>(),
        interrupt_shadow: bool,
        (control, status, tags) in any::<(u16, u16, u8)>(),
        fpu_registers: [(u64, u16); 8],
        last: (u16, u64, u64),
        protection_keys: u32,
        (mxcsr, enabled, in_use) in any::<(u32, u64, u64)>(),
        low: [[u64; 8]; 16],
        high: [[u64; 8]; 16],
        masks: [u64; 8],
    ) -> CpuState {
        let mut vectors = Vectors { mxcsr, enabled, in_use, masks, ..Vectors::default() };
        vectors.registers[..16].copy_from_slice(&low);
        vectors.registers[16..].copy_from_slice(&high);
        CpuState {
            general, rip, rflags, segments, gdt, idt,
            // In real mode segments have no privilege.
            cr0: 1,
            cr2, cr3, cr4, efer, breakpoints, dr6, dr7, interrupt_shadow,
            smm: false,
            halted: false,
            fpu: Fpu { control, status, tags, registers: fpu_registers, last },
            protection_keys,
            vectors,
        }
    }
}

prop_compose! {
    fn events()(
        exception: Option<u8>,
        has_error_code: bool,
        interrupt: Option<u8>,
        (soft, nmi_injected, nmi_pending, nmi_masked) in any::<(bool, bool, bool, bool)>(),
        sipi_vector: u32,
    ) -> Events {
        let error_code = exception.filter(|_| has_error_code).map(|_| 0);
        Events {
            exception, error_code, interrupt, soft, nmi_injected, nmi_pending, nmi_masked,
            sipi_vector,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// All that a processor can hold is in its sections.
    #[test]
    fn a_processor_is_read_as_it_was_written(
        registers in registers(),
        events in events(),
        activity in 0u32..4,
        values: [u32; 8],
        tsc_khz in prop::option::of(1u32..),
    ) {
        // Every register that sections have, with some value.
        let empty = recorded();
        let template = read(&empty, ProcessorForm { cpus: 2, apics: false, chips: false });
        let mut known = template.ok().unwrap().unwrap().processors.remove(0).msrs;
        for ((register, value), new) in known.iter_mut().zip(values.iter().cycle()) {
            *value = match register {
                0x200..=0x20f => u64::from(*new),
                _ => *value ^ u64::from(*new),
            };
        }
        let state = ProcessorState {
            registers, events, activity, msrs: known, machine_checks: 0x100_010a, tsc_khz,
            physical_bits: 52, apic: None,
        };
        let whole = VmState {
            processors: vec![state.clone()], chips: None, messages: Vec::new(), clock: 77,
        };
        let written = write(&whole, None, &migration(), 5).unwrap();
        let form = ProcessorForm { cpus: 1, apics: false, chips: false };
        let found = read(&stream(written), form).ok().unwrap().unwrap();
        prop_assert_eq!(found.clock, 77);
        let found = ProcessorState { physical_bits: 52, ..found.processors[0].clone() };
        prop_assert_eq!(found, state);
    }

    /// Whatever the sections hold, they are read or refused.
    #[test]
    fn spoilt_sections_do_no_harm(
        spoilt in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut sections = recorded().devices.sections;
        sections.retain(|section| KERNEL.has(section));
        for (section, place, byte) in spoilt {
            let payload = &mut section.get_mut(&mut sections).payload;
            let place = place.index(payload.len());
            payload[place] = byte;
        }
        if let Ok(Some(state)) = read(&stream(sections), KERNEL) {
            prop_assert!(write(&state, None, &migration(), 0).is_some());
        }
    }
}

#[test]
fn an_old_machine_says_less() {
    let recorded = recorded();
    let state = recorded_state();
    let old = Migration { save_tsc_khz: false, reliable_get_clock: false, ..migration() };
    let written = write(&state, Some(&recorded), &old, 0).unwrap();
    for section in written {
        let reading = Layouts::builtin().decode(&section).unwrap();
        assert_eq!(reading.structure.subsections, [], "{}", section_name(&section));
        assert!(!reading.structure.fields.iter().any(|field| field.value == Value::Bool(true)));
    }
}

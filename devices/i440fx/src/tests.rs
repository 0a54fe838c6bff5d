//! The bridge alone. `tests/board` holds it against QEMU.

use proptest::prelude::*;
use southbridge_sdk::Device as _;
use southbridge_sdk::fake::{Action, Bench, Effect};
use southbridge_sdk::wit::{PropertyValue, Scope, Section};

use crate::I440fx;

const CONFADD: u16 = 0xcf8;
const CONFDATA: u16 = 0xcfc;

fn number(name: &str, value: u64) -> (&str, PropertyValue) {
    (name, PropertyValue::Number(value))
}

fn configuration_write(bench: &mut Bench<I440fx>, address: u32, size: u8, value: u64) {
    bench.port_out(CONFADD, 4, (0x8000_0000 | address).into());
    bench.port_out(CONFDATA + (address & 3) as u16, size, value);
}

fn configuration_read(bench: &mut Bench<I440fx>, address: u32, size: u8) -> u64 {
    bench.port_out(CONFADD, 4, (0x8000_0000 | address).into());
    bench.port_in(CONFDATA + (address & 3) as u16, size)
}

#[test]
fn the_address_register_takes_whole_writes_only() {
    let mut bench = Bench::<I440fx>::new();
    bench.port_out(CONFADD, 4, 0x8000_1234);
    bench.port_out(CONFADD, 1, 0xff);
    bench.port_out(CONFADD + 2, 2, 0xffff);
    assert_eq!(bench.port_in(CONFADD, 4), 0x8000_1234);
    assert_eq!(bench.port_in(CONFADD + 2, 1), 0x34);
}

#[test]
fn cycles_that_no_function_answers_read_as_ones() {
    let mut bench = Bench::<I440fx>::new();
    bench.fake.pci.insert(0x08, Box::new([0x5a; 256]));
    assert_eq!(configuration_read(&mut bench, 0x0000_0800, 4), 0x5a5a_5a5a);
    assert_eq!(configuration_read(&mut bench, 0x0000_1000, 4), 0xffff_ffff);
    assert_eq!(configuration_read(&mut bench, 0x0001_0800, 4), 0xffff_ffff);
    bench.port_out(CONFADD, 4, 0x0000_0800);
    assert_eq!(bench.port_in(CONFDATA, 2), 0xffff);
    bench.port_out(CONFDATA, 2, 0);
    assert_eq!(configuration_read(&mut bench, 0x0000_0800, 4), 0x5a5a_5a5a);
}

#[test]
fn a_cycle_that_runs_over_the_end_is_cut() {
    let mut bench = Bench::<I440fx>::new();
    bench.fake.pci.insert(0x08, Box::new([0x5a; 256]));
    for devfn in [0, 8] {
        for (register, expected) in [(0xfd, 0x0033_2211), (0xfe, 0x2211), (0xff, 0x11)] {
            bench.port_out(CONFADD, 4, 0x8000_0000 | devfn << 8 | register);
            bench.port_out(CONFDATA, 4, 0x4433_2211);
            assert_eq!(bench.port_in(CONFDATA, 4), expected, "{devfn:#x} {register:#x}");
        }
    }
}

#[test]
fn segments_show_ram_as_their_attributes_say() {
    let mut bench = Bench::<I440fx>::new();
    // PAM0: 0xf0000 from bit 4 on. PAM4: 0xd8000 and 0xdc000.
    configuration_write(&mut bench, 0x59, 1, 0x10);
    configuration_write(&mut bench, 0x5d, 1, 0x23);
    let windows = I440fx::describe().windows;
    let named = |name| windows.iter().position(|w| w.name == name).map_or(99, |w| w as u32);
    let expected = [
        Effect::Window(named("pam-f0000"), "ram-read-only"),
        Effect::Window(named("pam-d8000"), "ram"),
        Effect::Window(named("pam-dc000"), "ram"),
    ];
    let set = |bench: &mut Bench<I440fx>| -> Vec<Effect> {
        let effects = bench.fake.take().into_iter();
        effects.filter(|effect| matches!(effect, Effect::Window(..))).collect()
    };
    assert_eq!(set(&mut bench), expected);
    // Nothing is said twice, and a reset leaves the registers alone.
    configuration_write(&mut bench, 0x5d, 1, 0x23);
    bench.reset();
    assert_eq!(set(&mut bench), []);
    configuration_write(&mut bench, 0x59, 4, 0);
    configuration_write(&mut bench, 0x5d, 1, 0x03);
    let back =
        [Effect::Window(named("pam-f0000"), "bus"), Effect::Window(named("pam-dc000"), "bus")];
    assert_eq!(set(&mut bench), back);
    assert_eq!((windows[0].base, windows[0].size), (0xf0000, 0x10000));
    assert_eq!(windows.iter().map(|window| window.size).sum::<u64>(), 0x60000);
}

#[test]
fn open_smram_shows_ram() {
    let mut bench = Bench::<I440fx>::new();
    assert_eq!(configuration_read(&mut bench, 0x72, 1), 0x02);
    // D_LCK does not keep D_OPEN from changing, as in QEMU.
    configuration_write(&mut bench, 0x72, 1, 0x5a);
    configuration_write(&mut bench, 0x72, 1, 0x1a);
    let windows = bench.fake.take().into_iter().filter(|e| matches!(e, Effect::Window(..)));
    assert_eq!(windows.collect::<Vec<_>>(), [Effect::Window(13, "ram"), Effect::Window(13, "bus")]);
}

#[test]
fn pins_of_all_slots_share_four_lines() {
    let mut bench = Bench::<I440fx>::new();
    for slot in 0..32 {
        for pin in 0..4 {
            bench.line(4 * slot + pin, true);
            let high: Vec<_> = (128..132).filter(|&line| bench.fake.line(line)).collect();
            assert_eq!(high, [128 + (slot + 3 + pin) % 4], "slot {slot}, pin {pin}");
            bench.line(4 * slot + pin, false);
        }
    }
    assert_eq!(I440fx::describe().lines[4 * 3 + 1].name, "slot3.intb");
    // Slot 1's INTA# and slot 5's.
    bench.line(4, true);
    bench.line(20, true);
    bench.line(4, false);
    assert!(bench.fake.line(128));
    bench.line(20, false);
    assert!(!bench.fake.line(128));
}

#[test]
fn old_firmware_finds_how_much_ram_there_is() {
    for (ram, register) in [(0, 0), (16 << 20, 2), (2 << 30, 0xff), (u64::MAX, 0xff)] {
        let mut bench = Bench::<I440fx>::with(&[number("ram-size", ram)]);
        assert_eq!(configuration_read(&mut bench, 0x57, 1), register);
    }
}

#[test]
#[should_panic(expected = "property interrupt-lines: 5 found, 4 or 128 expected")]
fn a_bus_has_4_or_128_lines() {
    let _ = Bench::<I440fx>::with(&[number("interrupt-lines", 5)]);
}

fn bus(nirq: u32, counts: &[i32]) -> Vec<Section> {
    let mut data = nirq.to_be_bytes().to_vec();
    data.extend(counts.iter().flat_map(|count| count.to_be_bytes()));
    vec![Section { name: "PCIBUS".into(), version: 1, data }]
}

#[test]
fn loaded_counts_give_way_to_what_the_functions_drive() {
    let mut bench = Bench::<I440fx>::configured(&[]);
    bench.load(Scope::Stream, bus(4, &[0, 0, 1, 0])).expect("QEMU saves such counts");
    assert!(!bench.fake.line(130));
    bench.line(12, true);
    bench.line(12, false);
    assert!(!bench.fake.line(130));
}

#[test]
fn impossible_states_are_refused() {
    let refused = |sections| {
        let refusal = Bench::<I440fx>::configured(&[]).load(Scope::Stream, sections);
        refusal.expect_err("it is impossible").reason
    };
    assert_eq!(refused(bus(128, &[0; 128])), "128 found, 4 expected");
    assert_eq!(refused(bus(4, &[0, -1, 0, 0])), "[0, -1, 0, 0] found, 0 to 128 expected of each");
    assert_eq!(refused(bus(4, &[0, 0, 0])), "truncated: 4 bytes expected, 0 left");
    let mut sections = Bench::<I440fx>::new().save(Scope::Stream);
    sections[2].data[4] = 0x5a;
    assert!(refused(sections).starts_with("byte 0x00 is 0x5a, 0x86 expected"));
}

#[test]
fn the_address_is_saved_if_the_property_says_so() {
    let off = ("x-config-reg-migration-enabled", PropertyValue::Flag(false));
    let names = |bench: &mut Bench<I440fx>, scope| -> Vec<String> {
        bench.save(scope).into_iter().map(|section| section.name).collect()
    };
    assert_eq!(names(&mut Bench::new(), Scope::Stream), ["PCIHost", "PCIBUS", "I440FX"]);
    let mut old = Bench::<I440fx>::with(&[off]);
    assert_eq!(names(&mut old, Scope::Stream), ["PCIBUS", "I440FX"]);
    assert_eq!(names(&mut old, Scope::Whole), ["PCIHost", "PCIBUS", "I440FX"]);
}

fn action() -> impl Strategy<Value = Action> {
    let size = || prop_oneof![Just(1_u8), Just(2), Just(4)];
    let interesting = prop_oneof![0x58..0x60_u64, 0x70..0x74_u64, 0..0x100_u64];
    prop_oneof![
        4 => interesting.prop_map(|at| Action::Out(CONFADD, 4, 0x8000_0000 | at)),
        8 => (0xcf8..0xd00_u16, size(), any::<u64>())
            .prop_map(|(port, size, value)| Action::Out(port, size, value & access::mask(size))),
        4 => (0xcf8..0xd00_u16, size()).prop_map(|(port, size)| Action::In(port, size)),
        4 => (0..128_u32, any::<bool>()).prop_map(|(line, level)| Action::Line(line, level)),
        1 => Just(Action::Reset),
    ]
}

/// What each window shows after some effects.
fn shown(effects: &[Effect]) -> [&'static str; 14] {
    let mut modes = ["bus"; 14];
    for effect in effects {
        if let Effect::Window(window, mode) = effect {
            modes[*window as usize] = mode;
        }
    }
    modes
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..40),
        after in prop::collection::vec(action(), 0..40),
        xen: bool,
    ) {
        let properties = [number("interrupt-lines", if xen { 128 } else { 4 })];
        let mut old = Bench::<I440fx>::with(&properties);
        for action in &before {
            old.perform(action);
        }
        let mut new = old.successor(&properties);
        prop_assert_eq!(shown(&old.fake.take()), shown(&new.fake.take()));
        old.assert_goes_on(&mut new, &after, Bench::perform);
        old.successor(&properties);
    }
}

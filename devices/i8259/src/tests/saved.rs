//! The saved state.

use proptest::prelude::*;
use southbridge_sdk::InterruptController;
use southbridge_sdk::fake::{Action, Bench};
use southbridge_sdk::wit::{PropertyValue, Refusal, Scope, Section};

use super::initialized;
use crate::{I8259, INTR};

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

fn data(bench: &mut Bench<I8259>) -> Vec<Vec<u8>> {
    let sections = bench.save(Scope::Stream);
    assert!(sections.iter().all(|s| s.name == "i8259" && s.version == 1));
    sections.into_iter().map(|s| s.data).collect()
}

#[test]
fn sections_are_those_of_the_recorded_streams() {
    let mut bench = Bench::<I8259>::new();
    assert_eq!(data(&mut bench), [golden!("reset", "i8259-0"), golden!("reset", "i8259-1")]);
    bench.port_out(0x4d0, 1, 0x20);
    bench.port_out(0x4d1, 1, 0x0c);
    // The keyboard answers, and the ACPI timer interrupts for a moment.
    bench.line(1, true);
    bench.line(9, true);
    bench.line(9, false);
    assert_eq!(data(&mut bench), [golden!("poked", "i8259-0"), golden!("poked", "i8259-1")]);
}

#[test]
fn each_controller_gets_its_own_section() {
    let mut bench = initialized();
    bench.port_out(0x20, 1, 0x19);
    bench.line(12, true);
    let saved = bench.save(Scope::Stream);
    assert_ne!(saved[0].data, saved[1].data);
    assert!(saved[0].data.ends_with(b"i8259/ltim\0\0\0\x01\x08"));
    let mut loaded = Bench::<I8259>::configured(&[]);
    loaded.load(Scope::Stream, saved.clone()).expect("its own state");
    assert!(loaded.fake.line(INTR));
    let again = loaded.save(Scope::Stream);
    assert_eq!([&again[0].data, &again[1].data], [&saved[0].data, &saved[1].data]);
}

fn load(properties: &[(&str, PropertyValue)], change: impl FnOnce(&mut [Section])) -> Refusal {
    let mut bench = initialized();
    bench.port_out(0x20, 1, 0x19);
    let mut saved = bench.save(Scope::Stream);
    change(&mut saved);
    let mut loaded = Bench::<I8259>::configured(properties);
    loaded.load(Scope::Stream, saved).expect_err("it is impossible")
}

#[test]
fn impossible_states_are_refused() {
    let refused = |section: usize, at: usize, value| {
        let refusal = load(&[], |sections| sections[section].data[at] = value);
        (refusal.field, refusal.reason)
    };
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(refused(1, 4, 8), pair("priority_add", "0x8 found, bits 0x7 expected"));
    assert_eq!(refused(0, 5, 1), pair("irq_base", "0x1 found, bits 0xf8 expected"));
    assert_eq!(refused(0, 14, 1), pair("single_mode", "1 found, 0 or 2 expected"));
    assert_eq!(refused(1, 15, 1), pair("elcr", "0x1 found, bits 0xde expected"));
    let refusal = load(&[("ltim", PropertyValue::Flag(false))], |_| {});
    assert_eq!(refusal.field, "i8259/ltim.ltim");
}

/// Does something, or lets a processor ask for the vector.
#[derive(Clone, Debug)]
enum Event {
    Action(Action),
    Acknowledge,
}

fn event() -> impl Strategy<Value = Event> {
    let port = || prop_oneof![Just(0x20_u16), Just(0x21), Just(0xa0), Just(0xa1)];
    let elcr = prop_oneof![Just(0x4d0_u16), Just(0x4d1)];
    let action = prop_oneof![
        4 => (port(), any::<u8>()).prop_map(|(port, byte)| Action::Out(port, 1, byte.into())),
        1 => (elcr, any::<u8>()).prop_map(|(port, byte)| Action::Out(port, 1, byte.into())),
        2 => (port(), prop_oneof![Just(1_u8), Just(2), Just(4)])
            .prop_map(|(port, size)| Action::In(port & !1, size)),
        6 => (0..16_u32, any::<bool>()).prop_map(|(line, level)| Action::Line(line, level)),
    ];
    prop_oneof![
        12 => action.prop_map(Event::Action),
        3 => Just(Event::Acknowledge),
        1 => Just(Event::Action(Action::Reset)),
    ]
}

fn happen(bench: &mut Bench<I8259>, event: &Event) -> u64 {
    match event {
        Event::Action(action) => bench.perform(action),
        Event::Acknowledge => bench.call(|pics, cx| pics.acknowledge(cx)).into(),
    }
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(event(), 0..60),
        after in prop::collection::vec(event(), 0..40),
        ltim: bool,
    ) {
        let properties = [("ltim", PropertyValue::Flag(ltim))];
        let mut old = Bench::<I8259>::with(&properties);
        for event in &before {
            happen(&mut old, event);
        }
        let mut new = old.successor(&properties);
        old.assert_goes_on(&mut new, &after, happen);
        old.successor(&properties);
    }
}

//! The saved state.

use proptest::prelude::*;
use southbridge_sdk::EndOfInterrupt;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::{Refusal, Scope, Section};

use super::{get, set};
use crate::IoApic;

macro_rules! golden {
    ($case:literal) => {
        include_bytes!(concat!("../../../../tests/data/sections/", $case, "/ioapic.bin"))
    };
}

#[test]
fn the_section_is_that_of_the_recorded_streams() {
    let section = Bench::<IoApic>::new().save(Scope::Stream).remove(0);
    assert_eq!((section.name.as_str(), section.version), ("ioapic", 3));
    assert_eq!(section.data, golden!("reset"));
    assert_eq!(section.data, golden!("poked"), "nobody poked it");
}

fn load(change: impl FnOnce(&mut Section)) -> Result<Bench<IoApic>, Refusal> {
    let mut bench = Bench::<IoApic>::new();
    bench.fake.now = 1000;
    set(&mut bench, 0x18, 0x34);
    set(&mut bench, 0x24, 0x8041);
    let mut saved = bench.save(Scope::Stream);
    change(&mut saved[0]);
    let mut loaded = Bench::<IoApic>::configured(&[]);
    loaded.fake.now = bench.fake.now;
    loaded.load(Scope::Stream, saved).map(|()| loaded)
}

#[test]
fn inputs_are_driven_after_loading_as_before() {
    let mut bench = load(|_| {}).expect("its own state");
    assert_eq!(bench.fake.take().len(), 1, "the mapping alone");
    for _ in 0..2 {
        bench.line(4, true);
        assert_eq!(bench.fake.take().len(), 1, "each is an edge");
    }
    bench.line(10, true);
    assert_eq!(bench.fake.take().len(), 1, "a level counts");
}

#[test]
fn older_versions_have_no_requests() {
    let mut bench = load(|section| {
        section.version = 1;
        section.data.drain(2..14);
    })
    .expect("QEMU loads version 1");
    assert_eq!(get(&mut bench, 0x24), 0x8041);
}

#[test]
fn impossible_states_are_refused() {
    let refused = |at: usize| {
        let refusal = load(|section| section.data[at] |= 0x10).err().expect("it is impossible");
        (refusal.field, refusal.reason)
    };
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(refused(0), pair("id", "0x10 found, at most 0xf expected"));
    assert_eq!(refused(10), pair("irr", "0x10000000 found, 24 bits expected"));
}

#[derive(Clone, Debug)]
enum Event {
    Set(u8, u32),
    Get(u8),
    Line(u32, bool),
    End(u8),
    Pass(u64),
    Reset,
}

fn event() -> impl Strategy<Value = Event> {
    let entry = any::<(u8, bool, bool)>().prop_map(|(vector, masked, level)| {
        u32::from(vector & 3) | u32::from(masked) << 16 | u32::from(level) << 15
    });
    prop_oneof![
        4 => (0x10..0x18_u8, entry).prop_map(|(register, value)| Event::Set(register, value)),
        1 => any::<(u8, u32)>().prop_map(|(register, value)| Event::Set(register, value)),
        2 => any::<u8>().prop_map(Event::Get),
        4 => (0..4_u32, any::<bool>()).prop_map(|(line, level)| Event::Line(line, level)),
        3 => (0..4_u8).prop_map(Event::End),
        1 => (0..20_000_000_u64).prop_map(Event::Pass),
        1 => Just(Event::Reset),
    ]
}

fn happen(bench: &mut Bench<IoApic>, event: &Event) -> u32 {
    match *event {
        Event::Set(register, value) => set(bench, register, value),
        Event::Get(register) => return get(bench, register),
        Event::Line(line, level) => bench.line(line, level),
        Event::End(vector) => bench.call(|ioapic, cx| ioapic.ended(cx, vector)),
        Event::Pass(duration) => bench.advance(duration),
        Event::Reset => bench.reset(),
    }
    0
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(event(), 0..40),
        after in prop::collection::vec(event(), 0..40),
    ) {
        let mut old = Bench::<IoApic>::new();
        for event in &before {
            happen(&mut old, event);
        }
        let mut new = old.successor(&[]);
        old.assert_goes_on(&mut new, &after, happen);
        old.successor(&[]);
    }
}

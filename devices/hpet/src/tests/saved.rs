//! The saved state.

use proptest::prelude::*;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::{PropertyValue, Refusal, Scope, Section};

use crate::{BASE, Hpet};

fn section(bench: &mut Bench<Hpet>) -> Section {
    bench.save(Scope::Stream).remove(0)
}

/// A level interrupt is high, a periodic timer runs, and time has passed.
fn busy(properties: &[(&str, PropertyValue)]) -> Bench<Hpet> {
    let mut bench = Bench::<Hpet>::with(properties);
    bench.advance(1_234_567);
    for (offset, value) in [
        (0x100, 0x406),
        (0x108, 50),
        (0x10c, 0),
        (0x120, 0x64c),
        (0x128, 1_000_000),
        (0x12c, 0),
        (0x010, 1),
    ] {
        bench.memory_out(BASE + offset, 4, value);
    }
    bench.advance(5000);
    assert!(bench.fake.line(2));
    bench
}

#[test]
fn the_section_is_that_of_the_recorded_streams() {
    let reset = include_bytes!("../../../../tests/data/sections/reset/hpet.bin");
    assert_eq!(section(&mut Bench::<Hpet>::new()).data, reset);
}

#[test]
fn a_loaded_state_goes_on() {
    let mut bench = busy(&[]);
    let saved = section(&mut bench);
    let mut loaded = Bench::<Hpet>::configured(&[]);
    loaded.fake.now = bench.fake.now;
    loaded.load(Scope::Stream, vec![saved.clone()]).expect("its own state");
    assert!(loaded.fake.line(2));
    assert_eq!(section(&mut loaded).data, saved.data);
    for bench in [&mut bench, &mut loaded] {
        bench.fake.take();
        bench.advance(10_000_000);
    }
    assert_eq!(loaded.fake.take(), bench.fake.take());
    assert_eq!(section(&mut loaded).data, section(&mut bench).data);
}

/// Machines before 2.12.
#[test]
fn without_the_offset_the_counter_goes_on_from_where_it_was() {
    let properties = [("hpet-offset-saved", PropertyValue::Flag(false))];
    let mut bench = busy(&properties);
    let saved = section(&mut bench);
    assert_eq!(saved.data.len(), 151);
    let mut loaded = Bench::<Hpet>::configured(&properties);
    loaded.fake.now = 77_000_000;
    loaded.load(Scope::Stream, vec![saved]).expect("its own state");
    assert_eq!(loaded.memory_in(BASE + 0xf0, 4), 500);
}

#[test]
fn impossible_states_are_refused() {
    let refused = |at: usize, value| {
        let mut saved = section(&mut busy(&[]));
        saved.data[at] = value;
        let mut bench = Bench::<Hpet>::configured(&[]);
        let Refusal { field, reason, .. } =
            bench.load(Scope::Stream, vec![saved]).expect_err("it is impossible");
        (field, reason)
    };
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(refused(24, 4), pair("num_timers", "4 found, 3 expected"));
    assert_eq!(refused(25 + 42, 0), pair("timer.tn", "0 found, 1 expected"));
    assert_eq!(refused(25 + 33, 2), pair("timer.wrap_flag", "2 found, 0 or 1 expected"));
}

/// What a guest, or time, does.
#[derive(Clone, Debug)]
enum Event {
    Write(u64, u32),
    Read(u64),
    Line(u32, bool),
    Advance(u64),
    Reset,
}

fn event() -> impl Strategy<Value = Event> {
    let register = || {
        prop_oneof![
            Just(0x10_u64),
            Just(0x20),
            Just(0xf0),
            Just(0xf4),
            (0..3_u64, 0..8_u64).prop_map(|(timer, at)| 0x100 + 0x20 * timer + 4 * at),
        ]
    };
    let value = prop_oneof![any::<u32>(), 1..0x8000_u32];
    prop_oneof![
        6 => (register(), value).prop_map(|(register, value)| Event::Write(register, value)),
        3 => register().prop_map(Event::Read),
        1 => (25..27_u32, any::<bool>()).prop_map(|(line, level)| Event::Line(line, level)),
        3 => (0..100_u64).prop_map(Event::Advance),
        1 => Just(Event::Reset),
    ]
}

fn perform(bench: &mut Bench<Hpet>, event: &Event) -> u64 {
    match *event {
        Event::Write(offset, value) => bench.memory_out(BASE + offset, 4, value.into()),
        Event::Read(offset) => return bench.memory_in(BASE + offset, 4),
        Event::Line(line, level) => bench.line(line, level),
        Event::Advance(duration) => bench.advance(duration),
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
        let mut old = Bench::<Hpet>::new();
        for event in &before {
            perform(&mut old, event);
        }
        let mut new = old.successor(&[]);
        old.assert_goes_on(&mut new, &after, perform);
    }

    #[test]
    fn no_state_traps(
        bytes in prop::collection::vec(any::<u8>(), 126),
        events in prop::collection::vec(event(), 0..40),
    ) {
        let mut saved = section(&mut busy(&[]));
        saved.data[25..151].copy_from_slice(&bytes);
        for timer in 0..3 {
            let timer_data = &mut saved.data[25 + 42 * timer..][..42];
            (timer_data[0], timer_data[33]) = (timer as u8, timer_data[33] & 1);
            timer_data[34] &= 0x7f;
        }
        let mut bench = Bench::<Hpet>::configured(&[]);
        bench.load(Scope::Stream, vec![saved]).expect("every value of these fields is legal");
        bench.fake.timers.clear();
        for event in &events {
            perform(&mut bench, event);
        }
    }
}

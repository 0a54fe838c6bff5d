//! The saved state.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench};
use southbridge_sdk::wit::{PropertyValue, Scope, Section};

use super::{get, recorded, set};
use crate::Mc146818;

fn section(bench: &mut Bench<Mc146818>) -> Section {
    bench.save(Scope::Stream).remove(0)
}

#[test]
fn the_section_is_that_of_the_recorded_streams() {
    let mut bench = Bench::<Mc146818>::with(&recorded(true));
    let reset = include_bytes!("../../../../tests/data/sections/reset/mc146818rtc.bin");
    assert_eq!(section(&mut bench).data, reset);
    // What case `poked` does.
    bench.advance(5_000_000);
    for (register, value) in [(0x0b, 0x12), (0x0a, 0x26), (0x01, 0x59), (0x40, 0xa5), (0x7f, 0x5a)]
    {
        set(&mut bench, register, value);
    }
    bench.advance(1_234_567);
    let poked = include_bytes!("../../../../tests/data/sections/poked/mc146818rtc.bin");
    assert_eq!(section(&mut bench).data, poked);
}

#[test]
fn the_time_is_saved_up_to_date_and_the_device_is_as_before() {
    let mut bench = Bench::<Mc146818>::with(&recorded(false));
    bench.advance(90_500_000_000);
    let before = format!("{:?}", bench.device);
    // 15:18:41 and 90 seconds, in register order with the alarms between.
    assert_eq!(section(&mut bench).data[..5], [0x11, 0, 0x20, 0, 0x15]);
    assert_eq!(format!("{:?}", bench.device), before);
}

/// A stream counts by the machine's own time or by the host's. Either way the
/// time goes on from what it says, and is saved again as it was.
#[test]
fn the_time_goes_on_after_a_load() {
    for clock_base in [0, 1_585_322_321] {
        let base = ("clock-base", PropertyValue::Number(clock_base));
        let properties = [&recorded(false)[..], &[base]].concat();
        let mut bench = Bench::<Mc146818>::with(&properties);
        bench.advance(19_000_000_000);
        let saved = section(&mut bench);
        let mut loaded = Bench::<Mc146818>::configured(&[]);
        loaded.fake.now = if clock_base == 0 { bench.fake.now } else { 77 };
        loaded.load(Scope::Stream, vec![saved.clone()]).expect("its own state");
        assert_eq!(section(&mut loaded).data, saved.data);
        loaded.advance(61_000_000_000);
        assert_eq!([4, 2, 0].map(|register| get(&mut loaded, register)), [0x15, 0x20, 0x01]);
    }
}

#[test]
fn impossible_states_are_refused() {
    let refused = |at: usize, value| {
        let mut saved = section(&mut Bench::new());
        saved.data[at] = value;
        let mut bench = Bench::<Mc146818>::configured(&[]);
        let refusal = bench.load(Scope::Stream, vec![saved]).expect_err("it is impossible");
        (refusal.field, refusal.reason)
    };
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    assert_eq!(refused(128, 0x80), pair("cmos_index", "0x80 found, at most 0x7f expected"));
    let expected = pair("irq_coalesced", "7 lost ticks found, none expected");
    assert_eq!(refused(128 + 1 + 28 + 16 + 24 + 3, 7), expected);
    let (field, reason) = refused(213, 0x80);
    assert_eq!(field, "last_update");
    assert!(reason.ends_with("at most 9223372036854775807 expected"), "{reason}");
}

/// The registers show no time that goes with it: the clock goes on from where it was
/// set. Its timers stay in reach of QEMU's clocks, which are signed.
#[test]
fn a_time_before_and_after_all_others() {
    for base in [i64::MIN, i64::MAX] {
        let mut saved = section(&mut Bench::with(&recorded(false)));
        saved.data[205..213].copy_from_slice(&base.to_be_bytes());
        saved.data[213..221].copy_from_slice(&(i64::MAX - 5).to_be_bytes());
        let mut bench = Bench::<Mc146818>::configured(&recorded(false));
        bench.load(Scope::Stream, vec![saved]).expect("a legal state");
        set(&mut bench, 0x0b, 0x42);
        let saved = bench.save(Scope::Whole);
        let mut other = Bench::<Mc146818>::configured(&recorded(false));
        other.load(Scope::Whole, saved).expect("its own state");
    }
}

/// What a guest, or time, does.
#[derive(Clone, Debug)]
enum Event {
    Write(u8, u8),
    Read(u8),
    Advance(u64),
    Reset,
}

fn event() -> impl Strategy<Value = Event> {
    let register = || prop_oneof![4 => 0..0x10_u8, 1 => Just(0x32), 1 => Just(0x37)];
    prop_oneof![
        4 => (register(), any::<u8>()).prop_map(|(register, value)| Event::Write(register, value)),
        3 => register().prop_map(Event::Read),
        3 => (0..3_000_000_000_u64).prop_map(Event::Advance),
        1 => Just(Event::Reset),
    ]
}

fn perform(bench: &mut Bench<Mc146818>, event: &Event) -> u8 {
    match *event {
        Event::Write(register, value) => set(bench, register, value),
        Event::Read(register) => return get(bench, register),
        Event::Advance(duration) => bench.advance(duration),
        Event::Reset => {
            bench.perform(&Action::Reset);
        }
    }
    0
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(event(), 0..30),
        after in prop::collection::vec(event(), 0..30),
        wraps: bool,
    ) {
        let properties = recorded(wraps);
        let mut old = Bench::<Mc146818>::with(&properties);
        for event in &before {
            perform(&mut old, event);
        }
        let mut new = old.successor(&properties);
        old.assert_goes_on(&mut new, &after, perform);
    }

    #[test]
    fn no_state_traps(
        bytes in prop::collection::vec(any::<u8>(), 245),
        events in prop::collection::vec(event(), 0..30),
        wraps: bool,
    ) {
        let mut saved = section(&mut Bench::new());
        saved.data.copy_from_slice(&bytes);
        saved.data[128] &= 0x7f;
        saved.data[197..201].fill(0);
        for time in [157, 213, 229] {
            saved.data[time] &= 0x7f;
        }
        let mut bench = Bench::<Mc146818>::configured(&recorded(wraps));
        // Timers of a guest's past and far future are legal; so is every date.
        bench.load(Scope::Stream, vec![saved]).expect("every value of these fields is legal");
        bench.fake.timers.clear();
        for event in &events {
            perform(&mut bench, event);
        }
    }
}

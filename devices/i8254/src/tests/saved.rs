//! The saved state.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench};
use southbridge_sdk::wit::{PropertyValue, Refusal, Scope, Section};

use crate::{DISABLE, I8254, IRQ0};

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

fn sections(bench: &mut Bench<I8254>) -> Vec<(String, Vec<u8>)> {
    bench.save(Scope::Stream).into_iter().map(|s| (s.name, s.data)).collect()
}

fn expected(timer: &[u8], speaker: &[u8]) -> [(String, Vec<u8>); 2] {
    [("i8254".into(), timer.to_vec()), ("pcspk".into(), speaker.to_vec())]
}

#[test]
fn sections_are_those_of_the_recorded_streams() {
    let mut bench = Bench::<I8254>::new();
    assert_eq!(
        sections(&mut bench),
        expected(golden!("reset", "i8254"), golden!("reset", "pcspk"))
    );
    bench.advance(5_000_000);
    bench.port_out(0x43, 1, 0x34);
    bench.port_out(0x40, 1, 0x9c);
    bench.port_out(0x40, 1, 0x2e);
    bench.port_out(0x61, 1, 3);
    bench.advance(1_234_567);
    assert_eq!(
        sections(&mut bench),
        expected(golden!("poked", "i8254"), golden!("poked", "pcspk"))
    );
    let mut old = Bench::<I8254>::with(&[("migrate-pcspk", PropertyValue::Flag(false))]);
    assert_eq!(sections(&mut old), expected(golden!("reset", "i8254"), &[])[..1]);
}

/// Loads what a device saves, with a change in the timer's section.
fn load(change: impl FnOnce(&mut Section)) -> Result<Bench<I8254>, Refusal> {
    let mut saved = Bench::<I8254>::new().save(Scope::Stream);
    change(&mut saved[0]);
    let mut bench = Bench::<I8254>::configured(&[]);
    bench.load(Scope::Stream, saved).map(|()| bench)
}

#[test]
fn impossible_states_are_refused() {
    let refused = |at: usize, value| {
        let refusal = load(|section| section.data[at] = value).err().expect("it is impossible");
        (refusal.field, refusal.reason)
    };
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let too_high = pair("channels.count", "65537 found, 1 to 65536 expected");
    assert_eq!(refused(7, 1), too_high);
    assert_eq!(refused(5, 0), pair("channels.count", "0 found, 1 to 65536 expected"));
    assert_eq!(refused(17, 8), pair("channels.mode", "8 found, at most 7 expected"));
    assert_eq!(refused(3, 2), pair("channels[0].irq_disabled", "2 found, 0 or 1 expected"));
}

#[test]
fn version_2_has_no_disabled() {
    let bench = load(|section| {
        section.version = 2;
        section.data.drain(..4);
    });
    assert!(bench.is_ok_and(|bench| bench.fake.timers.len() == 1));
}

#[test]
fn a_timer_nobody_programmed_is_loaded_without_an_interrupt() {
    let mut bench = load(|_| {}).expect("its own state");
    assert!(!bench.fake.line(IRQ0));
    bench.advance(60_000_000);
    assert!(bench.fake.line(IRQ0));
    let saved = bench.save(Scope::Stream);
    let mut loaded = Bench::<I8254>::configured(&[]);
    loaded.fake.now = bench.fake.now;
    loaded.load(Scope::Stream, saved).expect("its own state");
    assert!(loaded.fake.line(IRQ0));
}

/// Does something, or lets nanoseconds pass.
#[derive(Clone, Debug)]
enum Event {
    Action(Action),
    Pass(u64),
}

fn event() -> impl Strategy<Value = Event> {
    let action = prop_oneof![
        4 => (0x40..0x44_u16, any::<u8>()).prop_map(|(port, byte)| Action::Out(port, 1, byte.into())),
        2 => any::<u8>().prop_map(|byte| Action::Out(0x43, 1, byte.into())),
        2 => (0..4_u64).prop_map(|bits| Action::Out(0x61, 1, bits)),
        4 => (0x40..0x44_u16).prop_map(|port| Action::In(port, 1)),
        2 => Just(Action::In(0x61, 1)),
        1 => any::<bool>().prop_map(|level| Action::Line(DISABLE, level)),
        1 => Just(Action::Reset),
    ];
    prop_oneof![4 => action.prop_map(Event::Action), 1 => (0..200_000_u64).prop_map(Event::Pass)]
}

fn happen(bench: &mut Bench<I8254>, event: &Event) -> u64 {
    match event {
        Event::Action(action) => bench.perform(action),
        Event::Pass(duration) => {
            bench.advance(*duration);
            0
        }
    }
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(event(), 0..40),
        after in prop::collection::vec(event(), 0..40),
        old_one_shot: bool,
    ) {
        let properties = [("one-shot-is-high", PropertyValue::Flag(old_one_shot))];
        let mut old = Bench::<I8254>::with(&properties);
        for event in &before {
            happen(&mut old, event);
        }
        let mut new = old.successor(&properties);
        old.assert_goes_on(&mut new, &after, happen);
        old.successor(&properties);
    }

    #[test]
    fn no_time_traps(loaded: i64, next in -1..=i64::MAX, now in 0..1_u64 << 62, mode in 0..8_u8, count in 0..=255_u8) {
        let mut saved = Bench::<I8254>::new().save(Scope::Stream);
        let data = &mut saved[0].data;
        data[4..8].copy_from_slice(&(u32::from(count) + 1).to_be_bytes());
        data[17] = mode;
        data[20..28].copy_from_slice(&loaded.to_be_bytes());
        data[100..].copy_from_slice(&next.to_be_bytes());
        let mut bench = Bench::<I8254>::configured(&[]);
        bench.fake.now = now;
        bench.load(Scope::Stream, saved).expect("every value of these fields is legal");
        for _ in 0..10 {
            bench.port_in(0x40, 1);
            bench.call(|timer, cx| southbridge_sdk::Device::timer_expired(timer, cx, 0));
            bench.fake.now += 1000;
        }
    }
}

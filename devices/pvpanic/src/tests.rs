use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::{PropertyValue, Scope};

use super::Pvpanic;

/// What QEMU 7.2 answers.
#[test]
fn it_says_which_events_it_knows() {
    let mut bench = Bench::<Pvpanic>::new();
    assert_eq!(bench.port_in(0x505, 1), 3);
    assert_eq!([bench.port_in(0x504, 1), bench.port_in(0x506, 1)], [0xff, 0xff]);
    let number = PropertyValue::Number;
    let mut bench = Bench::<Pvpanic>::with(&[("ioport", number(0x600)), ("events", number(7))]);
    assert_eq!(bench.port_in(0x600, 1), 7);
}

fn requests(events: u64, byte: u64) -> (Vec<&'static str>, usize) {
    let mut bench = Bench::<Pvpanic>::with(&[("events", PropertyValue::Number(events))]);
    bench.port_out(0x505, 1, byte);
    let effects = bench.fake.take();
    let messages = effects.iter().filter(|effect| matches!(effect, Effect::Log(_))).count();
    let requests = effects.into_iter().filter_map(|effect| match effect {
        Effect::Power(request) => Some(request),
        _ => None,
    });
    (requests.collect(), messages)
}

#[test]
fn of_several_events_the_first_counts() {
    assert_eq!(requests(3, 1), (vec!["panicked"], 1));
    assert_eq!(requests(3, 3), (vec!["panicked"], 1));
    assert_eq!(requests(3, 2), (vec![], 1));
    assert_eq!(requests(7, 6), (vec![], 1));
    assert_eq!(requests(7, 4), (vec!["shutdown"], 0));
}

#[test]
fn an_unknown_event_is_only_logged() {
    for (events, byte) in [(3, 4), (3, 0x80), (3, 0), (0, 1)] {
        assert_eq!(requests(events, byte), (vec![], 1), "{byte:#x}");
    }
}

#[test]
fn there_is_no_state() {
    let mut bench = Bench::<Pvpanic>::new();
    assert!(bench.save(Scope::Whole).is_empty());
    assert!(bench.load(Scope::Whole, Vec::new()).is_ok());
}

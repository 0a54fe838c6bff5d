use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench, Effect, Fake, override_properties};
use southbridge_sdk::wit::{PropertyValue, Scope};
use southbridge_sdk::{Context, Device, Properties};

use super::{Ib700, NMI, TIMER};

const SECOND: u64 = 1_000_000_000;

fn with(action: &str) -> Bench<Ib700> {
    Bench::with(&[("action", PropertyValue::Text(action.into()))])
}

/// What QEMU 7.2 does.
#[test]
fn ports_start_and_stop_it() {
    let mut bench = Bench::<Ib700>::new();
    assert_eq!(bench.port_in(0x441, 4), 0xffff_ffff);
    bench.fake.now = 1;
    for (port, size, value, deadline) in [
        (0x443, 1, 0x1e, Some(2 * SECOND + 1)),
        (0x443, 1, 0x00, Some(30 * SECOND + 1)),
        (0x442, 1, 0x00, None),
        (0x443, 2, 0x0e0d, Some(2 * SECOND + 1)),
        (0x441, 1, 0x0e, None),
        (0x443, 4, 0x0e, None),
        (0x444, 2, 0x0c, Some(6 * SECOND + 1)),
        (0x442, 2, 0x0d0c, Some(4 * SECOND + 1)),
    ] {
        bench.port_out(port, size, value);
        assert_eq!(bench.fake.timers.get(&TIMER).copied(), deadline, "{port:#x} {value:#x}");
    }
    bench.reset();
    assert!(bench.fake.timers.is_empty());
}

#[test]
fn what_happens_then_is_a_property() {
    let happens = |action| {
        let mut bench = with(action);
        bench.port_out(0x443, 1, 0x0e);
        bench.fake.take();
        bench.advance(2 * SECOND - 1);
        assert_eq!(bench.fake.take(), []);
        bench.advance(1);
        let mut effects = bench.fake.take();
        assert_eq!(effects.remove(0), Effect::Log("the watchdog has expired".into()));
        effects
    };
    assert_eq!(happens("reset"), [Effect::Power("reset")]);
    assert_eq!(happens("shutdown"), [Effect::Power("shutdown")]);
    assert_eq!(happens("poweroff"), [Effect::Power("shutdown")]);
    assert_eq!(happens("inject-nmi"), [Effect::Line(NMI, true), Effect::Line(NMI, false)]);
    for action in ["pause", "debug", "none"] {
        assert_eq!(happens(action), [], "{action}");
    }
}

#[test]
fn an_unknown_action_is_refused() {
    let values = [("action", PropertyValue::Text("bark".into()))];
    let properties = Properties::new(override_properties(&Ib700::describe(), &values));
    let mut fake = Fake::default();
    let error = Ib700::configure(&properties, &mut Context::new(0, &mut fake)).err();
    assert!(error.is_some_and(|error| error.starts_with("property action: \"bark\", one of")));
}

#[test]
fn the_section_is_qemus() {
    let mut bench = Bench::<Ib700>::new();
    assert_eq!(bench.save(Scope::Stream)[0].data, [0xff; 8]);
    bench.port_out(0x443, 1, 0x0e);
    let saved = bench.save(Scope::Stream);
    assert_eq!((&*saved[0].name, saved[0].version), ("ib700_wdt", 0));
    assert_eq!(saved[0].data, (2 * SECOND).to_be_bytes());
    let mut loaded = Bench::<Ib700>::configured(&[]);
    loaded.load(Scope::Stream, saved).expect("its own state");
    assert_eq!(loaded.fake.timers, bench.fake.timers);
}

#[test]
fn a_deadline_that_cannot_be_is_refused() {
    let mut bench = Bench::<Ib700>::new();
    bench.port_out(0x443, 1, 0x03);
    let saved = bench.save(Scope::Stream);
    let mut taken = 0;
    for (at, mask) in (0..8).flat_map(|at| [0x01, 0x80, 0xff].map(|mask| (at, mask))) {
        let mut spoilt = saved.clone();
        spoilt[0].data[at] ^= mask;
        let expected = u64::from_be_bytes(spoilt[0].data[..].try_into().expect("eight bytes"));
        let mut loaded = Bench::<Ib700>::configured(&[]);
        let is_taken = loaded.load(Scope::Stream, spoilt).is_ok();
        assert_eq!(is_taken, expected <= i64::MAX as u64, "{expected:#x}");
        if is_taken {
            assert_eq!(loaded.fake.timers.get(&TIMER), Some(&expected));
            taken += 1;
        }
    }
    assert_eq!(taken, 22);
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec((0x441..0x445_u16, 1..3_u8, 0..0x1_0000_u64), 0..10),
        passed in 0..40_u64,
        after in prop::collection::vec((0x441..0x445_u16, 1..3_u8, 0..0x1_0000_u64), 0..10),
    ) {
        let mut old = Bench::<Ib700>::new();
        let perform = |bench: &mut Bench<Ib700>, actions: &[(u16, u8, u64)]| {
            for &(port, size, value) in actions {
                bench.perform(&Action::Out(port, size, value));
            }
        };
        perform(&mut old, &before);
        old.advance(passed * SECOND);
        let mut new = old.successor(&[]);
        old.fake.take();
        new.fake.take();
        for bench in [&mut old, &mut new] {
            perform(bench, &after);
            bench.advance(passed * SECOND);
        }
        prop_assert_eq!(old.fake.take(), new.fake.take());
    }
}

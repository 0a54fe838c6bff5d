use std::time::Duration;

use proptest::prelude::*;

use super::bindings::device_component::southbridge::device as contract;
use super::engine::ticks;
use super::outside::Outside;
use super::{
    AccessSizes, Attachment, Bus, BusKind, Description, Direction, Effect, Limits, Line, Mode,
    Outputs, RamWindow, Region, Resources, SlotId, Space, description,
};

const SIZES: AccessSizes = AccessSizes { min: 1, max: 4, unaligned: false };

fn region(name: &str, space: Space) -> Region {
    Region { name: name.into(), space, size: 16, valid: SIZES, implemented: SIZES, backing: None }
}

fn line(name: &str, direction: Direction) -> Line {
    Line { name: name.into(), direction }
}

/// A device with two of everything.
fn device() -> Description {
    let window = |name: &str, base| RamWindow { name: name.into(), base, size: 0x1000 };
    Description {
        name: "test".into(),
        version: "1.0.0".into(),
        build: String::new(),
        summary: String::new(),
        attachment: Attachment::System,
        properties: Vec::new(),
        regions: vec![
            region("ports", Space::Port),
            region("memory", Space::Memory),
            region("configuration", Space::Configuration),
        ],
        lines: vec![
            line("out", Direction::Output),
            line("in", Direction::Input),
            line("other", Direction::Output),
        ],
        timers: vec!["a".into(), "b".into()],
        buses: vec![
            Bus { name: "pci".into(), kind: BusKind::Pci, first_interrupt_line: None },
            Bus { name: "i2c".into(), kind: BusKind::I2c, first_interrupt_line: None },
        ],
        streams: vec!["data".into()],
        memories: Vec::new(),
        drives: vec!["drive".into()],
        windows: vec![window("low", 0xc_0000), window("high", 0xc_1000)],
    }
}

#[test]
fn a_sound_description_is_accepted() {
    description::check(&device()).unwrap();
}

#[test]
fn a_description_that_does_not_hold_together_is_refused() {
    type Spoil = fn(&mut Description);
    let cases: [(Spoil, &str); 20] = [
        (|d| d.name.clear(), "name \"\""),
        (|d| d.name = "a b".into(), "name \"a b\""),
        (|d| d.name = "x".repeat(300), "name \"xxx"),
        (|d| d.summary = "a\nb".into(), "summary of 3 bytes: one line"),
        (|d| d.version = "1".repeat(1025), "version of 1025 bytes"),
        (|d| d.lines[1].name = "x".repeat(257), "line: a name of 257 bytes"),
        (|d| d.lines[1].name = "out".into(), "line \"out\": a name that is unique"),
        (|d| d.regions[1].name = "ports".into(), "region \"ports\""),
        (|d| d.timers[1].clear(), "timer \"\""),
        (|d| d.streams.push("data".into()), "stream \"data\""),
        (|d| d.regions[0].size = 0, "region ports: size is 0"),
        (|d| d.regions[0].size = 0x1_0001, "region ports: 65537 ports"),
        (|d| d.regions[0].valid.max = 3, "region ports: valid sizes 1 to 3"),
        (|d| d.regions[0].implemented.min = 0, "region ports: implemented sizes 0 to 4"),
        (|d| d.regions[1].space = Space::Configuration, "2 configuration spaces"),
        (
            |d| {
                d.attachment = Attachment::Pci;
                d.regions.pop();
            },
            "no configuration space",
        ),
        (|d| d.buses[0].first_interrupt_line = Some(0), "bus pci: a PCI bus with 128 input lines"),
        (|d| d.buses[1].first_interrupt_line = Some(u32::MAX), "bus i2c"),
        (|d| d.windows[0].base = 0x800, "window low"),
        (|d| d.windows[1].size = !0xfff, "window high"),
    ];
    for (spoil, reason) in cases {
        let mut device = device();
        spoil(&mut device);
        let error = description::check(&device).expect_err(reason);
        assert!(error.contains(reason), "{error}, {reason} expected");
    }
    let mut device = device();
    device.timers = (0..2000).map(|timer| timer.to_string()).collect();
    assert!(description::check(&device).unwrap_err().contains("2000 of kind timer"));
}

#[test]
fn an_effect_changes_something_or_not_or_names_nothing() {
    let mut outputs = Outputs::new(&device());
    let cases = [
        (Effect::Release { line: 0 }, Some(false)),
        (Effect::Line { line: 0, level: true }, Some(true)),
        (Effect::Line { line: 0, level: true }, Some(true)),
        (Effect::Release { line: 0 }, Some(true)),
        (Effect::Line { line: 0, level: true }, Some(true)),
        // An input, and a line that is not there.
        (Effect::Line { line: 1, level: true }, None),
        (Effect::Line { line: 3, level: true }, None),
        (Effect::Unmap { region: 0 }, Some(false)),
        (Effect::Map { region: 0, base: 0x600, priority: 0 }, Some(true)),
        (Effect::Map { region: 0, base: 0x600, priority: 0 }, Some(false)),
        (Effect::Map { region: 0, base: 0x600, priority: 1 }, Some(true)),
        (Effect::Unmap { region: 0 }, Some(true)),
        // A configuration space is never mapped.
        (Effect::Map { region: 2, base: 0, priority: 0 }, None),
        (Effect::Unmap { region: 3 }, None),
        (Effect::Disarm { timer: 1 }, Some(false)),
        (Effect::Arm { timer: 1, deadline: 5 }, Some(true)),
        // Armed anew, even for the same time: it may have expired meanwhile.
        (Effect::Arm { timer: 1, deadline: 5 }, Some(true)),
        (Effect::Arm { timer: 2, deadline: 5 }, None),
        (Effect::Window { window: 1, mode: Mode::Bus }, Some(false)),
        (Effect::Window { window: 1, mode: Mode::Ram }, Some(true)),
        (Effect::Window { window: 2, mode: Mode::Ram }, None),
        (Effect::Put { stream: 0, byte: 0 }, Some(true)),
        (Effect::Put { stream: 1, byte: 0 }, None),
        (Effect::Ready { stream: 1 }, None),
    ];
    for (effect, expected) in cases {
        assert_eq!(outputs.take(&effect), expected, "{effect:?}");
    }
    outputs.expired(1);
    assert_eq!(outputs.timers, [None, None]);
}

#[test]
fn a_device_out_of_service_is_quiet_and_keeps_its_place() {
    let mut outputs = Outputs::new(&device());
    for effect in [
        Effect::Line { line: 2, level: true },
        Effect::Map { region: 1, base: 0x1000, priority: 1 },
        Effect::Arm { timer: 0, deadline: 9 },
        Effect::Window { window: 0, mode: Mode::Ram },
    ] {
        outputs.take(&effect);
    }
    let quiet = outputs.out_of_service();
    assert_eq!(
        (quiet.lines.as_slice(), quiet.timers.as_slice()),
        (&[false; 3][..], &[None; 2][..])
    );
    assert_eq!((&quiet.regions, &quiet.windows), (&outputs.regions, &outputs.windows));
    let effects: Vec<_> = outputs.released().collect();
    let expected = [
        Effect::Release { line: 0 },
        Effect::Release { line: 2 },
        Effect::Disarm { timer: 0 },
        Effect::Disarm { timer: 1 },
    ];
    assert_eq!(effects, expected);
}

fn effect() -> impl Strategy<Value = Effect> {
    let mode = prop_oneof![Just(Mode::Bus), Just(Mode::RamReadOnly), Just(Mode::Ram)];
    prop_oneof![
        (0..3_u32, any::<bool>()).prop_map(|(line, level)| Effect::Line { line, level }),
        (0..3_u32, 0..3_u64, 0..2_u8).prop_map(|(region, base, priority)| Effect::Map {
            region,
            base,
            priority
        }),
        (0..3_u32).prop_map(|region| Effect::Unmap { region }),
        (0..2_u32, 0..3_u64).prop_map(|(timer, deadline)| Effect::Arm { timer, deadline }),
        (0..2_u32).prop_map(|timer| Effect::Disarm { timer }),
        (0..2_u32, mode).prop_map(|(window, mode)| Effect::Window { window, mode }),
    ]
}

proptest! {
    #[test]
    fn the_difference_leads_from_one_to_the_other(
        old in prop::collection::vec(effect(), 0..20),
        new in prop::collection::vec(effect(), 0..20),
    ) {
        let sum = |effects: Vec<Effect>| {
            let mut outputs = Outputs::new(&device());
            for effect in effects {
                outputs.take(&effect);
            }
            outputs
        };
        let (mut old, new) = (sum(old), sum(new));
        let difference: Vec<_> = old.difference(&new).collect();
        for effect in difference {
            // Nothing in it is superfluous.
            prop_assert_eq!(old.take(&effect), Some(true), "{:?}", effect);
        }
        prop_assert_eq!(&old, &new);
        prop_assert_eq!(old.difference(&new).next(), None);
    }
}

fn outside(limits: &Limits) -> Outside {
    let device = device();
    let buses = device.buses.iter().map(|bus| bus.kind).collect();
    let (outputs, resources) = (Outputs::new(&device), Resources::none());
    Outside::new(SlotId(0), "test".into(), limits, outputs, buses, resources)
}

#[test]
fn a_bus_that_was_not_declared_or_is_of_another_kind_is_counted() {
    use contract::{i2c_bus::Host as I2c, pci_bus::Host as Pci};
    let mut outside = outside(&Limits::default());
    Pci::read(&mut outside, 0, 0, 0, 4);
    I2c::start(&mut outside, 1, 0x50, false);
    assert_eq!(outside.violations, 0);
    assert_eq!(Pci::read(&mut outside, 1, 0, 0, 4), u32::MAX);
    Pci::write(&mut outside, 2, 0, 0, 4, 0);
    assert!(!I2c::start(&mut outside, 0, 0x50, false));
    assert!(!I2c::send(&mut outside, 0, 0x50, 0));
    assert_eq!(I2c::receive(&mut outside, 2, 0x50), 0xff);
    I2c::nack(&mut outside, 2, 0x50);
    I2c::stop(&mut outside, 2, 0x50);
    assert_eq!(outside.violations, 7);
}

#[test]
fn effects_are_kept_up_to_the_limit() {
    use contract::streams::Host as _;
    let mut outside = outside(&Limits { effects: 3, ..Limits::default() });
    for byte in 0..3 {
        outside.put(0, byte);
    }
    assert!(!outside.flooded);
    outside.put(0, 3);
    assert!(outside.flooded);
    assert_eq!(outside.effects.len(), 3);
}

#[test]
fn only_what_interrupts_counts_as_an_interrupt() {
    use contract::{dma::Host as _, lines::Host as _};
    let mut outside = outside(&Limits { interrupts: 3, ..Limits::default() });
    for level in [true, true, true, false, false] {
        outside.set(0, level);
    }
    // An input, and a line there is not.
    outside.set(1, true);
    outside.set(9, true);
    outside.message(0xfee0_0000, 0);
    assert!(!outside.stormed);
    outside.now = 999_999_999;
    outside.set(0, true);
    assert!(outside.stormed);
}

#[test]
fn interrupts_are_counted_by_the_second() {
    use contract::lines::Host as _;
    let mut outside = outside(&Limits { interrupts: 2, ..Limits::default() });
    for second in 0..5 {
        outside.now = second * 1_000_000_000;
        outside.set(0, true);
        outside.set(0, false);
    }
    assert!(!outside.stormed);
}

#[test]
fn messages_that_nobody_wants_count_for_nothing() {
    use contract::log::Host as _;
    let mut outside = outside(&Limits { messages: 2, ..Limits::default() });
    let mut write = |times| {
        (0..times).for_each(|_| outside.write(contract::log::Level::Info, "x".into()));
        outside.messages_dropped()
    };
    let nobody = tracing::subscriber::NoSubscriber::default();
    assert_eq!(tracing::subscriber::with_default(nobody, || write(1000)), 0);
    let somebody = tracing_subscriber::fmt().with_writer(std::io::sink).finish();
    let dropped = tracing::subscriber::with_default(somebody, || write(1000));
    assert!((1..=998).contains(&dropped), "{dropped}");
}

#[test]
fn a_deadline_is_never_shorter_than_asked_for() {
    // The tick that has begun counts for nothing.
    assert_eq!(ticks(Duration::ZERO), 1);
    assert_eq!(ticks(Duration::from_millis(1)), 3);
    assert_eq!(ticks(Duration::from_micros(1001)), 4);
    assert_eq!(ticks(Duration::MAX), u64::MAX);
}

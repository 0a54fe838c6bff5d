//! What the recordings leave out.

use southbridge_sdk::fake::{Bench, Effect, Fake, override_properties};
use southbridge_sdk::wit::{PropertyValue, WakeupReason};
use southbridge_sdk::{Context, Device, PowerEvents, Properties};

use super::{get, recorded, set};
use crate::calendar::Date;
use crate::{IRQ, Mc146818};

const SECOND: u64 = 1_000_000_000;

#[test]
fn dates_and_seconds_are_inverse() {
    // 400 years in steps that meet every day of the month and of the week.
    for seconds in (-6_300_000_000..6_400_000_000_i64).step_by(86_399 * 7) {
        let date = Date::at(seconds);
        assert_eq!(date.seconds(), seconds, "{date:?}");
    }
    let leap_day =
        Date { second: 59, minute: 59, hour: 23, day_of_week: 3, day: 29, month: 2, year: 2000 };
    assert_eq!(Date::at(951_868_799), leap_day);
    assert_eq!(
        Date::at(0),
        Date { second: 0, minute: 0, hour: 0, day_of_week: 5, day: 1, month: 1, year: 1970 }
    );
}

#[test]
fn an_alarm_interrupts_and_wakes() {
    let mut bench = Bench::<Mc146818>::with(&recorded(false));
    // It is 15:18:41; the alarm is at 15:19:00, whatever the hour.
    for (register, value) in [(1, 0x00), (3, 0x19), (5, 0xff), (0x0b, 0x22)] {
        set(&mut bench, register, value);
    }
    bench.fake.take();
    bench.advance(18 * SECOND);
    assert_eq!(bench.fake.take(), []);
    bench.advance(SECOND);
    assert_eq!(bench.fake.take(), [Effect::Wake("rtc"), Effect::Line(IRQ, true)]);
    assert_eq!(get(&mut bench, 0x0c), 0xb0);
    assert_eq!(bench.fake.take(), [Effect::Line(IRQ, false)]);
    assert_eq!([get(&mut bench, 2), get(&mut bench, 0)], [0x19, 0x00]);
    bench.advance(3600 * SECOND);
    assert!(bench.fake.line(IRQ), "and again in an hour");
}

#[test]
fn the_firmware_is_told_to_resume_and_a_reset_does_not_take_that_away() {
    let mut bench = Bench::<Mc146818>::new();
    set(&mut bench, 0x0f, 5);
    bench.reset();
    assert_eq!(get(&mut bench, 0x0f), 0);
    bench.call(|clock, cx| clock.woken(cx, WakeupReason::Rtc));
    bench.reset();
    assert_eq!(get(&mut bench, 0x0f), 0xfe);
}

#[test]
fn the_memory_says_what_the_board_has() {
    let number = PropertyValue::Number;
    let mut bench = Bench::<Mc146818>::with(&[
        ("ram-below-4g", number(0xc000_0000)),
        ("ram-above-4g", number(0x1_4000_0000)),
        ("cpus", number(4)),
        ("boot-order", PropertyValue::Text("dn".into())),
    ]);
    let word = |bench: &mut Bench<_>, at| u16::from_le_bytes([get(bench, at), get(bench, at + 1)]);
    assert_eq!(word(&mut bench, 0x15), 640);
    assert_eq!([word(&mut bench, 0x17), word(&mut bench, 0x30)], [0xffff; 2]);
    assert_eq!(word(&mut bench, 0x34), 0xbf00);
    assert_eq!([word(&mut bench, 0x5b), word(&mut bench, 0x5d)], [0x4000, 0x0001]);
    assert_eq!([get(&mut bench, 0x3d), get(&mut bench, 0x38), get(&mut bench, 0x5f)], [0x43, 0, 3]);
}

#[test]
fn an_unknown_boot_device_is_refused() {
    for order in ["x", "cadn"] {
        let values = [("boot-order", PropertyValue::Text(order.into()))];
        let properties = Properties::new(override_properties(&Mc146818::describe(), &values));
        let mut fake = Fake::default();
        let error = Mc146818::configure(&properties, &mut Context::new(0, &mut fake)).err();
        let expected =
            format!("property boot-order: {order:?}, up to three of a, b, c, d, n expected");
        assert_eq!(error, Some(expected));
    }
}

/// What the memory says of drives, as registers and values that are not zero.
fn drives(values: &[(&str, &str)]) -> Vec<(u8, u8)> {
    let values = values.iter().map(|(name, value)| (*name, PropertyValue::Text((*value).into())));
    let mut bench = Bench::<Mc146818>::with(&values.collect::<Vec<_>>());
    let registers = (0x10..0x13).chain(0x14..0x15).chain(0x19..0x2d).chain(0x39..0x3a);
    registers.map(|at| (at, get(&mut bench, at))).filter(|(_, value)| *value != 0).collect()
}

/// Values are those of QEMU 7.2.
#[test]
fn the_memory_says_which_drives_there_are() {
    assert_eq!(drives(&[]), [(0x14, 0x06)]);
    assert_eq!(drives(&[("floppy0", "144")]), [(0x10, 0x40), (0x14, 0x07)]);
    assert_eq!(drives(&[("floppy1", "144")]), [(0x10, 0x04), (0x14, 0x07)]);
    let both = drives(&[("floppy0", "288"), ("floppy1", "120")]);
    assert_eq!(both, [(0x10, 0x52), (0x14, 0x47)]);
    let disk = |value, translation: Option<u8>, parameters: [u8; 9]| {
        let found = drives(&[("disk0", value)]);
        let parameters = (0x1b..).zip(parameters).filter(|(_, value)| *value != 0);
        let expected = [(0x12, 0xf0), (0x14, 0x06), (0x19, 0x2f)].into_iter().chain(parameters);
        let expected = expected.chain(translation.map(|value| (0x39, value)));
        assert_eq!(found, expected.collect::<Vec<_>>(), "{value}");
    };
    disk("10485760", None, [0x14, 0, 16, 0xff, 0xff, 0xc8, 0x14, 0, 63]);
    disk("528482304", None, [0, 4, 16, 0xff, 0xff, 0xc8, 0, 4, 63]);
    disk("2147483648", Some(1), [0x41, 0x10, 16, 0xff, 0xff, 0xc8, 0x41, 0x10, 63]);
    disk("214748364800", Some(1), [0xff, 0x3f, 16, 0xff, 0xff, 0xc8, 0xff, 0x3f, 63]);
    disk("100,8,17", None, [0x64, 0, 8, 0xff, 0xff, 0xc0, 0x64, 0, 17]);
    disk("100,8,17,large", Some(2), [0x64, 0, 8, 0xff, 0xff, 0xc0, 0x64, 0, 17]);
    disk("40,16,63,rechs", Some(3), [0x28, 0, 16, 0xff, 0xff, 0xc8, 0x28, 0, 63]);
    let both = drives(&[("disk0", "20971520"), ("disk1", "629145600")]);
    assert_eq!(both[..2], [(0x12, 0xff), (0x14, 0x06)]);
    let second = [(0x24, 0xc3), (0x25, 4), (0x26, 16), (0x27, 0xff), (0x28, 0xff), (0x29, 0xc8)];
    let rest = [(0x2a, 0xc3), (0x2b, 4), (0x2c, 63), (0x39, 0x04)];
    assert_eq!(both[both.len() - 10..], [&second[..], &rest[..]].concat());
    let others = drives(&[("disk2", "20971520"), ("disk3", "629145600")]);
    assert_eq!(others, [(0x14, 0x06), (0x39, 0x40)]);
}

#[test]
fn a_floppy_without_a_signature_may_be_booted_from() {
    let mut bench = Bench::<Mc146818>::with(&[("fd-bootchk", PropertyValue::Flag(false))]);
    assert_eq!(get(&mut bench, 0x38), 0x31);
}

#[test]
fn drives_that_cannot_be_are_refused() {
    for (name, value) in [
        ("floppy0", "360"),
        ("floppy1", ""),
        ("disk0", "1,2"),
        ("disk1", "65536,1,1"),
        ("disk2", "1,256,1"),
        ("disk3", "1,1,1,auto"),
        ("disk0", "-1"),
    ] {
        let values = [(name, PropertyValue::Text(value.into()))];
        let properties = Properties::new(override_properties(&Mc146818::describe(), &values));
        let mut fake = Fake::default();
        let error = Mc146818::configure(&properties, &mut Context::new(0, &mut fake)).err();
        let beginning = format!("property {name}: {value:?}, ");
        assert!(error.is_some_and(|error| error.starts_with(&beginning)), "{name} {value}");
    }
}

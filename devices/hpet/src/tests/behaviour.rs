//! What the recordings leave out.

use southbridge_sdk::fake::{Bench, Bytes, Effect};
use southbridge_sdk::wit::{PropertyValue, Scope};

use crate::interrupt::LEGACY;
use crate::{BASE, Hpet, PIT, RTC};

fn write(bench: &mut Bench<Hpet>, offset: u64, value: u64) {
    bench.memory_out(BASE + offset, 4, value);
}

#[test]
fn in_legacy_mode_the_others_are_held_back() {
    let mut bench = Bench::<Hpet>::new();
    bench.line(PIT, true);
    bench.line(RTC, true);
    assert_eq!(
        bench.fake.take(),
        [Effect::Map(0, BASE, 0), Effect::Line(0, true), Effect::Line(8, true)]
    );
    write(&mut bench, 0x10, 3);
    let expected = [Effect::Line(LEGACY, true), Effect::Line(0, false), Effect::Line(8, false)];
    assert_eq!(bench.fake.take(), expected);
    bench.line(PIT, false);
    bench.line(RTC, false);
    bench.line(RTC, true);
    assert_eq!(bench.fake.take(), []);
    write(&mut bench, 0x100, 0x04);
    write(&mut bench, 0x108, 1000);
    write(&mut bench, 0x10c, 0);
    bench.advance(20_000);
    assert_eq!(bench.fake.take(), [Effect::Line(0, true), Effect::Line(0, false)]);
    assert_eq!(
        bench.save(Scope::Stream)[0].data[151..175],
        *b"\x05\x12hpet/rtc_irq_level\0\0\0\x01"
    );
    write(&mut bench, 0x10, 1);
    assert_eq!(bench.fake.take(), [Effect::Line(LEGACY, false), Effect::Line(8, true)]);
}

#[test]
fn messages_go_to_the_processors_or_to_memory() {
    let mut bench = Bench::<Hpet>::with(&[("msi", PropertyValue::Flag(true))]);
    bench.fake.ram = Bytes::zeros(16);
    assert_eq!(bench.memory_in(BASE + 0x100, 4), 0x8030);
    for (timer, address) in [(0x100, 0xfee0_1004), (0x120, 8)] {
        write(&mut bench, timer, 0x4004);
        write(&mut bench, timer + 0x10, 0x1234_5678);
        write(&mut bench, timer + 0x14, address);
        write(&mut bench, timer + 0x08, 100);
        write(&mut bench, timer + 0x0c, 0);
    }
    write(&mut bench, 0x10, 1);
    bench.fake.take();
    bench.advance(1000);
    assert_eq!(bench.fake.take(), [Effect::Message(0xfee0_1004, 0x1234_5678)]);
    assert_eq!(bench.fake.ram.load(8, 4), 0x1234_5678);
}

/// Many periods, or one that never ends, take no time to count.
#[test]
fn a_late_timer_catches_up_at_once() {
    let mut bench = Bench::<Hpet>::new();
    write(&mut bench, 0x10, 1);
    write(&mut bench, 0x100, 0x44c);
    write(&mut bench, 0x108, 1);
    bench.fake.now = 1 << 62;
    bench.fake.timers.clear();
    bench.call(|hpet, cx| hpet.expired(cx, 0));
    let ticks = bench.memory_in(BASE + 0xf0, 4) | bench.memory_in(BASE + 0xf4, 4) << 32;
    let comparator = bench.memory_in(BASE + 0x108, 4) | bench.memory_in(BASE + 0x10c, 4) << 32;
    assert!(comparator >= ticks && comparator <= ticks + 1, "{comparator} at {ticks}");
}

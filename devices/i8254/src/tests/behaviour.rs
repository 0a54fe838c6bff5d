//! What the recordings leave out.

use southbridge_sdk::fake::{Bench, Effect};

use crate::{DISABLE, I8254, IRQ0};

fn program(bench: &mut Bench<I8254>, control: u64, count: u64) {
    bench.port_out(0x43, 1, control);
    bench.port_out(0x40, 1, count & 0xff);
    bench.port_out(0x40, 1, count >> 8);
}

#[test]
fn the_hpet_can_quiet_it() {
    let mut bench = Bench::<I8254>::new();
    program(&mut bench, 0x36, 1193);
    assert!(bench.fake.line(IRQ0));
    bench.line(DISABLE, true);
    assert!(bench.fake.timers.is_empty());
    bench.fake.take();
    bench.advance(5_300_000);
    program(&mut bench, 0x36, 1193);
    bench.advance(700_000);
    assert_eq!(bench.fake.take(), []);
    bench.line(DISABLE, false);
    assert_eq!(bench.fake.take(), [Effect::Line(IRQ0, false)]);
    bench.advance(1_000_000);
    assert_eq!(bench.fake.take(), [Effect::Line(IRQ0, true), Effect::Line(IRQ0, false)]);
}

#[test]
fn a_square_wave_interrupts_once_in_a_period() {
    let mut bench = Bench::<I8254>::new();
    program(&mut bench, 0x36, 11_932);
    bench.fake.take();
    bench.advance(1_000_000_000);
    let rises = bench.fake.take().into_iter().filter(|e| *e == Effect::Line(IRQ0, true)).count();
    assert_eq!(rises, 99);
}

#[test]
fn what_is_very_late_is_not_caught_up_with() {
    let mut bench = Bench::<I8254>::new();
    program(&mut bench, 0x34, 2);
    bench.fake.now += 3_600_000_000_000;
    bench.fake.timers.clear();
    bench.call(|timer, cx| southbridge_sdk::Device::timer_expired(timer, cx, 0));
    let next = bench.fake.timers[&0];
    assert!(next > bench.fake.now && next < bench.fake.now + 10_000, "{next}");
}

#[test]
fn a_reset_keeps_interrupt_and_speaker() {
    let mut bench = Bench::<I8254>::new();
    bench.port_out(0x61, 1, 3);
    program(&mut bench, 0x36, 0);
    assert!(bench.fake.line(IRQ0));
    bench.reset();
    assert!(bench.fake.line(IRQ0));
    assert_eq!(bench.port_in(0x61, 1) & 0x0f, 2);
    // Until the output of mode 3, which begins high, falls.
    bench.advance(30_000_000);
    assert!(!bench.fake.line(IRQ0));
}

//! What the recordings leave out: above all what processors do.

use southbridge_sdk::InterruptController;
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::PropertyValue;

use super::initialized;
use crate::{I8259, INTR};

fn acknowledge(bench: &mut Bench<I8259>) -> u8 {
    bench.call(|pics, cx| pics.acknowledge(cx))
}

fn pulse(bench: &mut Bench<I8259>, line: u32) {
    bench.line(line, true);
    bench.line(line, false);
}

/// IRR and ISR.
fn registers(bench: &mut Bench<I8259>, port: u16) -> [u64; 2] {
    [0x0a, 0x0b].map(|word| {
        bench.port_out(port, 1, word);
        bench.port_in(port, 1)
    })
}

#[test]
fn an_edge_is_served_once() {
    let mut bench = initialized();
    pulse(&mut bench, 1);
    assert!(bench.fake.line(INTR));
    assert_eq!(acknowledge(&mut bench), 0x09);
    assert!(!bench.fake.line(INTR));
    assert_eq!(registers(&mut bench, 0x20), [0, 2]);
    pulse(&mut bench, 1);
    assert!(!bench.fake.line(INTR), "it is in service");
    pulse(&mut bench, 0);
    assert!(bench.fake.line(INTR), "it is higher");
    bench.port_out(0x20, 1, 0x20);
    assert_eq!(acknowledge(&mut bench), 0x08);
}

#[test]
fn the_slave_is_behind_input_2() {
    let mut bench = initialized();
    bench.line(12, true);
    assert_eq!(acknowledge(&mut bench), 0x74);
    assert_eq!(registers(&mut bench, 0x20), [0, 4]);
    assert_eq!(registers(&mut bench, 0xa0), [0, 0x10]);
    pulse(&mut bench, 8);
    assert!(!bench.fake.line(INTR), "the master serves its input 2");
    bench.port_out(0x20, 1, 0x20);
    assert!(bench.fake.line(INTR));
    assert_eq!(acknowledge(&mut bench), 0x70);
}

#[test]
fn what_has_gone_is_spurious() {
    let mut bench = initialized();
    assert_eq!(acknowledge(&mut bench), 0x0f);
    assert_eq!(registers(&mut bench, 0x20), [0, 0]);
    pulse(&mut bench, 9);
    bench.port_out(0xa1, 1, 0xff);
    assert_eq!(acknowledge(&mut bench), 0x77, "the master has seen the edge");
    assert_eq!(registers(&mut bench, 0x20), [0, 4]);
    assert_eq!(registers(&mut bench, 0xa0), [2, 0]);
}

#[test]
fn levels_stay_requested_and_elcr_says_which_are() {
    let mut bench = initialized();
    bench.port_out(0x4d0, 1, 0xff);
    bench.port_out(0x4d1, 1, 0xff);
    assert_eq!((bench.port_in(0x4d0, 1), bench.port_in(0x4d1, 1)), (0xf8, 0xde));
    assert_eq!(bench.port_in(0x4d0, 2), 0xf8f8);
    bench.line(10, true);
    assert_eq!(acknowledge(&mut bench), 0x72);
    bench.port_out(0xa0, 1, 0x62);
    bench.port_out(0x20, 1, 0x62);
    assert_eq!(acknowledge(&mut bench), 0x72);
    bench.line(10, false);
    assert_eq!(registers(&mut bench, 0xa0), [0, 4]);
    bench.reset();
    assert_eq!((bench.port_in(0x4d0, 1), bench.port_in(0x4d1, 1)), (0, 0));
}

#[test]
fn automatic_end_and_rotation() {
    let mut bench = initialized();
    bench.port_out(0x20, 1, 0x11);
    for byte in [0x08, 0x04, 0x03, 0x00] {
        bench.port_out(0x21, 1, byte);
    }
    bench.port_out(0x20, 1, 0x80);
    pulse(&mut bench, 3);
    assert_eq!(acknowledge(&mut bench), 0x0b);
    assert_eq!(registers(&mut bench, 0x20), [0, 0]);
    pulse(&mut bench, 3);
    pulse(&mut bench, 4);
    assert_eq!(acknowledge(&mut bench), 0x0c, "3 is the lowest now");
    assert_eq!(acknowledge(&mut bench), 0x0b);
}

#[test]
fn the_special_fully_nested_mode_lets_the_slave_in() {
    let mut bench = initialized();
    bench.port_out(0x20, 1, 0x11);
    for byte in [0x08, 0x04, 0x11, 0x00] {
        bench.port_out(0x21, 1, byte);
    }
    pulse(&mut bench, 12);
    assert_eq!(acknowledge(&mut bench), 0x74);
    pulse(&mut bench, 9);
    assert!(bench.fake.line(INTR));
    assert_eq!(acknowledge(&mut bench), 0x71);
}

#[test]
fn a_poll_acknowledges() {
    let mut bench = initialized();
    bench.port_out(0x20, 1, 0x0c);
    assert_eq!(bench.port_in(0x20, 1), 0);
    pulse(&mut bench, 5);
    bench.port_out(0x20, 1, 0x0c);
    assert_eq!(bench.port_in(0x21, 1), 0x85);
    assert_eq!(registers(&mut bench, 0x20), [0, 0x20]);
}

#[test]
fn all_inputs_are_level_triggered_where_icw1_can_say_so() {
    for (ltim, expected) in [(true, [0, 0]), (false, [2, 0])] {
        let mut bench = Bench::<I8259>::with(&[("ltim", PropertyValue::Flag(ltim))]);
        bench.port_out(0x20, 1, 0x1b);
        bench.port_out(0x21, 1, 0x08);
        bench.port_out(0x21, 1, 0x01);
        pulse(&mut bench, 1);
        assert_eq!(registers(&mut bench, 0x20), expected);
    }
}

#[test]
fn the_special_mask_counts_from_the_next_change_on() {
    let mut bench = initialized();
    pulse(&mut bench, 1);
    acknowledge(&mut bench);
    pulse(&mut bench, 4);
    bench.port_out(0x21, 1, 0x02);
    bench.fake.take();
    bench.port_out(0x20, 1, 0x68);
    assert_eq!(bench.fake.take(), []);
    bench.successor(&[]);
    bench.port_out(0x21, 1, 0x02);
    assert_eq!(bench.fake.take(), [Effect::Line(INTR, true)]);
}

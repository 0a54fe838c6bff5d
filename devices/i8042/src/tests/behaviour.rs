//! What the recordings leave out.

use southbridge_sdk::fake::{Bench, Effect};

use super::{command, data, mouse, old, read, status};
use crate::{A20, I8042, KEYBOARD_IRQ, MOUSE_IRQ};

fn powers(bench: &mut Bench<I8042>) -> Vec<Effect> {
    let mut effects = bench.fake.take();
    effects.retain(|effect| matches!(effect, Effect::Power(_)));
    effects
}

#[test]
fn every_way_to_reset_is_the_machines_reset() {
    let mut bench = Bench::<I8042>::new();
    for byte in 0xf0..=0xff {
        command(&mut bench, byte);
        let expected: &[_] = if byte & 1 == 0 { &[Effect::Power("reset")] } else { &[] };
        assert_eq!(powers(&mut bench), expected, "{byte:#x}");
    }
    command(&mut bench, 0xd1);
    data(&mut bench, 0xde);
    assert_eq!(powers(&mut bench), [Effect::Power("reset")]);
}

#[test]
fn the_gate_has_two_ways_and_opens_at_a_reset() {
    let mut bench = Bench::<I8042>::new();
    assert!(bench.fake.line(A20));
    command(&mut bench, 0xdd);
    assert!(!bench.fake.line(A20));
    command(&mut bench, 0xd0);
    assert_eq!(read(&mut bench), [0xcd]);
    command(&mut bench, 0xdf);
    assert!(bench.fake.line(A20));
    command(&mut bench, 0xd1);
    data(&mut bench, 0xdd);
    assert!(!bench.fake.line(A20));
    bench.reset();
    assert!(bench.fake.line(A20));
}

#[test]
fn a_command_waits_for_its_data_across_a_reset() {
    let mut bench = Bench::<I8042>::new();
    command(&mut bench, 0xd2);
    bench.reset();
    data(&mut bench, 0x5a);
    assert_eq!(read(&mut bench), [0x5a]);
}

#[test]
fn keyboard_and_mouse_take_turns() {
    let mut bench = Bench::<I8042>::new();
    data(&mut bench, 0xff);
    mouse(&mut bench, &[0xff]);
    assert_eq!(read(&mut bench), [0xfa, 0xfa, 0xaa, 0xaa, 0x00]);
    assert!(!bench.fake.line(KEYBOARD_IRQ) && !bench.fake.line(MOUSE_IRQ));
}

#[test]
fn a_disabled_device_keeps_its_bytes() {
    let mut bench = Bench::<I8042>::new();
    data(&mut bench, 0xff);
    command(&mut bench, 0xad);
    assert_eq!(read(&mut bench), [0xfa], "what is in the buffer can be read");
    command(&mut bench, 0x20);
    assert_eq!(read(&mut bench), [0x13], "the controller has a place of its own");
    command(&mut bench, 0xae);
    assert_eq!(read(&mut bench), [0xaa]);
    // Machines before 6.1 mix them all in one queue.
    let mut bench = Bench::<I8042>::with(&old());
    data(&mut bench, 0xff);
    command(&mut bench, 0xad);
    command(&mut bench, 0x20);
    assert_eq!(read(&mut bench), [0xfa, 0xaa, 0x13]);
}

#[test]
fn a_full_queue_takes_no_more() {
    let mut bench = Bench::<I8042>::new();
    mouse(&mut bench, &[0xe8; 40]);
    assert_eq!(read(&mut bench), [0xfa; 16]);
    // All of a report or nothing: 15 bytes leave no room for two.
    mouse(&mut bench, &[0xe6; 15]);
    mouse(&mut bench, &[0xf2]);
    assert_eq!(read(&mut bench), [0xfa; 15]);
    assert_eq!(status(&mut bench) & 0x21, 0);
}

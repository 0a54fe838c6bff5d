//! The bridge alone. The host bridge's `tests/board` holds both against QEMU.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench, Effect};
use southbridge_sdk::wit::{PropertyValue, Scope, Section};

use crate::Piix3;

fn number(name: &str, value: u64) -> (&str, PropertyValue) {
    (name, PropertyValue::Number(value))
}

/// The ISA interrupts that are high.
fn high(bench: &Bench<Piix3>) -> Vec<u32> {
    (0..16).filter(|irq| bench.fake.line(4 + irq)).collect()
}

#[test]
fn lines_reach_the_interrupts_they_are_routed_to() {
    let mut bench = Bench::<Piix3>::new();
    bench.line(0, true);
    assert!(high(&bench).is_empty());
    bench.configuration_write(0x60, 4, 0x0b0b_050a);
    assert_eq!(high(&bench), [10]);
    bench.line(2, true);
    bench.line(3, true);
    assert_eq!(high(&bench), [10, 11]);
    bench.line(2, false);
    assert_eq!(high(&bench), [10, 11]);
    bench.line(3, false);
    assert_eq!(high(&bench), [10]);
}

#[test]
fn a_change_of_the_routing_moves_an_asserted_line() {
    let mut bench = Bench::<Piix3>::new();
    bench.configuration_write(0x61, 1, 5);
    bench.line(1, true);
    assert_eq!(high(&bench), [5]);
    bench.configuration_write(0x5f, 4, 0x0000_0700);
    assert_eq!(high(&bench), [0]);
    // Bit 7 disables, and for QEMU any value above 15 does.
    for value in [0x85, 0x80, 0x10, 0xff] {
        bench.configuration_write(0x61, 1, value);
        assert!(high(&bench).is_empty(), "{value:#x}");
    }
    bench.configuration_write(0x61, 1, 15);
    assert_eq!(high(&bench), [15]);
    bench.reset();
    assert!(high(&bench).is_empty());
}

#[test]
fn reset_control_resets_and_keeps_the_kind() {
    let mut bench = Bench::<Piix3>::new();
    bench.fake.take();
    bench.port_out(0xcf9, 1, 0xfb);
    assert_eq!(bench.port_in(0xcf9, 1), 2);
    // A wide read repeats the register.
    assert_eq!(bench.port_in(0xcf9, 4), 0x0202_0202);
    assert_eq!(bench.fake.take(), []);
    bench.port_out(0xcf9, 1, 0x04);
    assert_eq!(bench.fake.take(), [Effect::Power("reset")]);
    assert_eq!(bench.port_in(0xcf9, 1), 2);
    bench.reset();
    assert_eq!(bench.port_in(0xcf9, 1), 0);
    assert_eq!(bench.fake.mappings[&1], (0xcf9, 1));
}

#[test]
fn elcr_has_no_bits_for_what_is_always_edge_triggered() {
    let mut bench = Bench::<Piix3>::new();
    bench.port_out(0x4d0, 1, 0xff);
    bench.port_out(0x4d1, 1, 0xff);
    assert_eq!((bench.port_in(0x4d0, 1), bench.port_in(0x4d1, 1)), (0xf8, 0xde));
    assert_eq!(bench.port_in(0x4d0, 2), 0xf8f8);
    bench.port_out(0x4d0, 2, 0x2010);
    assert_eq!((bench.port_in(0x4d0, 1), bench.port_in(0x4d1, 1)), (0x20, 0xde));
    bench.reset();
    assert_eq!((bench.port_in(0x4d0, 1), bench.port_in(0x4d1, 1)), (0, 0));
}

#[test]
fn elcr_can_be_left_to_the_interrupt_controllers() {
    let bench = Bench::<Piix3>::with(&[("elcr", PropertyValue::Flag(false))]);
    assert!(bench.has_port(0xcf9) && !bench.has_port(0x4d0) && !bench.has_port(0x4d1));
}

#[test]
fn a_reset_restores_what_qemu_lists_and_nothing_else() {
    let mut bench = Bench::<Piix3>::new();
    let fresh: Vec<_> = (0..64).map(|at| bench.configuration_read(4 * at, 4)).collect();
    for at in 0..64 {
        bench.configuration_write(4 * at, 4, 0xa5a5_a5a5);
    }
    bench.reset();
    assert_eq!(bench.configuration_read(0x04, 4), fresh[1]);
    assert_eq!(bench.configuration_read(0x60, 4), 0x8080_8080);
    assert_eq!(bench.configuration_read(0x4c, 4), 0x0003_a54d);
    assert_eq!(bench.configuration_read(0xa8, 4), 0x0000_a50f);
    assert_eq!(bench.configuration_read(0xb0, 4), 0xa5a5_a5a5);
}

fn section(bench: &mut Bench<Piix3>) -> Section {
    bench.save(Scope::Stream).remove(0)
}

#[test]
fn saved_levels_are_those_of_the_bus() {
    let levels = |lines| {
        let mut bench = Bench::<Piix3>::with(&[number("interrupt-lines", lines)]);
        bench.line(2, true);
        section(&mut bench).data[276..].to_vec()
    };
    assert_eq!(levels(4), [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(levels(128), [0; 16]);
}

#[test]
fn a_stream_is_loaded_with_lines_that_are_still_low() {
    let mut bench = Bench::<Piix3>::new();
    bench.configuration_write(0x60, 1, 9);
    bench.port_out(0xcf9, 1, 2);
    bench.line(0, true);
    let saved = section(&mut bench);
    let mut new = Bench::<Piix3>::configured(&[]);
    new.load(Scope::Stream, vec![saved.clone()]).expect("its own state");
    assert!(high(&new).is_empty());
    assert_eq!(new.port_in(0xcf9, 1), 2);
    new.line(0, true);
    assert_eq!(high(&new), [9]);
    assert_eq!(section(&mut new).data, saved.data);
}

#[test]
fn version_2_has_no_levels() {
    let mut saved = section(&mut Bench::<Piix3>::new());
    saved.version = 2;
    saved.data.truncate(276);
    let mut bench = Bench::<Piix3>::configured(&[]);
    bench.load(Scope::Stream, vec![saved]).expect("QEMU loads version 2");
}

#[test]
fn impossible_states_are_refused() {
    let refused = |change: fn(&mut Vec<u8>)| {
        let mut bench = Bench::<Piix3>::new();
        bench.port_out(0xcf9, 1, 2);
        let mut saved = section(&mut bench);
        change(&mut saved.data);
        let refusal = Bench::<Piix3>::configured(&[]).load(Scope::Stream, vec![saved]);
        refusal.expect_err("it is impossible").reason
    };
    assert_eq!(refused(|data| data[279] = 2), "[2, 0, 0, 0] found, 0 or 1 expected of each");
    assert_eq!(refused(|data| *data.last_mut().unwrap() = 6), "0x6 found, 0 or 2 expected");
    assert_eq!(refused(|data| data.push(0)), "1 bytes left over");
    assert!(refused(|data| data[6] = 0x10).starts_with("byte 0x02 is 0x10, 0x00 expected"));
}

fn action() -> impl Strategy<Value = Action> {
    let size = || prop_oneof![Just(1_u8), Just(2), Just(4)];
    let port = || prop_oneof![Just(0xcf9_u16), Just(0x4d0), Just(0x4d1)];
    prop_oneof![
        4 => (0x60..0x64_u16, 0..0x12_u32).prop_map(|(at, irq)| Action::Configure(at, 1, irq)),
        2 => (0..0x100_u16, size(), any::<u32>())
            .prop_map(|(at, size, value)| Action::Configure(at, size, value)),
        2 => (port(), size(), any::<u32>())
            .prop_map(|(port, size, value)| Action::Out(port, size, value.into())),
        2 => (port(), size()).prop_map(|(port, size)| Action::In(port, size)),
        4 => (0..4_u32, any::<bool>()).prop_map(|(line, level)| Action::Line(line, level)),
        1 => Just(Action::Reset),
    ]
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..40),
        after in prop::collection::vec(action(), 0..40),
        xen: bool,
    ) {
        let properties = [number("interrupt-lines", if xen { 128 } else { 4 })];
        let mut old = Bench::<Piix3>::with(&properties);
        for action in &before {
            old.perform(action);
        }
        let mut new = old.successor(&properties);
        old.assert_goes_on(&mut new, &after, Bench::perform);
        old.successor(&properties);
    }
}

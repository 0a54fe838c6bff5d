//! The saved state.

use proptest::prelude::*;
use southbridge_sdk::fake::{Action, Bench};
use southbridge_sdk::wit::{Refusal, Scope, Section};

use super::program;
use crate::I8257;

macro_rules! golden {
    ($case:literal, $section:literal) => {
        include_bytes!(concat!("../../../../tests/data/sections/", $case, "/", $section, ".bin"))
    };
}

fn data(bench: &mut Bench<I8257>) -> Vec<Vec<u8>> {
    bench.save(Scope::Stream).into_iter().map(|section| section.data).collect()
}

#[test]
fn the_sections_are_those_of_the_recorded_streams() {
    let mut bench = Bench::<I8257>::new();
    assert_eq!(data(&mut bench), [golden!("reset", "dma-0"), golden!("reset", "dma-1")]);
    // What case `poked` does.
    for (port, byte) in [(0x0c, 0), (0, 0x34), (0, 0x12), (0x81, 0x77)] {
        bench.port_out(port, 1, byte);
    }
    assert_eq!(data(&mut bench), [golden!("poked", "dma-0"), golden!("poked", "dma-1")]);
}

#[test]
fn each_controller_gets_its_own_section() {
    let mut bench = Bench::<I8257>::new();
    program(&mut bench, 1, 0x44, 0x12_3456, 0x789a);
    bench.port_out(0xde, 1, 0x05);
    let mut loaded = Bench::<I8257>::configured(&[]);
    loaded.load(Scope::Stream, bench.save(Scope::Stream)).expect("its own state");
    assert_eq!(data(&mut loaded), data(&mut bench));
    assert_eq!([loaded.port_in(0x09, 1), loaded.port_in(0xd2, 1)], [0xfd, 0x05]);
}

fn refused(change: impl FnOnce(&mut Vec<Section>)) -> (String, String) {
    let mut sections = Bench::<I8257>::new().save(Scope::Stream);
    change(&mut sections);
    let mut bench = Bench::<I8257>::configured(&[]);
    let Refusal { field, reason, .. } =
        bench.load(Scope::Stream, sections).expect_err("it is impossible");
    (field, reason)
}

#[test]
fn impossible_states_are_refused() {
    let pair = |field: &str, reason: &str| (field.to_owned(), reason.to_owned());
    let found = refused(|sections| sections[1].data[2] = 2);
    assert_eq!(found, pair("flip_flop", "2 found, 0 or 1 expected"));
    let found = refused(|sections| sections.swap(0, 1));
    assert_eq!(found, pair("dshift", "1 found, 0 expected"));
    let found = refused(|sections| {
        let third = sections[1].clone();
        sections.push(third);
    });
    assert_eq!(found, pair("", "unknown section, or the section is there twice"));
}

fn action() -> impl Strategy<Value = Action> {
    let port = || prop_oneof![0..0x10_u16, 0xc0..0xe0_u16, 0x81..0x90_u16];
    let size = || prop_oneof![Just(1_u8), Just(2), Just(4)];
    prop_oneof![
        6 => (port(), size(), any::<u32>())
            .prop_map(|(port, size, value)| Action::Out(port, size, value.into())),
        4 => (port(), size()).prop_map(|(port, size)| Action::In(port, size)),
        2 => (0..8_u32, any::<bool>()).prop_map(|(line, level)| Action::Line(line, level)),
        1 => Just(Action::Reset),
    ]
}

proptest! {
    #[test]
    fn a_successor_goes_on_as_the_device_would(
        before in prop::collection::vec(action(), 0..60),
        after in prop::collection::vec(action(), 0..40),
    ) {
        let mut old = Bench::<I8257>::new();
        for action in &before {
            old.perform(action);
        }
        let mut new = old.successor(&[]);
        for action in &after {
            prop_assert_eq!(old.perform(action), new.perform(action));
        }
        prop_assert_eq!(data(&mut old), data(&mut new));
    }

    #[test]
    fn no_state_traps(
        bytes in prop::collection::vec(any::<u8>(), 68),
        actions in prop::collection::vec(action(), 0..40),
    ) {
        let mut sections = Bench::<I8257>::new().save(Scope::Stream);
        sections[1].data[7..].copy_from_slice(&bytes);
        sections[1].data[1] = 0;
        let mut bench = Bench::<I8257>::configured(&[]);
        bench.load(Scope::Stream, sections).expect("every value of these fields is legal");
        for action in &actions {
            bench.perform(action);
        }
        bench.line(5, true);
    }
}

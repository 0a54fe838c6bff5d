//! States that QEMU takes, and what comes of a state of the wrong format.

use vmstate::{Layouts, Stream};

use super::answers::{Answers, Part};
use super::pokes::poke;
use super::ports::{Ports, SMBUS, smbus};
use super::real::Qemu;
use super::southbridge::Southbridge;
use crate::data::named;

/// Devices that guests of xl have, besides those of the tests' machines.
const OF_XL: [&str; 2] = ["-device", "VGA,vgamem_mb=16"];

#[test]
fn a_guest_saved_by_xl_is_restored_alike() {
    for (machine, state) in [
        ("xenfv-3.1", "xl/qemu7.2-xenfv-smbus.qevm"),
        ("xenfv-4.2", "xl/qemu7.2-xenfv-4.2-smbus.qevm"),
    ] {
        let state = &named(state).bytes;
        let mut qemu = Qemu::load(machine, state, &OF_XL).expect("QEMU wrote it");
        let mut southbridge = Southbridge::load(machine, state);
        let qemu = Answers::of(&mut qemu, true);
        // The VGA device's slot is empty here.
        let parts = [Part::Address, Part::Configuration, Part::Ports, Part::Smbus];
        qemu.check(&Answers::of(&mut southbridge, true), &parts, machine);
        if machine == "xenfv-4.2" {
            // What the guest had last read from the EEPROM at 0x50.
            let registers = [smbus::HSTADD, smbus::HSTDAT0, smbus::HSTDAT1];
            assert_eq!(registers.map(|offset| qemu.port(SMBUS + offset, 1)), [0xa1, 0x5d, 0x6e]);
        }
    }
}

/// `xenfv` is `xenfv-3.1`, in this QEMU. Of a state of `xenfv-4.2` it takes the
/// SMBus registers for what follows them in its own format, and finds the end of
/// the stream among them.
#[test]
fn qemu_does_not_notice_that_a_xenfv_4_2_state_is_not_for_xenfv() {
    let mut before = Qemu::new("xenfv-4.2");
    poke(&mut before, true);
    let state = before.save();
    let stream = Stream::read(&state, Layouts::builtin()).unwrap();
    assert!(stream.devices.section("0000:00:02.0/platform", 0).is_some());

    let mut after = Qemu::load("xenfv", &state, &[]).expect("QEMU notices nothing");
    // The bridge was loaded, the platform device behind power management not.
    assert_eq!(after.configuration(0x00, 0x58), before.configuration(0x00, 0x58));
    assert_eq!((before.read(0x10, 1), after.read(0x10, 1)), (1, 0));
}

#[test]
fn qemu_dies_of_a_xenfv_state_as_xenfv_4_2() {
    let mut before = Qemu::new("xenfv");
    poke(&mut before, true);
    let refused = Qemu::load("xenfv-4.2", &before.save(), &[]).err().expect("it is refused");
    assert_eq!(refused.status, Some(1));
    assert!(refused.said.contains("Unknown savevm section type 111"), "{refused:?}");
}

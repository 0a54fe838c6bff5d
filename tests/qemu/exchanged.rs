//! States from one to the other.

use vmstate::{Devices, Layouts, Section, Stream};

use super::answers::{Answers, Part};
use super::machines::{MACHINES, all, is_xen};
use super::pokes::{READ_IN_FLIGHT, poke};
use super::ports::Ports;
use super::real::Qemu;
use super::southbridge::Southbridge;

/// The port of APMS.
const APMS: u16 = 0xb3;

/// A little more than ten milliseconds, of the virtual clock.
const WHILE: u64 = 10_203_040;

fn answers(machine_type: &str, machine: &mut dyn Ports) -> Answers {
    Answers::of(machine, is_xen(machine_type))
}

/// Checks that all answers after a state was loaded are the same, and those of
/// the parts that this machine saves the same as before.
fn check(machine: &str, before: &Answers, qemu: &Answers, southbridge: &Answers) {
    let after = format!("{machine}, QEMU and Southbridge from one state");
    qemu.check(southbridge, &Part::ALL, &after);
    let saved = Part::saved_by(machine);
    before.check(qemu, &saved, &format!("{machine}, before and after"));
    if saved.contains(&Part::Smbus) {
        // It is no accident: the transfer that was in flight has gone on.
        for (byte, expected) in READ_IN_FLIGHT.into_iter().enumerate().skip(1) {
            assert_eq!(qemu.get(&format!("byte {byte} in flight")), u64::from(expected));
        }
    }
}

#[test]
fn qemu_goes_on_from_what_southbridge_saved() {
    for machine in &all() {
        let mut before = Southbridge::new(machine);
        before.advance(WHILE);
        poke(&mut before, is_xen(machine));
        before.advance(WHILE);
        let state = before.save();
        let qemu = Qemu::load(machine, &state, &[]);
        let mut qemu = qemu.unwrap_or_else(|refused| panic!("{machine}: {refused:?}"));
        let mut southbridge = Southbridge::load(machine, &state);
        check(
            machine,
            &answers(machine, &mut before),
            &answers(machine, &mut qemu),
            &answers(machine, &mut southbridge),
        );
    }
}

#[test]
fn southbridge_goes_on_from_what_qemu_saved() {
    for machine in &all() {
        let mut before = Qemu::new(machine);
        poke(&mut before, is_xen(machine));
        let state = before.save();
        let mut qemu = Qemu::load(machine, &state, &[]).expect("the state is its own");
        let mut southbridge = Southbridge::load(machine, &state);
        check(
            machine,
            &answers(machine, &mut before),
            &answers(machine, &mut qemu),
            &answers(machine, &mut southbridge),
        );
    }
}

/// The device sections of a state.
fn devices(state: &[u8]) -> Devices {
    Stream::read(state, Layouts::builtin()).expect("it is a state").devices
}

/// Whether a section says something of the host, too: QEMU's clock counts from
/// a time of the host's, what it did with a machine when it saved it is no matter
/// of the guest's, and the real-time clock tells the host's time of day.
fn of_the_host(section: &Section) -> bool {
    ["timer", "globalstate", "mc146818rtc"].contains(&section.name.as_str())
}

/// Whether nothing that is done here changes a section.
fn untouched(section: &Section) -> bool {
    [
        "PCIBUS",
        "ide",
        "ps2kbd",
        "ps2mouse",
        "pckbd",
        "port92",
        "kvm-tpr-opt",
        "vmmouse",
        "fdc",
        "dma",
        "hpet",
        "ioapic",
        "i8259",
        "i8254",
        "pcspk",
        "fw_cfg",
    ]
    .contains(&section.kind())
}

#[test]
fn southbridge_saves_the_bytes_that_qemu_saves() {
    for machine in MACHINES {
        let (mut qemu, mut southbridge) = (Qemu::new(machine), Southbridge::new(machine));
        poke(&mut qemu, is_xen(machine));
        poke(&mut southbridge, is_xen(machine));
        let (theirs, ours) = (devices(&qemu.save()), devices(&southbridge.save()));
        let fresh = devices(&Southbridge::new(machine).save());
        let mut compared = 0;
        for section in ours.sections.iter().filter(|section| !of_the_host(section)) {
            let theirs = theirs.section(&section.name, section.instance);
            let theirs = theirs.unwrap_or_else(|| panic!("{machine}: QEMU has no {section:?}"));
            assert_eq!(section.version, theirs.version, "{machine}, {}", section.name);
            assert_eq!(section.payload, theirs.payload, "{machine}, {}", section.name);
            if !untouched(section) {
                let fresh = fresh.section(&section.name, section.instance);
                let fresh = fresh.map(|fresh| &fresh.payload);
                assert_ne!(Some(&section.payload), fresh, "{machine}, {}", section.name);
            }
            compared += 1;
        }
        assert!(compared >= 6, "{machine}: {compared} sections");
    }
}

/// With devices that Southbridge does not have, whose state it keeps.
#[test]
fn a_state_comes_back_to_qemu_whole() {
    const CMOS: u16 = 0x70;

    for machine in MACHINES {
        let mut before = Qemu::new(machine);
        poke(&mut before, is_xen(machine));
        before.write_all(CMOS, &[(0, 0x40), (1, 0xa5)]);
        let state = before.save();
        let mut qemu = Qemu::load(machine, &state, &[]).expect("the state is its own");
        let mut southbridge = Southbridge::load(machine, &state);
        // A state without the SMBus does not say that a transfer is in flight:
        // QEMU, too, saves the bus as idle then, once it has loaded it.
        let [before, again, back] =
            [&state, &qemu.save(), &southbridge.save()].map(|state| devices(state).sections);
        assert_eq!((before.len(), again.len()), (back.len(), back.len()), "{machine}");
        for ((before, again), back) in before.iter().zip(&again).zip(&back) {
            let name = &before.name;
            assert_eq!((&back.name, back.id), (name, before.id), "{machine}");
            let expected = [&before.payload, &again.payload];
            assert!(expected.contains(&&back.payload), "{machine}, {name}: {back:?}");
        }

        // The guest goes on here, and then there.
        southbridge.write(APMS, 1, 0x77);
        let back = Qemu::load(machine, &southbridge.save(), &[]);
        let mut back = back.unwrap_or_else(|refused| panic!("{machine}: {refused:?}"));
        assert_eq!(back.read(APMS, 1), 0x77, "{machine}");
        back.write(CMOS, 1, 0x40);
        assert_eq!(back.read(CMOS + 1, 1), 0xa5, "{machine}");
        qemu.write(APMS, 1, 0x77);
        let [qemu, back] = [&mut qemu, &mut back].map(|qemu| answers(machine, qemu));
        qemu.check(&back, &Part::ALL, machine);
    }
}

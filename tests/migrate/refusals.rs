//! Streams that do not fit a machine: every reason is said, nothing is applied.

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use southbridge::machine::Machine;
use southbridge::migrate::Fault;
use vmstate::{Configuration, Section, Stream};

use super::{machine_for, machine_type};
use crate::data::named;

const XL: &str = "xl/qemu7.2-xenfv-4.2-smbus.qevm";
const PM: &str = "0000:00:01.3/piix4_pm";

fn section<'s>(stream: &'s mut Stream, name: &str) -> &'s mut Section {
    let mut sections = stream.devices.sections.iter_mut();
    sections.find(|section| section.name == name).expect("the section is there")
}

/// The faults of a stream, and that none of it was applied.
fn faults(machine: &Machine, stream: &Stream) -> Vec<Fault> {
    let before = machine.save_stream().unwrap();
    let problems = machine.load_stream(stream).expect_err("it does not fit");
    assert_eq!(machine.check_stream(stream), problems);
    assert_eq!(machine.save_stream().unwrap(), before);
    for problem in &problems {
        let text = problem.to_string();
        assert!(!text.contains('\n'), "{text}");
        assert_eq!(text.starts_with("at offset 0x"), problem.offset.is_some(), "{text}");
    }
    problems.into_iter().map(|problem| problem.fault).collect()
}

#[test]
fn a_state_of_the_other_xen_machine_is_told_by_what_it_carries() {
    let stream = named(XL).read();
    let other = machine_for(&stream, &machine_type("xenfv-3.1"));
    // The EEPROM's section is one that this machine could load: a device may be
    // given state that it does not save itself.
    let found = faults(&other, &stream);
    let [Fault::OtherFormat { section, machine, difference }] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((section.as_str(), machine.as_str()), (PM, "xenfv-3.1"));
    let pm = stream.devices.section(PM, 0).unwrap();
    assert_eq!(difference.carries.len(), 1);
    assert_eq!((&*difference.carries[0].field, difference.carries[0].bytes), ("smb", 48));
    assert_eq!(difference.carries[0].offset, pm.offset + 284);

    let stream = named("xl/qemu7.2-xenfv.qevm").read();
    let other = machine_for(&stream, &machine_type("xenfv-4.2"));
    let found = faults(&other, &stream);
    assert!(
        matches!(&found[..], [Fault::OtherFormat { difference, .. }] if difference.lacks.len() == 1),
        "{found:?}"
    );
}

#[test]
fn a_state_that_names_another_machine_is_refused() {
    let stream = named("qemu-7.2/pc-i440fx-4.2/poked.bin").read();
    // Of the same format: nothing but the name tells.
    let machine = machine_for(&stream, &machine_type("pc-i440fx-4.1"));
    let found = faults(&machine, &stream);
    assert!(
        matches!(&found[..], [Fault::OtherMachine { stated, .. }] if stated == "pc-i440fx-4.2"),
        "{found:?}"
    );
}

#[test]
fn the_frame_must_be_the_machines() {
    let mut stream = named("qemu-7.2/pc-i440fx-4.2/reset.bin").read();
    let machine = machine_for(&stream, &machine_type("pc-i440fx-4.2"));
    stream.configuration = None;
    assert!(matches!(faults(&machine, &stream)[..], [Fault::NoConfiguration { .. }]));
    stream.configuration =
        Some(Configuration { machine: "pc-i440fx-4.2".into(), ..Configuration::default() });
    stream.devices.footers = false;
    assert!(matches!(faults(&machine, &stream)[..], [Fault::Footers { found: false, .. }]));
}

#[test]
fn a_chain_that_ends_early_is_refused() {
    let mut stream = named(XL).read();
    let machine = machine_for(&stream, &machine_type("xenfv-4.2"));
    let pm = stream.devices.sections.iter().position(|section| section.name == PM).unwrap();
    stream.devices.sections.truncate(pm + 1);
    let found = faults(&machine, &stream);
    assert!(
        matches!(&found[..], [Fault::Missing { section, slot }, Fault::Missing { section: vga, .. }]
            if section == "0000:00:02.0/platform" && slot == "xen-platform"
                && vga == "0000:00:03.0/vga"),
        "{found:?}"
    );
    stream.devices.sections.clear();
    let found = faults(&machine, &stream);
    assert!(found.len() >= 6 && found.iter().all(|fault| matches!(fault, Fault::Missing { .. })));
}

#[test]
fn a_section_of_a_device_that_could_be_there_is_not_kept() {
    let mut stream = named("qemu-7.2/pc-i440fx-4.2/reset.bin").read();
    let machine = machine_for(&stream, &machine_type("pc-i440fx-4.2"));
    let full = named("qemu-7.2/pc-i440fx-4.2/full.bin").read();
    let serial = full.devices.section("serial", 0).unwrap().clone();
    stream.devices.sections.push(serial);
    let found = faults(&machine, &stream);
    let expected = "section serial instance 0 is of a device that is not there; add it with \
                    --device isa-serial";
    assert_eq!(found.iter().map(Fault::to_string).collect::<Vec<_>>(), [expected]);
    stream.devices.sections.pop();

    // One more than there are of a kind that is always there.
    let mut second = stream.devices.section("i2c_bus", 0).unwrap().clone();
    second.instance = 1;
    stream.devices.sections.push(second);
    let found = faults(&machine, &stream);
    assert!(matches!(&found[..], [Fault::NoDevice { device: None, .. }]), "{found:?}");
}

#[test]
fn devices_refuse_versions_lengths_and_values() {
    let golden = named(XL).read();
    let machine = machine_for(&golden, &machine_type("xenfv-4.2"));
    let mut later = golden.clone();
    section(&mut later, PM).version += 1;
    let found = faults(&machine, &later);
    assert!(matches!(&found[..], [Fault::Refused { slot, .. }] if slot == "pm"), "{found:?}");

    let mut shorter = golden.clone();
    section(&mut shorter, "0000:00:01.0/PIIX3").payload.pop();
    let found = faults(&machine, &shorter);
    assert!(matches!(&found[..], [Fault::Refused { slot, .. }] if slot == "isa-bridge"));

    // A vendor ID of nobody's, at offset 4 of the function's state, in two
    // devices: both are said.
    let mut other = golden.clone();
    for name in ["0000:00:01.0/PIIX3", "0000:00:02.0/platform"] {
        section(&mut other, name).payload[4] ^= 0xff;
    }
    let found = faults(&machine, &other);
    let slots = found.iter().filter_map(|fault| match fault {
        Fault::Refused { slot, .. } => Some(slot.as_str()),
        _ => None,
    });
    assert_eq!(slots.collect::<Vec<_>>(), ["isa-bridge", "xen-platform"]);

    let mut never = golden.clone();
    section(&mut never, "timer").payload[16] = 0x80;
    assert!(matches!(faults(&machine, &never)[..], [Fault::Clock { value }] if value < 0));
}

/// A bit of a device's section flips: the state is refused, or the machine holds
/// a state that it saves and takes again.
#[test]
fn a_flipped_bit_is_refused_or_legal() {
    for (name, machine) in [
        (XL, "xenfv-4.2"),
        ("xl/qemu7.2-xenfv-smbus.qevm", "xenfv-3.1"),
        ("qemu-7.2/pc-i440fx-7.2/full.bin", "pc-i440fx-7.2"),
    ] {
        let golden = named(name).read();
        let machine = machine_for(&golden, &machine_type(machine));
        let kept = machine.load_stream(&golden).unwrap().kept;
        let own = |section: &Section| {
            !kept
                .iter()
                .any(|(name, instance)| section.name == *name && section.instance == *instance)
        };
        let bytes: Vec<_> = (0..)
            .zip(&golden.devices.sections)
            .filter(|(_, section)| own(section))
            .flat_map(|(number, section)| (0..section.payload.len()).map(move |at| (number, at)))
            .collect();
        let flip = (prop::sample::select(bytes), 0..8_u32);
        let mut runner = TestRunner::new(ProptestConfig::with_cases(200));
        let result = runner.run(&flip, |((number, at), bit)| {
            let mut stream: Stream = golden.clone();
            let section: &mut Section = &mut stream.devices.sections[number];
            section.payload[at] ^= 1 << bit;
            if machine.load_stream(&stream).is_err() {
                return Ok(());
            }
            let saved = machine.save_stream().unwrap();
            prop_assert!(machine.load_stream(&saved).is_ok());
            prop_assert_eq!(machine.save_stream().unwrap(), saved);
            Ok(())
        });
        result.unwrap();
    }
}

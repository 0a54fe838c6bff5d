//! Streams of real QEMUs through whole machines.

use southbridge::migrate::Fault;
use vmstate::{Section, Stream};

use super::{machine_for, machine_type};
use crate::data::golden;

/// The machine type of a golden stream, by its folder; none for a machine that
/// was changed by hand.
fn machine_of(name: &str) -> Option<&str> {
    if let Some(file) = name.strip_prefix("xl/") {
        return Some(if file.contains("xenfv-4.2") { "xenfv-4.2" } else { "xenfv-3.1" });
    }
    let changed = name.contains("nobridge") || name.contains("+accel=xen");
    name.split('/').nth(1).filter(|_| !changed)
}

/// The section as QEMU itself would save it again after loading the stream.
fn as_saved_again(section: &Section, stream: &Stream) -> Section {
    let mut section = section.clone();
    // Without the state of the EEPROM nobody answers for the transfer that the
    // bus has open, and the bus forgets it.
    let eeprom = stream.devices.sections.iter().any(|other| other.name == "smbus-eeprom");
    if section.name == "i2c_bus" && !eeprom {
        section.payload = vec![0xff];
    }
    section.offset = 0;
    section
}

#[test]
fn what_qemu_saved_is_saved_again() {
    let mut count = 0;
    for golden in golden() {
        let Some(name) = machine_of(&golden.name) else { continue };
        let stream = golden.read();
        let machine = machine_for(&stream, &machine_type(name));
        let loaded = machine.load_stream(&stream);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{}: {problems:?}", golden.name));
        let again = machine.save_stream().unwrap();
        let expected: Vec<_> =
            stream.devices.sections.iter().map(|found| as_saved_again(found, &stream)).collect();
        for (again, expected) in again.devices.sections.iter().zip(&expected) {
            let again = Section { offset: 0, ..again.clone() };
            assert_eq!(again, *expected, "{}", golden.name);
        }
        assert_eq!(again.devices.sections.len(), expected.len(), "{}", golden.name);
        assert_eq!(again.devices.footers, stream.devices.footers, "{}", golden.name);
        let own = expected.len() - loaded.kept.len();
        assert!((16..=32).contains(&own), "{}: {own} sections of devices", golden.name);
        if stream.configuration.is_some() {
            assert_eq!(again.configuration, stream.configuration, "{}", golden.name);
        }
        let mut pairs = expected.iter().zip(&stream.devices.sections);
        let same = pairs.all(|(expected, found)| expected.payload == found.payload);
        if same && stream.devices.description.is_some() {
            assert_eq!(again.devices.description, stream.devices.description, "{}", golden.name);
        }
        count += 1;
    }
    assert!(count >= 220, "{count} streams");
}

/// The order of sections is that of QEMU's newest version for these machines. A display
/// comes where whoever asks for it has it made.
#[test]
fn a_machine_that_was_not_loaded_saves_in_qemus_order() {
    let mut count = 0;
    for golden in golden().iter().filter(|golden| golden.name.starts_with("qemu-7.2/")) {
        let Some(name) = machine_of(&golden.name) else { continue };
        let stream = golden.read();
        let saved = machine_for(&stream, &machine_type(name)).save_stream().unwrap();
        let common = |stream: &Stream, other: &Stream| {
            let sections = stream.devices.sections.iter().filter(|section| {
                let (name, instance) = (&section.name, section.instance);
                section.kind() != "vga" && other.devices.section(name, instance).is_some()
            });
            sections.map(|section| (section.name.clone(), section.instance)).collect::<Vec<_>>()
        };
        let found = common(&saved, &stream);
        assert_eq!(found, common(&stream, &saved), "{}", golden.name);
        assert!(found.len() >= 14, "{}: {found:?}", golden.name);
        count += 1;
    }
    assert!(count >= 40, "{count} streams");
}

#[test]
fn a_machine_with_other_properties_is_told_by_its_format() {
    let mut count = 0;
    for golden in golden().iter().filter(|golden| golden.name.ends_with("nobridge.bin")) {
        let stream = golden.read();
        let name = golden.name.split('/').nth(1).unwrap();
        let problems = machine_for(&stream, &machine_type(name)).check_stream(&stream);
        let is_format = |fault: &Fault| matches!(fault, Fault::OtherFormat { section, .. } if section.ends_with("piix4_pm"));
        assert!(matches!(&problems[..], [only] if is_format(&only.fault)), "{problems:?}");
        count += 1;
    }
    assert!(count >= 8, "{count} streams");
}

//! States that QEMU saves, as Southbridge's tools see them.

use serde_json::Value;
use vmstate::{Layouts, Stream};

use super::machines::{MACHINES, is_xen};
use super::pokes::poke;
use super::real::Qemu;
use crate::program::{Files, succeed};

/// What QEMU saves of a machine that a guest has used.
fn used(machine: &str) -> Vec<u8> {
    let mut qemu = Qemu::new(machine);
    poke(&mut qemu, is_xen(machine));
    qemu.save()
}

#[test]
fn states_are_written_back_as_they_were_read() {
    for machine in MACHINES {
        let state = used(machine);
        let stream = Stream::read(&state, Layouts::builtin());
        let stream = stream.unwrap_or_else(|error| panic!("{machine}: {error}"));
        let live = stream.live.range.start as usize..stream.live.range.end as usize;
        assert!(stream.write(&state[live]) == state, "{machine}");
        let sections = &stream.devices.sections;
        assert!(sections.len() > 20, "{machine}: {} sections", sections.len());
        // A state under Xen does not describe itself; what is built in is for all.
        let described = stream.devices.layouts().expect("QEMU describes it in JSON");
        assert_eq!(described.is_none(), is_xen(machine), "{machine}");
        for layouts in described.iter().chain([Layouts::builtin()]) {
            for section in sections {
                let reading = layouts.decode(section);
                let reading = reading.unwrap_or_else(|error| panic!("{machine}: {error}"));
                let payload = reading.structure.encode().expect("it has been read");
                assert_eq!(payload, section.payload, "{machine}, {}", section.name);
            }
        }
    }
}

#[test]
fn states_are_told_apart() {
    let files = Files::new();
    for machine in MACHINES {
        let file = files.write(machine, used(machine));
        let detection = succeed(&["state", "detect", "--json", &file]);
        let detection: Value = serde_json::from_str(&detection).unwrap();
        let fits = detection["fits"].as_array().unwrap();
        assert_eq!(fits.len(), 1, "{machine}: {detection}");
        assert_eq!(fits[0]["name"], machine);
    }
}

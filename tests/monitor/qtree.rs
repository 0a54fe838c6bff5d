use super::rig::{Rig, compare_with_own};
use crate::common::data;

/// A device in the text: the buses and devices it is on, its own line, and the lines
/// that say something of it.
#[derive(Debug)]
struct Device<'a> {
    place: Vec<&'a str>,
    line: &'a str,
    details: Vec<&'a str>,
}

fn devices(text: &str) -> Vec<Device<'_>> {
    let mut devices: Vec<Device<'_>> = Vec::new();
    let mut above: Vec<(usize, &str)> = Vec::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let depth = line.len() - trimmed.len();
        above.retain(|(other, _)| *other < depth);
        let is_device = trimmed.starts_with("dev: ");
        if is_device {
            let place = above.iter().map(|(_, name)| *name).collect();
            devices.push(Device { place, line: trimmed, details: Vec::new() });
        } else if let Some(device) = devices.last_mut() {
            device.details.push(trimmed);
        }
        if is_device || trimmed.starts_with("bus: ") {
            above.push((depth, trimmed));
        }
    }
    devices
}

fn property(line: &str) -> Option<(&str, &str)> {
    line.split_once(" = ")
}

/// QEMU's text has the devices of `own` in the same order on the same buses, and says
/// the same where both say something.
fn compare(own: &str, recorded: &str) {
    let recorded = devices(recorded);
    let mut rest = recorded.iter();
    let mut same = 0;
    for own in devices(own) {
        let is = |other: &&Device<'_>| other.place == own.place && other.line == own.line;
        let found = rest.find(is).unwrap_or_else(|| panic!("QEMU has no {own:?} here"));
        for line in own.details.iter().filter(|line| {
            line.starts_with("class ") || line.starts_with("bar ") || line.starts_with("type ")
        }) {
            assert!(found.details.contains(line), "{line:?} in {:?}", found.details);
        }
        for (name, value) in own.details.iter().filter_map(|line| property(line)) {
            let theirs = found.details.iter().filter_map(|line| property(line));
            for (_, theirs) in theirs.filter(|(other, _)| *other == name) {
                // QEMU without KVM has system management mode.
                let differs = name == "smm-enabled";
                assert!(differs || theirs == value, "{name} of {}: {theirs}", own.line);
                same += 1;
            }
        }
    }
    assert!(same > 20, "only {same} properties have the same name");
}

#[test]
fn devices_are_on_the_buses_of_qemu() {
    let own = Rig::with_devices().human("info qtree");
    compare(&own, &data::text("monitor/reset/info-qtree.txt"));
}

#[test]
fn programmed_base_addresses_show() {
    let rig = Rig::plain("pc-i440fx-7.2");
    rig.qtest(&data::text("monitor/programmed/requests.txt"));
    let own = rig.human("info qtree");
    compare(&own, &data::text("monitor/programmed/info-qtree.txt"));
    assert!(own.contains("bar 4: i/o at 0xc000 [0xc00f]"), "{own}");
}

#[test]
fn the_text_is_as_it_was() {
    let own = Rig::with_devices().human("info qtree");
    // But for the time when the machine was made.
    let lasting = own.lines().filter(|line| {
        !["base-time", "clock-base"].contains(&line.trim().split(' ').next().unwrap())
    });
    let lasting: String = lasting.map(|line| format!("{line}\n")).collect();
    compare_with_own(&lasting, "info-qtree.txt");
}

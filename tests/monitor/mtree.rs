use std::collections::BTreeMap;

use super::rig::{Rig, compare_with_own};
use crate::common::data;

/// What QEMU has among the ports and Southbridge has not, or has in other pieces.
const ABSENT: [&str; 10] = [
    "ioport80",
    "ioportF0",
    "rtc-index",
    "acpi-evt",
    "acpi-cnt",
    "acpi-tmr",
    "piix4-pm",
    "piix-bmdma-container",
    "piix-bmdma",
    "bmdma",
];

/// QEMU's names of regions that have others here.
const NAMES: [(&str, &str); 34] = [
    ("dma-chan", "channels0"),
    ("dma-chan", "channels1"),
    ("dma-cont", "control0"),
    ("dma-cont", "control1"),
    ("dma-page", "pages0"),
    ("dma-page", "page0"),
    ("dma-page", "pages1"),
    ("dma-page", "page1"),
    ("pic", "master"),
    ("pic", "slave"),
    ("pit", "timer"),
    ("pcspk", "speaker"),
    ("fdc", "registers"),
    ("fdc", "dir-ccr"),
    ("ioapic", "registers"),
    ("apm-io", "apm"),
    ("isa-debug-exit", "exit-4"),
    ("ide", "primary-command"),
    ("ide", "primary-control"),
    ("ide", "secondary-command"),
    ("ide", "secondary-control"),
    ("serial", "registers"),
    ("elcr", "elcr1"),
    ("elcr", "elcr2"),
    ("acpi-pci-hotplug", "pci-hotplug"),
    ("acpi-cpu-hotplug", "cpu-bitmap"),
    ("acpi-gpe0", "gpe"),
    ("pm-smbus", "smbus"),
    ("acpi-evt", "pm1-event"),
    ("acpi-cnt", "pm1-control"),
    ("acpi-tmr", "pm-timer"),
    ("piix-bmdma-container", "bus-master"),
    ("smram-region", "smram"),
    ("pam-pci", "pam"),
];

/// The lines of an address space without indentation.
fn space<'a>(text: &'a str, name: &str) -> Vec<&'a str> {
    let header = format!("address-space: {name}");
    let lines = text.lines().skip_while(|line| **line != header);
    lines.skip(1).take_while(|line| !line.is_empty()).map(str::trim).collect()
}

/// A line's name, and what goes before it.
fn name(line: &str) -> (&str, &str) {
    line.split_once("): ").expect("it has a name")
}

fn same_name(qemu: &str, own: &str) -> bool {
    let own = own.split('-').next().filter(|_| own.starts_with("pam-")).unwrap_or(own);
    qemu == own || NAMES.contains(&(qemu, own))
}

/// Compares the ports of a machine with those in a recording.
fn compare_ports(own: &str, recorded: &str) {
    let (own, recorded) = (space(own, "I/O"), space(recorded, "I/O"));
    let mut left: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &recorded {
        let (place, name) = name(line);
        left.entry(place).or_default().push(name);
    }
    for line in own {
        let (place, own) = name(line);
        let names = left.get_mut(place).unwrap_or_else(|| panic!("QEMU has no {line:?}"));
        let found = names.iter().position(|name| same_name(name, own));
        names.remove(found.unwrap_or_else(|| panic!("in QEMU {own} is one of {names:?}")));
    }
    for name in left.values().flatten() {
        assert!(ABSENT.contains(name), "{name} is in QEMU only");
    }
}

#[test]
fn ports_are_where_they_are_in_qemu() {
    let own = Rig::with_devices().human("info mtree");
    compare_ports(&own, &data::text("monitor/reset/info-mtree.txt"));
}

#[test]
fn programmed_ports_are_where_they_are_in_qemu() {
    let rig = Rig::plain("pc-i440fx-7.2");
    rig.qtest(&data::text("monitor/programmed/requests.txt"));
    compare_ports(&rig.human("info mtree"), &data::text("monitor/programmed/info-mtree.txt"));
}

#[test]
fn ram_and_its_windows_are_those_of_qemu() {
    let rig = Rig::plain("pc-i440fx-7.2");
    rig.qtest(&data::text("monitor/programmed/requests.txt"));
    let (own, recorded) =
        (rig.human("info mtree"), data::text("monitor/programmed/info-mtree.txt"));
    // ROMs and the devices of KVM are not there.
    let devices = ["pc.rom", "pc.bios", "isa-bios", "ioapic", "hpet", "apic-msi"];
    let recorded = space(&recorded, "memory");
    let recorded: Vec<_> =
        recorded.iter().filter(|line| devices.iter().all(|name| !line.contains(name))).collect();
    // Devices are below the bus here, and above it in QEMU.
    let own = space(&own, "memory").into_iter();
    let own: Vec<_> = own.filter(|line| !["registers", "hpet"].contains(&name(line).1)).collect();
    assert_eq!(own.len(), recorded.len());
    for (own, recorded) in own.into_iter().zip(recorded) {
        // The names of windows differ: all parts of QEMU's lines but those are the same.
        let parts = |line: &'_ str| -> Vec<String> {
            let words = line.split(' ').map(str::to_owned);
            words.filter(|word| !word.starts_with("pam-") && !word.starts_with("smram")).collect()
        };
        assert_eq!(parts(own), parts(recorded));
    }
}

#[test]
fn the_flat_view_has_what_answers() {
    let rig = Rig::plain("pc-i440fx-7.2");
    rig.qtest(&data::text("monitor/programmed/requests.txt"));
    let own = rig.human("info mtree -f");
    // QEMU has ROMs from 0xc0000 on. Where a window shows the bus and nothing is there,
    // RAM is seen, as in QEMU.
    let memory = "FlatView #0\n AS \"memory\", root: system\n Root memory region: system\n  \
                  0000000000000000-00000000000c3fff (prio 0, ram): pc.ram\n  \
                  00000000000c4000-00000000000c7fff (prio 0, rom): pc.ram @00000000000c4000\n  \
                  00000000000c8000-0000000000ffffff (prio 0, ram): pc.ram @00000000000c8000\n  \
                  00000000fec00000-00000000fec00fff (prio 0, i/o): registers\n  \
                  00000000fed00000-00000000fed003ff (prio 0, i/o): hpet\n\n\
                  FlatView #1\n";
    assert!(own.starts_with(memory), "{own}");
    for line in [
        "  0000000000000cf8-0000000000000cf8 (prio 0, i/o): pci-conf-idx",
        "  0000000000000cf9-0000000000000cf9 (prio 1, i/o): piix3-reset-control",
        "  0000000000000cfa-0000000000000cfb (prio 0, i/o): pci-conf-idx @0000000000000002",
    ] {
        assert!(own.lines().any(|own| own == line), "{line}");
        let recorded = data::text("monitor/programmed/info-mtree-f.txt");
        assert!(recorded.lines().any(|recorded| recorded == line), "{line}");
    }
}

#[test]
fn the_text_is_as_it_was() {
    let rig = Rig::with_devices();
    compare_with_own(&rig.human("info mtree"), "info-mtree.txt");
    compare_with_own(&rig.human("info mtree -f -o"), "info-mtree-f-o.txt");
}

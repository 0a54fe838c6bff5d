use serde_json::Value;

use super::*;
use crate::machine::file::PciAddress;

const RECORDED: &str = include_str!("../../../../../tests/data/monitor/bridges/query-pci.json");
const TEXT: &str = include_str!("../../../../../tests/data/monitor/bridges/info-pci.txt");

fn recorded() -> Vec<BusInfo> {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    serde_json::from_value(recorded["return"].clone()).unwrap()
}

#[test]
fn qemus_answer_becomes_qemus_text() {
    assert_eq!(text(&recorded()), TEXT);
}

#[test]
fn qemus_answer_is_read_and_written_whole() {
    let recorded: Value = serde_json::from_str(RECORDED).unwrap();
    assert_eq!(serde_json::to_value(self::recorded()).unwrap(), recorded["return"]);
}

/// The header of the recording's first bridge: what its requests wrote, and the
/// fixed bits of a bridge that decodes 16 bits of ports and 64 of memory.
fn header() -> [u8; 64] {
    let mut header = [0; 64];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(offset::VENDOR, &[0x36, 0x1b, 0x01, 0x00]);
    put(offset::CLASS, &[0x04, 0x06]);
    put(offset::HEADER_TYPE, &[1]);
    put(offset::PRIMARY_BUS, &[0, 1, 3]);
    put(offset::IO_BASE, &[0xc0, 0xd0]);
    put(offset::MEMORY_BASE, &[0x00, 0xfe, 0x10, 0xfe]);
    put(offset::PREFETCHABLE_BASE, &[0x01, 0xfd, 0x11, 0xfd]);
    put(offset::PREFETCHABLE_BASE_UPPER, &[1, 0, 0, 0, 2, 0, 0, 0]);
    put(offset::INTERRUPT_PIN, &[1]);
    header
}

fn function(device: usize, address: &str, header: [u8; 64], buses: Vec<PciBus>) -> PciFunction {
    let address: PciAddress = address.parse().unwrap();
    PciFunction { device, address, header, bars: Vec::new(), buses }
}

#[test]
fn a_bridge_says_what_it_passes_on_and_what_is_behind_it() {
    let mut behind = [0; 64];
    behind[offset::CLASS..offset::CLASS + 2].copy_from_slice(&[0x00, 0x02]);
    let behind = function(1, "01.0", behind, Vec::new());
    let bus = PciBus { device: 0, name: "pci".into(), functions: vec![behind] };
    let view = View { devices: Vec::new(), buses: Vec::new(), cpus: Vec::new() };
    let own = info(&function(0, "02.0", header(), vec![bus.clone()]), 0, &view);

    let recorded = recorded();
    let theirs = recorded[0].devices.iter().find(|device| device.slot == 2).unwrap();
    let (own_bridge, bridge) = (own.pci_bridge.unwrap(), theirs.pci_bridge.clone().unwrap());
    assert_eq!(own_bridge.bus, bridge.bus);
    assert_eq!((own.class_info, own.id), (theirs.class_info.clone(), theirs.id.clone()));
    assert_eq!((own.irq, own.irq_pin), (theirs.irq, theirs.irq_pin));
    let devices = own_bridge.devices.unwrap();
    assert_eq!((devices.len(), devices[0].bus, devices[0].slot), (1, 1, 1));
    assert_eq!(devices[0].class_info.desc.as_deref(), Some("Ethernet controller"));

    let mut unassigned = header();
    unassigned[offset::PRIMARY_BUS..offset::IO_BASE].fill(0);
    let own = info(&function(0, "02.0", unassigned, vec![bus]), 0, &view);
    assert_eq!(own.pci_bridge.unwrap().devices, None);
}

#[test]
fn the_names_of_classes_are_sorted_and_qemus() {
    for device in recorded().iter().flat_map(|bus| &bus.devices) {
        let ClassInfo { desc, class } = &device.class_info;
        assert_eq!(class_name(u16::try_from(*class).unwrap()), desc.as_deref());
    }
}

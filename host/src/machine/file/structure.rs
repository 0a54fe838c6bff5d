//! Whether a machine makes sense by itself: what needs no component to tell.

use std::collections::BTreeMap;

use super::{Address, DeviceEntry, Error, MachineType, PropertyPath, Target, names};

/// Where memory above 4 GiB begins.
const FOUR_GIB: u64 = 1 << 32;
/// The legacy areas below it must be RAM's or the bus's, not beyond its end.
const ONE_MIB: u64 = 1 << 20;
const PAGE: u64 = 4096;

/// Checks all of it. The first fault found is the error.
pub(super) fn check(machine: &MachineType) -> Result<(), Error> {
    memory(machine)?;
    ids(machine)?;
    for device in machine.devices.iter().chain(&machine.optional) {
        for variant in device.variants() {
            references(machine, &variant)?;
        }
    }
    options(machine)?;
    tree(machine)?;
    slots(machine)
}

fn memory(machine: &MachineType) -> Result<(), Error> {
    let memory = &machine.memory;
    let fits = |value: u64| (ONE_MIB..=FOUR_GIB).contains(&value) && value.is_multiple_of(PAGE);
    for (key, value) in
        [("max-ram-below-4g", memory.max_ram_below_4g), ("split-at", memory.split_at)]
    {
        if !fits(value) {
            return Err(machine.origin.error(format!(
                "memory.{key} is {value:#x}, expected whole pages from 1 MiB to 4 GiB"
            )));
        }
    }
    if memory.split_at > memory.max_ram_below_4g {
        return Err(machine.origin.error(format!(
            "memory.split-at ({:#x}) is above memory.max-ram-below-4g ({:#x})",
            memory.split_at, memory.max_ram_below_4g
        )));
    }
    Ok(())
}

fn ids(machine: &MachineType) -> Result<(), Error> {
    let mut seen: BTreeMap<&str, &DeviceEntry> = BTreeMap::new();
    for device in machine.devices.iter().chain(&machine.optional) {
        if let Some(first) = seen.insert(&device.id, device) {
            // A template that has been plugged under its own name.
            if first.origin == device.origin {
                continue;
            }
            return Err(device
                .origin
                .error(format!(
                    "the id {:?} is that of the device of {} too",
                    device.id,
                    first.origin.place()
                ))
                .hint(format!("to replace an inherited device, say remove = [{:?}]", device.id)));
        }
    }
    Ok(())
}

/// The devices that an entry names must be there.
fn references(machine: &MachineType, device: &DeviceEntry) -> Result<(), Error> {
    let known = || machine.devices.iter().map(|device| device.id.as_str());
    for place in [&device.at, &device.qemu.bus].into_iter().flatten() {
        if machine.device(&place.value.device).is_none() {
            let problem =
                format!("unknown place \"{}\": no device {:?}", place.value, place.value.device);
            let error = place.origin.error(problem);
            return Err(error.hint(names::hint(&place.value.device, known())));
        }
    }
    for wire in device.wires.values() {
        if let Target::Line { device: other, .. } = &wire.value
            && machine.device(other).is_none()
        {
            return Err(wire
                .origin
                .error(format!("unknown line \"{}\": no device {other:?}", wire.value))
                .hint(names::hint(other, known())));
        }
    }
    Ok(())
}

/// An option sets a property of a device that is there.
fn options(machine: &MachineType) -> Result<(), Error> {
    for path in machine.options.values() {
        let PropertyPath { device, .. } = &path.value;
        if machine.device(device).is_none() {
            let known = machine.devices.iter().map(|device| device.id.as_str());
            let error = path.origin.error(format!("no device {device:?}"));
            return Err(error.hint(names::hint(device, known)));
        }
    }
    Ok(())
}

/// Buses must form trees: no device may sit, over others, on itself.
fn tree(machine: &MachineType) -> Result<(), Error> {
    for device in &machine.devices {
        let mut path = vec![device.id.as_str()];
        let mut last = device;
        while let Some(place) = &last.at {
            let owner = place.value.device.as_str();
            path.push(owner);
            if owner == device.id {
                return Err(place
                    .origin
                    .error(format!("the device sits on itself: {}", path.join(" on "))));
            }
            // A loop further down is found when its own devices are looked at.
            match machine.device(owner) {
                Some(next) if path.len() <= machine.devices.len() => last = next,
                _ => break,
            }
        }
    }
    Ok(())
}

/// No two devices may have the same address.
fn slots(machine: &MachineType) -> Result<(), Error> {
    let mut taken: BTreeMap<(&str, &str, Address), &DeviceEntry> = BTreeMap::new();
    for device in &machine.devices {
        let Some(place) = &device.at else { continue };
        let Some(address) = place.value.address else {
            continue;
        };
        if let Address::Pci(pci) = address
            && pci.slot() == 0
        {
            return Err(place.origin.error(format!(
                "slot 00 of {}/{} belongs to {:?} itself",
                place.value.device, place.value.bus, place.value.device
            )));
        }
        let key = (place.value.device.as_str(), place.value.bus.as_str(), address);
        if let Some(first) = taken.insert(key, device) {
            let there = first.at.as_ref().map_or(&first.origin, |at| &at.origin);
            return Err(place.origin.error(format!(
                "{} is taken twice: by {:?} here and by {:?} at {}",
                place.value,
                device.id,
                first.id,
                there.place()
            )));
        }
    }
    Ok(())
}

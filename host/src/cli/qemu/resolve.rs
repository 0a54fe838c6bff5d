//! From options that were read one by one to a machine: do they fit together?

use super::error::{Error, Problem};
use super::given::Collected;
use super::invocation::{Device, Invocation, Mode, Monitor};
use super::{accel, attach, boot, device, global, machine, memory, monitor, rtc, serial, smp};
use crate::chardev::ESCAPE;
use crate::machine::file::MachineTypes;

/// How many can share a character device: QEMU's `MAX_MUX`.
const MOST_SHARING: usize = 4;

pub(super) fn resolve(mut all: Collected, types: &MachineTypes) -> Result<Invocation, Error> {
    let name = all.machine.get("type").map(str::to_owned);
    let mut machine = machine::find(types, name.as_deref())?.clone();
    let accelerators = accel::resolve(&mut all)?;
    machine::apply(&mut all, &mut machine)?;
    let cpus = smp::resolve(&mut all, &machine.name)?;
    boot::resolve(&mut all, &mut machine)?;
    let memory = memory::resolve(&mut all)?;
    boot::check_images(&all)?;
    attach::resolve(&mut all, &mut machine)?;
    let rtc = rtc::resolve(&all)?;
    monitor::resolve_default(&mut all)?;
    let globals = global::resolve(&mut all, &mut machine)?;
    let ports = serial::resolve(&mut all, &mut machine)?;
    let monitors = monitor::resolve(&all)?;
    device::add_vga(&mut all);
    let mut devices = device::resolve(&mut all, &machine)?;
    devices.extend(serial::debug_device(&all, &machine)?);
    let qtest = monitor::resolve_qtest(&all)?;
    check_users(&all, &ports, &devices)?;
    let of_devices = devices.iter().filter_map(|device| device.chardev.clone());
    let streams = of_devices.map(|chardev| (chardev.clone(), chardev));
    let streams = streams.chain(ports.into_iter().map(|port| (port.stream, port.chardev)));
    let streams = streams.collect();
    Ok(Invocation {
        machine,
        accelerators,
        memory,
        cpus,
        name: all.name.get("guest").filter(|name| !name.is_empty()).map(str::to_owned),
        uuid: all.uuid,
        chardevs: all.chardevs,
        streams,
        escape: all.escape.unwrap_or(ESCAPE),
        shared: all.shared,
        monitors,
        qtest,
        devices,
        globals,
        drives: all.drives,
        files: all.files,
        irqchip: all.irqchip,
        rtc,
        images: all.images,
        paused: all.paused,
        incoming: all.incoming,
        actions: all.actions,
        process: all.process,
        log: all.log,
        own: all.own,
        warnings: all.warnings,
    })
}

/// A character device has one user, unless it is shared: then up to four, each for
/// people to type to.
fn check_users(all: &Collected, ports: &[serial::Port], devices: &[Device]) -> Result<(), Error> {
    let mut used: Vec<&str> = Vec::new();
    let mut is_taken = |id, alone| {
        let most = if alone || !all.shared.contains(id) { 1 } else { MOST_SHARING };
        used.push(id);
        used.iter().filter(|other| **other == id).count() > most
    };
    let in_use = |id: &str| format!("Device '{id}' is in use");
    for (place, Monitor { chardev, mode, .. }) in &all.monitors {
        if is_taken(chardev, *mode != Mode::Readline) {
            return Err(Error::at(place, in_use(chardev)));
        }
    }
    for port in ports {
        if is_taken(&port.chardev, false) {
            return Err(Error::at(&port.place, in_use(&port.chardev)));
        }
    }
    for Device { place, driver, chardev, .. } in devices {
        if let Some(id) = chardev.as_deref().filter(|id| is_taken(id, false)) {
            return Err(Error::at(
                place,
                format!("Property '{driver}.chardev' can't take value '{id}': {}", in_use(id)),
            ));
        }
    }
    match &all.qtest {
        Some(id) if is_taken(id, true) => Err(Problem::from(in_use(id)).bare()),
        _ => Ok(()),
    }
}

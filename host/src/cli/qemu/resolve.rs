//! From options that were read one by one to a machine: do they fit together?

use super::error::{Error, Problem};
use super::given::Collected;
use super::invocation::{Device, Invocation, Monitor};
use super::{accel, attach, boot, device, global, machine, memory, monitor, rtc, serial, smp};
use crate::machine::file::MachineTypes;

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
    let monitors = monitor::resolve(&all)?;
    let globals = global::resolve(&mut all, &mut machine)?;
    let ports = serial::resolve(&mut all, &mut machine)?;
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

/// A character device has one user.
fn check_users(all: &Collected, ports: &[serial::Port], devices: &[Device]) -> Result<(), Error> {
    let mut used: Vec<&str> = Vec::new();
    let mut is_taken = |id| {
        let taken = used.contains(&id);
        used.push(id);
        taken
    };
    let in_use = |id: &str| format!("Device '{id}' is in use");
    for (place, Monitor { chardev, .. }) in &all.monitors {
        if is_taken(chardev) {
            return Err(Error::at(place, in_use(chardev)));
        }
    }
    for port in ports {
        if is_taken(&port.chardev) {
            return Err(Error::at(&port.place, in_use(&port.chardev)));
        }
    }
    for Device { place, driver, chardev, .. } in devices {
        if let Some(id) = chardev.as_deref().filter(|id| is_taken(id)) {
            return Err(Error::at(
                place,
                format!("Property '{driver}.chardev' can't take value '{id}': {}", in_use(id)),
            ));
        }
    }
    match &all.qtest {
        Some(id) if is_taken(id) => Err(Problem::from(in_use(id)).bare()),
        _ => Ok(()),
    }
}

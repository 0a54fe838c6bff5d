//! `-serial`, `-parallel`, `-debugcon` and `-nographic`.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::invocation::Device;
use super::{device, legacy, monitor};
use crate::chardev::{Backend, Config};
use crate::machine::file::{Choice, DeviceEntry, MachineType};

/// QEMU looks at no more.
const MOST: usize = 4;

/// A serial port that was asked for.
pub(super) struct SerialPort {
    /// Where.
    place: String,
    /// The character device; none if there is to be no such port.
    chardev: Option<String>,
}

pub(super) fn serial(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let (place, text) = (given.place(), given.text()?);
    let chardev = match text {
        "none" => None,
        _ => {
            let label = stream(all.serial_ports.len());
            let failed = format!("could not connect serial device to character backend '{text}'");
            let chardev = legacy::chardev(all, given, &label)?;
            Some(chardev.map_err(|unfit| unfit.error(&place, &failed))?)
        }
    };
    // QEMU takes more than it has room for, and forgets them.
    if all.serial_ports.len() < MOST {
        all.serial_ports.push(SerialPort { place, chardev });
    }
    Ok(())
}

pub(super) fn parallel(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    match given.text()? {
        "none" => {}
        "null" => given.warn(all, "there is no such device here; the guest does not have it"),
        _ => return Err(given.error("there is no parallel port here")),
    }
    Ok(())
}

pub(super) fn debug_console(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    const LABEL: &str = "debugcon";
    let (place, text) = (given.place(), given.text()?);
    let failed = format!("invalid character backend '{text}'");
    let chardev = legacy::chardev(all, given, LABEL)?;
    let chardev = chardev.map_err(|unfit| unfit.error(&place, &failed))?;
    all.debug_console = Some((place, chardev));
    Ok(())
}

pub(super) fn no_graphic(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.no_graphic = true;
    Ok(())
}

/// The stream of the host that a machine file connects a serial port to.
fn stream(port: usize) -> String {
    format!("serial{port}")
}

/// Whether an entry of a machine file is connected to a stream of the host.
pub(super) fn is_on(entry: &DeviceEntry, stream: &str) -> bool {
    entry.streams.values().any(|name| name.value == stream)
}

/// A serial port of the machine and what it is connected to.
pub(super) struct Port {
    /// Where that was asked for.
    pub(super) place: String,
    /// The stream of the host that the machine file connects it to.
    pub(super) stream: String,
    /// The character device.
    pub(super) chardev: String,
}

/// Leaves out default devices, and has the machine have the serial ports that
/// were asked for. Which device a port is says the machine file: the one whose
/// stream is `serial0`, `serial1` and so on.
pub(super) fn resolve(all: &mut Collected, machine: &mut MachineType) -> Result<Vec<Port>, Error> {
    let asked: Vec<SerialPort> = std::mem::take(&mut all.serial_ports);
    let wanted = |entry: &DeviceEntry| {
        let mut asked = asked.iter().enumerate();
        asked.find(|(number, _)| is_on(entry, &stream(*number))).map(|(_, p)| p.chardev.is_some())
    };
    let defaults = !all.no_defaults;
    machine.leave_out(|entry| entry.default && !wanted(entry).unwrap_or(defaults));
    if asked.is_empty() {
        device::displace_defaults(all, machine);
        return console(all, machine);
    }
    let mut ports = Vec::new();
    for (number, SerialPort { place, chardev }) in asked.into_iter().enumerate() {
        let Some(chardev) = chardev else { continue };
        let stream = stream(number);
        if !machine.devices.iter().any(|entry| is_on(entry, &stream)) {
            add(machine, number).map_err(|problem| problem.at(&place))?;
        }
        if !all.has_chardev(&chardev) {
            return Err(Error::at(
                &place,
                format!("could not connect serial device to character backend 'chardev:{chardev}'"),
            ));
        }
        ports.push(Port { place, stream, chardev });
    }
    Ok(ports)
}

/// What a port that is there by default is connected to: nothing, since there is
/// no display that could show it, unless there is to be no display.
fn console(all: &mut Collected, machine: &MachineType) -> Result<Vec<Port>, Error> {
    let stream = stream(0);
    let there = machine.devices.iter().any(|entry| entry.default && is_on(entry, &stream));
    if !all.no_graphic || !there {
        return Ok(Vec::new());
    }
    let chardev = stream.clone();
    // With QEMU's default monitor: it shares the terminal.
    let with_monitor = !all.no_default_monitor && all.monitors.is_empty();
    let backend = Backend::Stdio { signal: !with_monitor };
    all.add_chardev(Config { id: chardev.clone(), backend }).map_err(Problem::bare)?;
    if with_monitor {
        monitor::share(all, "-nographic", &chardev);
    }
    Ok(vec![Port { place: "-nographic".into(), stream, chardev }])
}

/// Adds a port behind the one before, as QEMU creates and saves them.
fn add(machine: &mut MachineType, number: usize) -> Result<(), Problem> {
    let stream = stream(number);
    let found = machine.optional.iter().find_map(|entry| {
        let is_meant = |choice: &Choice| choice.streams.values().any(|name| name.value == stream);
        Some((entry.id.clone(), entry.choices.iter().position(is_meant)?))
    });
    let (template, choice) =
        found.ok_or_else(|| format!("machine '{}' has no serial port {number}", machine.name))?;
    let id = free_id(machine, &template, &stream);
    machine.plug(&template, &id, Some(choice)).map_err(|error| error.to_string())?;
    let before = number.checked_sub(1).and_then(|before| {
        let before = self::stream(before);
        machine.devices.iter().position(|entry| is_on(entry, &before))
    });
    if let Some(before) = before
        && let Some(device) = machine.devices.pop()
    {
        machine.devices.insert(before + 1, device);
    }
    Ok(())
}

/// An id for a device that nobody named: the one it is known by, or its stream's.
fn free_id(machine: &MachineType, template: &str, stream: &str) -> String {
    let id = if machine.device(stream).is_none() { stream } else { template };
    id.to_owned()
}

/// The device of `-debugcon`: the one whose stream has that name.
pub(super) fn debug_device(
    all: &Collected,
    machine: &MachineType,
) -> Result<Option<Device>, Error> {
    let Some((place, chardev)) = &all.debug_console else { return Ok(None) };
    let template = machine.optional.iter().find(|entry| is_on(entry, "debugcon"));
    let template = template.map(|entry| entry.id.clone()).ok_or_else(|| {
        Error::at(place, format!("machine '{}' has no debug console", machine.name))
    })?;
    if !all.has_chardev(chardev) {
        return Err(Error::at(place, format!("invalid character backend 'chardev:{chardev}'")));
    }
    Ok(Some(Device {
        place: place.clone(),
        driver: template.clone(),
        id: template.clone(),
        template,
        choice: None,
        address: None,
        chardev: Some(chardev.clone()),
        properties: Vec::new(),
    }))
}

//! `-device`.

use std::collections::BTreeMap;

use super::absent;
use super::error::{Error, Problem};
use super::foreign;
use super::given::{Collected, Given};
use super::help::Help;
use super::invocation::Device;
use super::json::{self, Kind};
use super::opts::Opts;
use super::value;
use crate::library;
use crate::machine::file::{Choice, DeviceEntry, MachineType, PciAddress, Sourced, Target};

/// A device that was asked for, before it is known what the machine has.
pub(super) struct GivenDevice {
    pub(super) place: String,
    pub(super) driver: String,
    pub(super) id: Option<String>,
    pub(super) list: Opts,
}

pub(super) fn device(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let mut list = json::list(all, given, "driver", Kind::Flags)?;
    let at = |problem: Problem| problem.at(&given.place());
    let id = list.identifier("id").map_err(at)?;
    list.take("id");
    let driver = list.take("driver").unwrap_or_default();
    if matches!(driver.as_str(), "help" | "?") {
        all.ask_help(Help::Devices);
        return Ok(());
    }
    if list.asks_help() {
        all.ask_help(Help::Device(given.place(), driver));
        return Ok(());
    }
    if driver.is_empty() {
        return Err(given.error("Parameter 'driver' is missing"));
    }
    if let Some(id) = &id
        && all.devices.iter().any(|other| other.id.as_ref() == Some(id))
    {
        return Err(given.error(format!("Duplicate ID '{id}' for device")));
    }
    all.devices.push(GivenDevice { place: given.place(), driver, id, list });
    Ok(())
}

/// `-vga`. The last one counts.
pub(super) fn vga(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.vga = None;
    match given.text()? {
        "none" => Ok(()),
        "std" => {
            all.vga = Some(given.place());
            Ok(())
        }
        "cirrus" | "vmware" | "qxl" | "virtio" => absent::lacking(all, given),
        name => Err(Error::new(format!("unknown vga type: {name}"))),
    }
}

/// Adds the card of `-vga std` before all others, where QEMU makes it; not beside one of
/// `-device`.
pub(super) fn add_vga(all: &mut Collected) {
    const DRIVER: &str = "VGA";
    if let Some(place) = all.vga.take()
        && all.devices.iter().all(|device| device.driver != DRIVER)
    {
        let (driver, list) = (DRIVER.into(), Opts::default());
        all.devices.insert(0, GivenDevice { place, driver, id: None, list });
    }
}

/// Leaves out devices that are there by default if one of their driver is asked
/// for: as QEMU does.
pub(super) fn displace_defaults(all: &Collected, machine: &mut MachineType) {
    machine.leave_out(|entry| {
        let asked = |device: &GivenDevice| is_called(entry, &device.driver);
        entry.default && all.devices.iter().any(asked)
    });
}

/// Whether an entry of a machine file goes by that name.
pub(super) fn is_called(entry: &DeviceEntry, driver: &str) -> bool {
    entry.id == driver || entry.qemu.drivers.first().is_some_and(|name| name == driver)
}

/// The devices of the machine's that were asked for.
pub(super) fn resolve(all: &mut Collected, machine: &MachineType) -> Result<Vec<Device>, Error> {
    let mut devices: Vec<Device> = Vec::new();
    for given in std::mem::take(&mut all.devices) {
        if machine.absent.contains(&given.driver) {
            all.warnings.push(format!(
                "warning: {}: there is no such device here; the guest does not have it",
                given.place
            ));
            continue;
        }
        let device = match library::is_file(&given.driver) {
            true => foreign::find(given, machine, &devices, all)?,
            false => find(given, machine, &devices, all)?,
        };
        devices.push(device);
    }
    Ok(devices)
}

fn find(
    given: GivenDevice,
    machine: &MachineType,
    others: &[Device],
    all: &Collected,
) -> Result<Device, Error> {
    let GivenDevice { place, driver, id, mut list } = given;
    let error = |text: String| Error::at(&place, text);
    let template = template(&driver, machine).map_err(|problem| problem.at(&place))?;
    let choice = choice(&driver, &mut list, template).map_err(|problem| problem.at(&place))?;
    let bad = |name: &str, text: &str| {
        error(format!("Property '{driver}.{name}' doesn't take value '{text}'"))
    };
    if let Some(bus) = list.take("bus") {
        let there = match &template.at {
            Some(place) => bus == place.value.bus || bus == format!("{}.0", place.value.bus),
            None => bus == "isa.0",
        };
        if !there {
            return Err(error(format!("Bus '{bus}' not found")));
        }
    }
    if let Some(text) = list.take("irq") {
        // Which interrupt it has says the machine file.
        match interrupt(&template.wires) {
            Some(irq) if value::number("irq", &text) == Ok(irq) => {}
            Some(_) => return Err(bad("irq", &text)),
            None => list.set("irq", text),
        }
    }
    let address = match list.take("addr") {
        Some(text) if template.at.is_some() => {
            Some(pci_address(&text).ok_or_else(|| bad("addr", &text))?.to_string())
        }
        Some(_) => return Err(error(format!("Property '{driver}.addr' not found"))),
        None => None,
    };
    let chardev = match list.take("chardev") {
        Some(_) if !has_streams(template) => {
            return Err(error(format!("Property '{driver}.chardev' not found")));
        }
        Some(id) if !all.has_chardev(&id) => {
            return Err(error(format!("Property '{driver}.chardev' can't find value '{id}'")));
        }
        other => other,
    };
    let id = id.unwrap_or_else(|| free_id(&template.id, machine, others));
    let properties = list.last().map(|(name, text)| (name.into(), text.into())).collect();
    let template = template.id.clone();
    Ok(Device { place, driver, template, choice, id, address, chardev, properties })
}

/// The machine's optional device that is meant.
fn template<'a>(driver: &str, machine: &'a MachineType) -> Result<&'a DeviceEntry, Problem> {
    let found = machine.optional.iter().find(|entry| is_called(entry, driver));
    found.ok_or_else(|| {
        if machine.devices.iter().any(|entry| entry.qemu.is(driver)) {
            "Parameter 'driver' expects a pluggable device type".into()
        } else {
            format!("'{driver}' is not a valid device model name").into()
        }
    })
}

/// Which of several such devices is meant, such as serial ports: QEMU's `index`, or the
/// one whose interrupt is asked for. Otherwise it is the first that is free.
fn choice(driver: &str, list: &mut Opts, template: &DeviceEntry) -> Result<Option<usize>, Problem> {
    let choices = &template.choices;
    let refused = |name: &str, text: &str| {
        format!("Property '{driver}.{name}' doesn't take value '{text}'").into()
    };
    if choices.is_empty() {
        return Ok(None);
    }
    if let Some(index) = list.number("index")? {
        let text = list.take("index").unwrap_or_default();
        let choice = usize::try_from(index).ok().filter(|index| *index < choices.len());
        return choice.map(Some).ok_or_else(|| refused("index", &text));
    }
    let Some(text) = list.take("irq") else { return Ok(None) };
    let irq = value::number("irq", &text).ok();
    let agrees = |choice: &Choice| {
        interrupt(&choice.wires) == irq
            && list.last().all(|(name, text)| {
                let here = choice.properties.get(name).map(|setting| &setting.value);
                here.is_none_or(|here| here.kind().parse(text).is_ok_and(|v| here.is(&v)))
            })
    };
    let found = irq.and_then(|_| choices.iter().position(agrees));
    found.map(Some).ok_or_else(|| refused("irq", &text))
}

fn has_streams(entry: &DeviceEntry) -> bool {
    !entry.streams.is_empty() || entry.choices.iter().any(|choice| !choice.streams.is_empty())
}

/// The interrupt of a device that has one wire, to an interrupt controller.
fn interrupt(wires: &BTreeMap<String, Sourced<Target>>) -> Option<u64> {
    let mut wires = wires.values();
    match (wires.next().map(|wire| &wire.value), wires.next()) {
        (Some(Target::Gsi(irq)), None) => Some((*irq).into()),
        _ => None,
    }
}

/// `SLOT` or `SLOT.FUNCTION`, hexadecimal, perhaps with `0x`.
fn pci_address(text: &str) -> Option<PciAddress> {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let (slot, function) = text.split_once('.').unwrap_or((text, "0"));
    let number = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    PciAddress::new(number(slot)?, number(function)?)
}

/// An id for a device that was given none.
pub(super) fn free_id(template: &str, machine: &MachineType, others: &[Device]) -> String {
    let is_taken =
        |id: &str| machine.device(id).is_some() || others.iter().any(|device| device.id == id);
    let numbered = (1..).map(|number| format!("{template}-{number}"));
    let mut ids = std::iter::once(template.to_owned()).chain(numbered);
    // Taken ones are finitely many.
    ids.find(|id| !is_taken(id)).unwrap_or_default()
}

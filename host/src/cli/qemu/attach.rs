//! Which drive of the machine each drive of the command line is.

use std::collections::BTreeSet;

use super::error::Error;
use super::given::Collected;
use super::invocation::{Drive, DrivePlace, Interface, Media};
use crate::machine::file::{MachineType, Origin, Value};

/// The place of a CD-ROM drive that nobody has asked for, as in QEMU. The floppy drive
/// that nobody has asked for is the first.
const DEFAULT_CDROM: u32 = 2;

/// A kind of interface: the names of its drives in machine files without their
/// number, and how many there are.
const fn drives(interface: Interface) -> Option<(&'static str, u32)> {
    match interface {
        Interface::Ide => Some(("ide", 4)),
        Interface::Floppy => Some(("floppy", 2)),
        Interface::Scsi | Interface::Virtio | Interface::Xen | Interface::None => None,
    }
}

/// Names the drives, adds those that QEMU has by default, and tells the machine which
/// there are.
pub(super) fn resolve(all: &mut Collected, machine: &mut MachineType) -> Result<(), Error> {
    let plugged = plug(all)?;
    let mut taken = BTreeSet::new();
    // What has no place of its own gets one when QEMU comes to it.
    let others = (0..all.drives.len()).filter(|number| !plugged.contains(number));
    for number in others.chain(plugged.iter().copied()).collect::<Vec<_>>() {
        let drive = &mut all.drives[number];
        let Some((kind, count)) = drives(drive.interface) else { continue };
        let index = match drive.at {
            Some(DrivePlace::Index(index)) => index,
            Some(DrivePlace::Unit { bus, unit: Some(unit) }) => {
                bus.saturating_mul(2).saturating_add(unit)
            }
            Some(DrivePlace::Unit { bus, unit: None }) => {
                free(&taken, kind, bus.saturating_mul(2), count)
            }
            None => free(&taken, kind, 0, count),
        };
        if index >= count {
            let problem = format!("there is no drive {index} of kind {kind}: 0 to {}", count - 1);
            return Err(Error::at(&drive.place, problem));
        }
        if !taken.insert((kind, index)) {
            let (bus, unit) = (index / 2, index % 2);
            let problem = format!("drive with bus={bus}, unit={unit} (index={index}) exists");
            return Err(Error::at(&drive.place, problem));
        }
        drive.name = Some(format!("{kind}{index}"));
    }
    if !all.no_defaults && !taken.contains(&("ide", DEFAULT_CDROM)) {
        let name = format!("ide{DEFAULT_CDROM}");
        all.drives.push(Drive { name: Some(name), media: Media::Cdrom, ..Drive::empty() });
    }
    if !all.no_defaults && !taken.contains(&("floppy", 0)) {
        let (name, interface) = (Some("floppy0".into()), Interface::Floppy);
        all.drives.push(Drive { name, interface, ..Drive::empty() });
    }
    boot_order(all, machine)?;
    for drive in &all.drives {
        tell(drive, machine);
    }
    Ok(())
}

/// Tells the machine what a drive is.
pub(in crate::cli) fn tell(drive: &Drive, machine: &mut MachineType) {
    let Some(name) = &drive.name else { return };
    let kind = match (drive.interface, drive.media) {
        (Interface::Floppy, _) => "auto",
        (_, Media::Disk) => "disk",
        (_, Media::Cdrom) => "cdrom",
    };
    let mut set = |property: &str, text: &str| {
        let origin = Origin::outside(&drive.place, property);
        machine.set_option(&format!("{name}.{property}"), Value::Text(text.into()), origin);
    };
    set("kind", kind);
    if let Some(serial) = drive.option("serial") {
        set("serial", serial);
    }
}

/// Devices that are drives of the machine's controllers: QEMU's name, the interface, and
/// what is in them.
const DEVICES: [(&str, Interface, Media); 3] = [
    ("ide-hd", Interface::Ide, Media::Disk),
    ("ide-cd", Interface::Ide, Media::Cdrom),
    ("floppy", Interface::Floppy, Media::Disk),
];

/// Plugs drives without an interface into the one that `-device` says. Returns where
/// they are among the drives, in the order of those devices.
fn plug(all: &mut Collected) -> Result<Vec<usize>, Error> {
    let mut plugged = Vec::new();
    for device in std::mem::take(&mut all.devices) {
        let known = DEVICES.iter().find(|(driver, ..)| *driver == device.driver);
        let Some(&(_, interface, media)) = known else {
            all.devices.push(device);
            continue;
        };
        let mut list = device.list;
        let error = |problem: String| Error::at(&device.place, problem);
        let unit_number = |key: &str, text: Option<String>| -> Result<Option<u32>, Error> {
            let wrong =
                |text: &str| error(format!("Parameter '{key}' expects a number, not '{text}'"));
            text.map(|text| text.parse().map_err(|_| wrong(&text))).transpose()
        };
        let bus = match list.take("bus") {
            Some(bus) => {
                let found = bus.split_once('.').and_then(|(_, number)| number.parse().ok());
                Some(found.ok_or_else(|| error(format!("Bus '{bus}' not found")))?)
            }
            None => None,
        };
        let unit = unit_number("unit", list.take("unit"))?;
        let name = list.take("drive");
        let is_named = name.is_some();
        let number = match name {
            Some(id) => {
                let found = all.drives.iter().position(|drive| {
                    drive.id.as_ref() == Some(&id) && drive.interface == Interface::None
                });
                let missing =
                    || error(format!("Property '{}.drive' can't find value '{id}'", device.driver));
                found.ok_or_else(missing)?
            }
            None if media == Media::Disk && interface == Interface::Ide => {
                return Err(error("drive property not set".into()));
            }
            None => {
                all.drives.push(Drive { place: device.place.clone(), ..Drive::empty() });
                all.drives.len() - 1
            }
        };
        plugged.push(number);
        let drive = &mut all.drives[number];
        drive.device = device.id;
        drive.interface = interface;
        drive.writable = is_named && drive.media == Media::Disk;
        drive.media = media;
        drive.at = match (interface, bus, unit) {
            (_, None, None) => None,
            (Interface::Floppy, _, unit) => unit.map(DrivePlace::Index),
            (_, bus, unit) => Some(DrivePlace::Unit { bus: bus.unwrap_or(0), unit }),
        };
        for key in ["serial", "bootindex", "werror", "rerror"] {
            if let Some(text) = list.take(key) {
                drive.options.push((key.into(), text));
            }
        }
        if let Some((key, _)) = list.last().next() {
            return Err(error(format!("Property '{}.{key}' not found", device.driver)));
        }
    }
    Ok(plugged)
}

/// Tells firmware what to boot, of what has a place in that order.
fn boot_order(all: &Collected, machine: &mut MachineType) -> Result<(), Error> {
    let mut order = Vec::new();
    for drive in &all.drives {
        let (Some(name), Some(index)) = (&drive.name, drive.option("bootindex")) else { continue };
        let index: u32 = index.parse().map_err(|_| {
            Error::at(
                &drive.place,
                format!("Parameter 'bootindex' expects a number, not '{index}'"),
            )
        })?;
        if let Some((_, first)) = order.iter().find(|(other, _)| *other == index) {
            let problem = format!("The bootindex {index} has already been used (by {first})");
            return Err(Error::at(&drive.place, problem));
        }
        order.push((index, name.as_str()));
    }
    order.sort_unstable();
    let paths =
        order.iter().filter_map(|(_, name)| Some(machine.boot_paths.get(*name)?.value.clone()));
    let paths: Vec<_> = paths.collect();
    if !paths.is_empty() {
        let origin = Origin::outside("-device", "bootindex");
        machine.set_option("boot.paths", Value::Text(paths.join("\n")), origin);
    }
    Ok(())
}

/// The first free drive of a kind from `first` on; `count` if there is none.
fn free(taken: &BTreeSet<(&str, u32)>, kind: &'static str, first: u32, count: u32) -> u32 {
    (first..count).find(|index| !taken.contains(&(kind, *index))).unwrap_or(count)
}

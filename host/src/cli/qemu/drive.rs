//! `-drive`, `-blockdev`, and the short forms for disks.

use std::ffi::OsStr;

use super::drive_options;
use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::invocation::{Drive, DrivePlace, Interface, Media};
use super::json::{self, Kind};
use super::opts::Opts;

const MISSING: &str = "there is no such interface here; the guest does not have the drive";

const INTERFACES: &[(&str, Option<Interface>)] = &[
    ("ide", Some(Interface::Ide)),
    ("floppy", Some(Interface::Floppy)),
    ("scsi", Some(Interface::Scsi)),
    ("virtio", Some(Interface::Virtio)),
    ("xen", Some(Interface::Xen)),
    ("none", Some(Interface::None)),
    // These hold what a guest starts from.
    ("pflash", None),
    ("mtd", None),
    ("sd", None),
];

pub(super) fn drive(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.opts(all, None)?;
    let drive = read(list, &given.place()).map_err(|problem| problem.at(&given.place()))?;
    add(all, given, drive)
}

fn add(all: &mut Collected, given: &Given<'_>, drive: Drive) -> Result<(), Error> {
    if let Some(id) = drive.id.as_ref().filter(|_| all.drives.iter().any(|d| d.id == drive.id)) {
        return Err(given.error(format!("Duplicate ID '{id}' for drive")));
    }
    let taken = |other: &Drive| {
        drive.at.is_some() && (other.interface, other.at) == (drive.interface, drive.at)
    };
    if let (Some(DrivePlace::Index(index)), true) = (drive.at, all.drives.iter().any(taken)) {
        let (bus, unit) = (index / 2, index % 2);
        return Err(
            given.error(format!("drive with bus={bus}, unit={unit} (index={index}) exists"))
        );
    }
    if matches!(drive.interface, Interface::Scsi | Interface::Virtio | Interface::Xen) {
        given.warn(all, MISSING);
    }
    all.drives.push(drive);
    Ok(())
}

fn read(mut list: Opts, place: &str) -> Result<Drive, Problem> {
    let interface = match list.take("if") {
        None => Interface::Ide,
        Some(name) => {
            let found = INTERFACES.iter().find(|(known, _)| *known == name);
            let (_, found) = found.ok_or_else(|| format!("unsupported bus type '{name}'"))?;
            found.ok_or_else(|| format!("there is no {name} here"))?
        }
    };
    let media = match list.take("media").as_deref() {
        None | Some("disk") => Media::Disk,
        Some("cdrom") => Media::Cdrom,
        Some(other) => return Err(format!("'{other}' invalid media").into()),
    };
    let mut place_number = |key: &str| -> Result<Option<u32>, Problem> {
        let Some(number) = list.number(key)? else { return Ok(None) };
        let text = list.take(key).unwrap_or_default();
        let too_large = || format!("Value '{text}' is too large for parameter '{key}'").into();
        u32::try_from(number).map(Some).map_err(|_| too_large())
    };
    let (index, bus, unit) = (place_number("index")?, place_number("bus")?, place_number("unit")?);
    let at = match (index, bus, unit) {
        (None, None, None) => None,
        (Some(index), None, None) => Some(DrivePlace::Index(index)),
        (Some(_), ..) => return Err("index cannot be used with bus and unit".into()),
        (None, bus, unit) => Some(DrivePlace::Unit { bus: bus.unwrap_or(0), unit }),
    };
    for key in ["snapshot", "readonly", "read-only", "copy-on-read"] {
        list.flag(key)?;
    }
    if let Some(cache) = list.get("cache") {
        const MODES: [&str; 5] = ["none", "off", "writeback", "unsafe", "directsync"];
        if !MODES.contains(&cache) && cache != "writethrough" {
            return Err("invalid cache option".into());
        }
    }
    if !matches!(interface, Interface::Ide | Interface::Scsi | Interface::Virtio | Interface::None)
    {
        for key in ["werror", "rerror"] {
            if list.get(key).is_some() {
                return Err(format!("{key} is not supported by this bus type").into());
            }
        }
    }
    let id = list.identifier("id")?;
    list.take("id");
    let file = list.take("file").filter(|file| !file.is_empty());
    let format = list.take("format");
    // An empty drive has nothing that could have options.
    let of_drive = [
        "snapshot",
        "readonly",
        "read-only",
        "copy-on-read",
        "cache",
        "aio",
        "werror",
        "rerror",
        "serial",
        "discard",
        "detect-zeroes",
        "driver",
    ];
    if file.is_none() && list.last().any(|(key, _)| !of_drive.contains(&key)) {
        return Err("Must specify either driver or file".into());
    }
    if file.is_some() && matches!(format.as_deref(), None | Some("raw")) {
        drive_options::check(&list)?;
    }
    Ok(Drive {
        place: place.into(),
        id,
        device: None,
        name: None,
        interface,
        media,
        writable: false,
        at,
        file: file.map(Into::into),
        format,
        options: list.last().map(|(key, text)| (key.into(), text.into())).collect(),
    })
}

pub(super) fn blockdev(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let mut list = json::list(all, given, "driver", Kind::Keyval)?;
    let format = list.take("driver");
    let format = format.ok_or_else(|| given.error("Parameter 'driver' is missing"))?;
    let node = list.take("node-name");
    let node =
        node.ok_or_else(|| given.error("'node-name' must be specified for the root node"))?;
    let file = list.take("filename").map(Into::into);
    let options = list.last().map(|(key, text)| (key.into(), text.into())).collect();
    let drive = Drive {
        place: given.place(),
        id: Some(node),
        device: None,
        name: None,
        interface: Interface::None,
        media: Media::Disk,
        writable: false,
        at: None,
        file,
        format: Some(format),
        options,
    };
    add(all, given, drive)
}

fn short(
    all: &mut Collected,
    given: &Given<'_>,
    interface: Interface,
    index: u32,
    media: Media,
) -> Result<(), Error> {
    let drive = Drive { file: Some(given.path()), ..empty(given, interface, index, media) };
    add(all, given, drive)
}

fn empty(given: &Given<'_>, interface: Interface, index: u32, media: Media) -> Drive {
    let at = Some(DrivePlace::Index(index));
    Drive { place: given.place(), interface, media, at, ..Drive::empty() }
}

/// A file without an option is the first disk.
pub(super) fn bare(all: &mut Collected, file: &OsStr) -> Result<(), Error> {
    let option = file.to_string_lossy();
    let given = Given { option: &option, argument: None };
    let drive = Drive { file: Some(file.into()), ..empty(&given, Interface::Ide, 0, Media::Disk) };
    add(all, &given, drive)
}

pub(super) fn hda(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Ide, 0, Media::Disk)
}

pub(super) fn hdb(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Ide, 1, Media::Disk)
}

pub(super) fn hdc(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Ide, 2, Media::Disk)
}

pub(super) fn hdd(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Ide, 3, Media::Disk)
}

pub(super) fn cdrom(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Ide, 2, Media::Cdrom)
}

pub(super) fn fda(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Floppy, 0, Media::Disk)
}

pub(super) fn fdb(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    short(all, given, Interface::Floppy, 1, Media::Disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drive(text: &str) -> Result<Drive, Problem> {
        read(Opts::parse(text, None), "-drive")
    }

    #[test]
    fn the_drive_of_a_toolstack_is_read() {
        let drive = drive("file=/a,,b.img,if=ide,index=0,media=disk,format=raw,cache=writeback")
            .expect("right");
        assert_eq!(drive.file, Some("/a,b.img".into()));
        assert_eq!((drive.interface, drive.media), (Interface::Ide, Media::Disk));
        assert_eq!(drive.at, Some(DrivePlace::Index(0)));
        assert_eq!(drive.format.as_deref(), Some("raw"));
        assert_eq!(drive.options, [("cache".into(), "writeback".into())]);
    }

    #[test]
    fn errors_are_qemus() {
        for (text, problem) in [
            ("file=x,if=foo", "unsupported bus type 'foo'"),
            ("media=foo", "'foo' invalid media"),
            ("if=ide,foo=bar", "Must specify either driver or file"),
            ("foo", "Must specify either driver or file"),
            ("file=x,index=foo", "Parameter 'index' expects a number"),
            ("file=x,bus=0,unit=0,index=2", "index cannot be used with bus and unit"),
            ("file=x,cache=foo", "invalid cache option"),
            ("file=x,if=floppy,werror=stop", "werror is not supported by this bus type"),
            ("file=x,if=xen,rerror=stop", "rerror is not supported by this bus type"),
        ] {
            assert_eq!(drive(text).expect_err(text).text, problem);
        }
        assert!(drive("if=none,id=a").is_ok());
    }
}

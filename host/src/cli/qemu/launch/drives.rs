//! Opens the images of drives.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use storage::{Access, Cache, Policy};

use crate::cli::Result;
use crate::cli::qemu::invocation::{Drive, Interface, Media};
use crate::images::{self, Wanted};
use crate::machine::file::{MachineType, Origin, Value};
use crate::machine::{DriveKind, GivenDrive, HostDrive, Inserted, Opened};

/// The drives, by their names in the machine file.
pub(in crate::cli) struct Drives {
    pub(in crate::cli) open: BTreeMap<String, HostDrive>,
    /// What the machine is told of them: option and value.
    told: Vec<(String, String)>,
}

impl Drives {
    /// Opens and locks all images.
    pub(in crate::cli) fn open(program: &str, drives: &[Drive]) -> Result<Self> {
        let mut all = Self { open: BTreeMap::new(), told: Vec::new() };
        for (number, drive) in drives.iter().enumerate() {
            let Some(name) = &drive.name else { continue };
            let opened = medium(program, drive).with_context(|| drive.place.clone())?;
            let size = opened.as_ref().map(|inserted| inserted.medium.info().size);
            match (drive.interface, drive.media) {
                (Interface::Floppy, _) => {
                    all.told.push((format!("{name}.type"), floppy_type(size).into()));
                }
                (_, Media::Disk) => {
                    all.told.push((format!("{name}.size"), size.unwrap_or(0).to_string()));
                }
                (_, Media::Cdrom) => {}
            }
            let (label, device) = (label(drive, name), drive.device.clone());
            let how = how(drive).with_context(|| drive.place.clone())?;
            let given = GivenDrive { kind: kind(drive), label, device, number, opened: how };
            let host = HostDrive::new(opened, policy(drive)?).given(given);
            all.open.insert(name.clone(), host);
        }
        Ok(all)
    }

    /// Tells the machine what firmware finds about the drives in its memory.
    pub(in crate::cli) fn tell(&self, machine: &mut MachineType) {
        for (option, value) in &self.told {
            let origin = Origin::outside("-drive", option);
            machine.set_option(option, Value::Text(value.clone()), origin);
        }
    }
}

/// What the CMOS says of a floppy drive: by the size of what is in it. An empty drive
/// is one for the largest floppies, as in QEMU.
fn floppy_type(size: Option<u64>) -> &'static str {
    match size {
        None | Some(2_949_120) => "288",
        Some(1_228_800) => "120",
        Some(_) => "144",
    }
}

fn policy(drive: &Drive) -> Result<Policy> {
    // A floppy drive's errors are the guest's business alone, as in QEMU.
    if drive.interface == Interface::Floppy {
        return Ok(Policy::REPORT);
    }
    let mut policy = Policy::default();
    if let Some(read) = drive.option("rerror") {
        policy.read = read.parse().with_context(|| drive.place.clone())?;
    }
    if let Some(write) = drive.option("werror") {
        policy.write = write.parse().with_context(|| drive.place.clone())?;
    }
    Ok(policy)
}

fn medium(program: &str, drive: &Drive) -> Result<Option<Inserted>> {
    let Some(file) = &drive.file else { return Ok(None) };
    if drive.flag("snapshot") {
        bail!("snapshot=on: there are no snapshots here; copy the image");
    }
    let Opened { read_only, cache } = how(drive)?;
    let (inserted, warnings) = images::open(&Wanted {
        file,
        format: drive.format.as_deref(),
        kind: kind(drive),
        access: if read_only { Access::ReadOnly } else { Access::ReadWrite },
        cache,
        locking: drive.option("file.locking").unwrap_or("auto").parse()?,
    })?;
    for warning in warnings {
        eprintln!("{program}: {}: warning: {warning}", drive.place);
    }
    Ok(Some(inserted))
}

/// How an image in the drive is opened.
fn how(drive: &Drive) -> Result<Opened> {
    let read_only = (drive.media == Media::Cdrom && !drive.writable)
        || drive.flag("readonly")
        || drive.flag("read-only");
    let cache = drive.option("cache").unwrap_or("writeback").parse::<Cache>()?;
    Ok(Opened { read_only, cache })
}

const fn kind(drive: &Drive) -> DriveKind {
    match (drive.interface, drive.media) {
        (Interface::Floppy, _) => DriveKind::Floppy,
        (_, Media::Cdrom) => DriveKind::Cdrom,
        (_, Media::Disk) => DriveKind::Disk,
    }
}

/// The name by which QEMU's operators know a drive: its id, or one by its place.
fn label(drive: &Drive, name: &str) -> String {
    if let Some(id) = &drive.id {
        return id.clone();
    }
    let Some(index) = name.strip_prefix("ide").and_then(|index| index.parse::<u32>().ok()) else {
        return name.into();
    };
    let media = match drive.media {
        Media::Disk => "hd",
        Media::Cdrom => "cd",
    };
    format!("ide{}-{media}{}", index / 2, index % 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drives_have_qemus_names() {
        let disk = Drive::empty();
        let cdrom = Drive { media: Media::Cdrom, ..Drive::empty() };
        let named = Drive { id: Some("system".into()), ..Drive::empty() };
        let floppy = Drive { interface: Interface::Floppy, ..Drive::empty() };
        for (drive, name, expected) in [
            (&disk, "ide0", "ide0-hd0"),
            (&disk, "ide1", "ide0-hd1"),
            (&cdrom, "ide2", "ide1-cd0"),
            (&cdrom, "ide3", "ide1-cd1"),
            (&named, "ide0", "system"),
            (&floppy, "floppy0", "floppy0"),
        ] {
            assert_eq!(label(drive, name), expected);
        }
    }
}

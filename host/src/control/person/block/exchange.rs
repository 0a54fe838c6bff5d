//! Another medium in a drive, or none.

use std::path::Path;

use storage::{Access, ChangeError, Locking, OpenError};

use super::attached;
use crate::control::person::Problem;
use crate::control::person::error::reason as said;
use crate::guest::Guest;
use crate::images::{self, NotOpened, Wanted};
use crate::machine::{Machine, MachineDrive};

/// The drive that an operator means: by its name, or by that of its device.
fn find<'m>(
    machine: &'m Machine,
    device: Option<&str>,
    id: Option<&str>,
) -> Result<&'m MachineDrive, Problem> {
    let mut drives = attached(machine).into_iter();
    let (name, found) = match (device, id) {
        (Some(name), None) => (name, drives.find(|drive| drive.given.label == name)),
        (None, Some(name)) => (name, drives.find(|drive| drive.given.device() == name)),
        _ => return Err(Problem::other("Need exactly one of 'device' and 'id'")),
    };
    found.ok_or_else(|| Problem::no_device(name))
}

/// The drive is called what it was called in the command.
fn check_removable(
    drive: &MachineDrive,
    device: Option<&str>,
    id: Option<&str>,
) -> Result<(), Problem> {
    if drive.given.kind.is_removable() {
        return Ok(());
    }
    let name = device.or(id).unwrap_or(&drive.given.label);
    Err(Problem::other(format_args!("Device '{name}' is not removable")))
}

/// Takes out what is in a drive. With `force` the guest cannot keep it.
///
/// # Errors
/// There is no such drive, nothing can be taken out of it, or the guest keeps it.
pub fn eject(
    guest: &Guest,
    device: Option<&str>,
    id: Option<&str>,
    force: bool,
) -> Result<(), Problem> {
    let machine = guest.machine();
    let drive = find(machine, device, id)?;
    check_removable(drive, device, id)?;
    machine.change_medium(drive, None, force).map_err(|error| not_changed(drive, &error))
}

/// Whether the new medium can be written to (`BlockdevChangeReadOnlyMode`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadOnlyMode {
    /// As the one before.
    #[default]
    Retain,
    /// No.
    ReadOnly,
    /// Yes.
    ReadWrite,
}

impl ReadOnlyMode {
    /// QEMU's names, in its order.
    pub(crate) const NAMES: [&str; 3] = ["retain", "read-only", "read-write"];

    /// The mode of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "retain" => Some(Self::Retain),
            "read-only" => Some(Self::ReadOnly),
            "read-write" => Some(Self::ReadWrite),
            _ => None,
        }
    }
}

/// What goes into a drive instead of what is in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// The drive's name.
    pub device: Option<&'a str>,
    /// Or that of its device.
    pub id: Option<&'a str>,
    /// The file.
    pub filename: &'a str,
    /// Its format.
    pub format: Option<&'a str>,
    /// Whether the guest cannot keep what is in there.
    pub force: bool,
    /// Whether it can be written to.
    pub mode: ReadOnlyMode,
}

/// Puts an image into a drive. The guest goes on with the old one if that fails.
///
/// # Errors
/// There is no such drive, the image cannot be opened, or what is in the drive cannot
/// be taken out.
pub fn change(guest: &Guest, change: &Change<'_>) -> Result<(), Problem> {
    let machine = guest.machine();
    let drive = find(machine, change.device, change.id)?;
    let before = drive.opened();
    let read_only = match change.mode {
        ReadOnlyMode::Retain => before.read_only,
        ReadOnlyMode::ReadOnly => true,
        ReadOnlyMode::ReadWrite => false,
    };
    let wanted = Wanted {
        file: Path::new(change.filename),
        format: change.format,
        kind: drive.given.kind,
        access: if read_only { Access::ReadOnly } else { Access::ReadWrite },
        cache: before.cache,
        locking: Locking::default(),
    };
    let opened = images::open(&wanted);
    // QEMU locks an image when a device takes it, which comes after this check.
    if matches!(opened, Ok(_) | Err(NotOpened::Image(OpenError::Locked { .. }))) {
        check_removable(drive, change.device, change.id)?;
    }
    let (inserted, warnings) = opened.map_err(|error| not_opened(change.filename, &error))?;
    for warning in warnings {
        tracing::warn!(drive = drive.given.label, "{warning}");
    }
    let done = machine.change_medium(drive, Some(inserted), change.force);
    done.map_err(|error| not_changed(drive, &error))
}

/// Formats that QEMU reads, of which none can be read here but raw.
const FORMATS: [&str; 14] = [
    "bochs",
    "cloop",
    "dmg",
    "luks",
    "nbd",
    "parallels",
    "qcow",
    "qcow2",
    "qed",
    "vdi",
    "vhdx",
    "vmdk",
    "vpc",
    "vvfat",
];

fn not_opened(file: &str, error: &NotOpened) -> Problem {
    let could_not = |why: &str| Problem::other(format_args!("Could not open '{file}': {why}"));
    let not_regular =
        || Problem::other(format_args!("'file' driver requires '{file}' to be a regular file"));
    match error {
        NotOpened::Format { format, .. } if !FORMATS.contains(&format.as_str()) => {
            Problem::other(format_args!("Unknown driver '{format}'"))
        }
        NotOpened::NoFile(_) if Path::new(file).is_dir() => not_regular(),
        NotOpened::NoFile(_) | NotOpened::Image(OpenError::Missing(_)) => {
            could_not("No such file or directory")
        }
        NotOpened::Directory { reason, .. } => could_not(&said(reason)),
        NotOpened::Image(OpenError::Directory(_) | OpenError::Kind(_)) => not_regular(),
        NotOpened::Image(OpenError::Permission { .. }) => could_not("Permission denied"),
        NotOpened::Image(OpenError::ReadOnlyFileSystem(_)) => could_not("Read-only file system"),
        NotOpened::Image(OpenError::Locked { shared, what, .. }) => {
            Problem::other(format_args!("Failed to get {shared}\"{what}\" lock"))
        }
        other => Problem::other(other),
    }
}

fn not_changed(drive: &MachineDrive, error: &ChangeError) -> Problem {
    let name = &drive.given.label;
    match error {
        ChangeError::Locked => Problem::other(format_args!(
            "Device '{name}' is locked and force was not specified, wait for tray to open and \
             try again"
        )),
        other => Problem::other(format_args!("Device '{name}': {other}")),
    }
}

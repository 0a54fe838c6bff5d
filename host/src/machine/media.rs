//! What the operator knows of drives and of what is in them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use storage::{Cache, Medium, MediumInfo, Policy};

/// What a drive is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriveKind {
    /// A hard disk: what is in it stays.
    #[default]
    Disk,
    /// A CD-ROM drive, with a tray.
    Cdrom,
    /// A floppy drive.
    Floppy,
}

impl DriveKind {
    /// Whether the medium can be exchanged.
    #[must_use]
    pub const fn is_removable(self) -> bool {
        matches!(self, Self::Cdrom | Self::Floppy)
    }

    /// Whether it has a tray.
    #[must_use]
    pub const fn has_tray(self) -> bool {
        matches!(self, Self::Cdrom)
    }
}

/// What the operator calls an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// The file, as it was named.
    pub file: String,
    /// How it is cached.
    pub cache: Cache,
}

/// Something that is put into a drive.
#[derive(Debug)]
pub struct Inserted {
    /// The medium.
    pub medium: Medium,
    /// What the operator calls it.
    pub name: ImageName,
}

/// What the operator says of a drive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenDrive {
    /// What it is.
    pub kind: DriveKind,
    /// Its name.
    pub label: String,
    /// The name of its device, if that has one of its own.
    pub device: Option<String>,
    /// How many were given before it.
    pub number: usize,
    /// How the first image that comes into it is opened.
    pub opened: Opened,
}

/// How an image in a drive is opened. The next one is opened as the one before, unless
/// somebody says otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Whether it cannot be written to.
    pub read_only: bool,
    /// How it is cached.
    pub cache: Cache,
}

impl Opened {
    /// How one was opened.
    pub(super) fn of(inserted: &Inserted) -> Self {
        let Inserted { medium, name } = inserted;
        Self { read_only: medium.info().read_only, cache: name.cache }
    }
}

impl GivenDrive {
    /// A drive of which only the machine's name is known.
    pub(super) fn unknown(name: &str) -> Self {
        Self { label: name.into(), ..Self::default() }
    }

    /// The name of the device: that of the drive, if it has none of its own.
    #[must_use]
    pub fn device(&self) -> &str {
        self.device.as_ref().unwrap_or(&self.label)
    }
}

/// What is in a drive when the machine is built, and what happens on errors.
#[derive(Clone, Default)]
pub struct HostDrive {
    inserted: Arc<Mutex<Option<Inserted>>>,
    pub(super) policy: Policy,
    pub(super) given: Option<GivenDrive>,
}

impl HostDrive {
    /// A drive with a medium in it, or none.
    #[must_use]
    pub fn new(inserted: Option<Inserted>, policy: Policy) -> Self {
        Self { inserted: Arc::new(Mutex::new(inserted)), policy, ..Self::default() }
    }

    /// The same, given to the guest by its operator.
    #[must_use]
    pub fn given(self, given: GivenDrive) -> Self {
        Self { given: Some(given), ..self }
    }

    pub(super) fn info(&self) -> Option<MediumInfo> {
        self.lock().as_ref().map(|inserted| inserted.medium.info())
    }

    /// What is in it, which is in one machine only.
    pub(super) fn take(&self) -> Option<Inserted> {
        self.lock().take()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Inserted>> {
        self.inserted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

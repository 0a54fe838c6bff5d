//! Opens the images that go into drives.

use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use storage::{Access, Cache, Image, ImageOptions, Locking, Medium, OpenError, Warning};

use crate::machine::{DriveKind, ImageName, Inserted};

/// Which image, and how.
pub struct Wanted<'a> {
    /// The file or block device.
    pub file: &'a Path,
    /// QEMU's name of its format; none says that nobody knows better.
    pub format: Option<&'a str>,
    /// The drive that it goes into.
    pub kind: DriveKind,
    /// What for.
    pub access: Access,
    /// QEMU's `cache=`.
    pub cache: Cache,
    /// QEMU's `file.locking=`.
    pub locking: Locking,
}

/// Why an image cannot go into a drive.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    /// It is of another format than raw.
    #[error(
        "images of format '{format}' cannot be read here; make a raw one of it: \
         qemu-img convert -O raw '{file}' new.img"
    )]
    Format {
        /// The image.
        file: String,
        /// Its format.
        format: String,
    },
    /// The path has no last part.
    #[error("'{0}' is no file")]
    NoFile(String),
    /// Its directory cannot be opened.
    #[error("cannot open {directory}: {reason}")]
    Directory {
        /// The directory.
        directory: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// The image cannot be opened, or not be locked.
    #[error(transparent)]
    Image(#[from] OpenError),
}

/// Opens and locks an image through its directory. What a link in there leads to must
/// be in there too, unless the link is what was named: that one is the operator's.
///
/// # Errors
/// It is no raw image, cannot be opened, or is used by another process.
pub fn open(wanted: &Wanted<'_>) -> Result<(Inserted, Vec<Warning>), NotOpened> {
    let text = wanted.file.display().to_string();
    if let Some(format) = wanted.format
        && !["raw", "host_device", "file"].contains(&format)
    {
        return Err(NotOpened::Format { file: text, format: format.into() });
    }
    // The attempt to open one that is not there says why not.
    let file = wanted.file.canonicalize().unwrap_or_else(|_| wanted.file.to_owned());
    let name = file.file_name().ok_or_else(|| NotOpened::NoFile(text.clone()))?;
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let directory = Dir::open_ambient_dir(directory, ambient_authority()).map_err(|reason| {
        NotOpened::Directory { directory: directory.display().to_string(), reason }
    })?;
    let options = ImageOptions {
        access: wanted.access,
        cache: wanted.cache,
        locking: wanted.locking,
        share_rw: false,
        fixed_size: wanted.kind != DriveKind::Disk,
    };
    let image = Image::open(&directory, name, &options)?;
    let warnings = image.warnings().to_vec();
    let name = ImageName { file: text, cache: wanted.cache };
    Ok((Inserted { medium: image.into_medium(), name }, warnings))
}

impl Inserted {
    /// A medium that is no image.
    #[must_use]
    pub fn unnamed(medium: Medium) -> Self {
        let cache = medium.cache;
        Self { medium, name: ImageName { file: String::new(), cache } }
    }
}

//! Raw images: files and block devices.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt};
use nix::libc;
use rustix::fs::{Mode, OFlags, SeekFrom};

use crate::cache::Cache;
use crate::drive::Medium;
use crate::file::ImageFile;
use crate::lock::{self, Locking, NotLocked, Wanted};
use crate::problem::{OpenError, Warning};
use crate::request::SECTOR;

mod format;

/// What an image is opened for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    #[default]
    ReadWrite,
    /// Reading.
    ReadOnly,
}

impl Access {
    const fn purpose(self) -> &'static str {
        match self {
            Self::ReadWrite => "reading and writing",
            Self::ReadOnly => "reading",
        }
    }
}

/// How an image is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageOptions {
    /// What for; QEMU's `read-only=`.
    pub access: Access,
    /// QEMU's `cache=`.
    pub cache: Cache,
    /// QEMU's `locking=`.
    pub locking: Locking,
    /// QEMU's `share-rw=` of devices: others may write to the image.
    pub share_rw: bool,
    /// Whether others must not change the image's size, as QEMU wants it for media
    /// that can be taken out.
    pub fixed_size: bool,
}

/// An image that has been opened and locked. Dropping it closes it.
#[derive(Debug)]
pub struct Image {
    file: ImageFile,
    options: ImageOptions,
    warnings: Vec<Warning>,
}

impl Image {
    /// Opens the image at `path`, which may not lead out of the directory.
    ///
    /// # Errors
    ///
    /// It cannot be opened, or not be locked.
    pub fn open(
        directory: &Dir,
        path: impl AsRef<Path>,
        options: &ImageOptions,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let write = options.access == Access::ReadWrite;
        let mut how = OpenOptions::new();
        // Without waiting, or opening a pipe would take until it has a writer.
        how.read(true).write(write).custom_flags(libc::O_NONBLOCK);
        match directory.open_with(path, &how) {
            Ok(file) => Self::new(file.into_std(), true, name, options),
            Err(error) => Err(refusal(error, name, options.access)),
        }
    }

    /// Uses an open descriptor. `name` is for messages.
    ///
    /// Where the system allows it the file is opened once more, so that its lock
    /// is this image's own.
    ///
    /// # Errors
    ///
    /// The descriptor was opened for something else, is not a file or a block
    /// device, or cannot be locked.
    pub fn from_descriptor(
        descriptor: OwnedFd,
        name: &str,
        options: &ImageOptions,
    ) -> Result<Self, OpenError> {
        let name = name.to_owned();
        let other = |error: rustix::io::Errno, name| OpenError::Other { name, error: error.into() };
        let flags = match rustix::fs::fcntl_getfl(&descriptor) {
            Ok(flags) => flags,
            Err(error) => return Err(other(error, name)),
        };
        let mode = flags & OFlags::RWMODE;
        let wanted = match options.access {
            Access::ReadWrite => OFlags::RDWR,
            Access::ReadOnly => OFlags::RDONLY,
        };
        let allowed = mode == OFlags::RDWR || (mode == OFlags::RDONLY && mode == wanted);
        if !allowed || flags.contains(OFlags::PATH) {
            return Err(OpenError::Descriptor { name, purpose: options.access.purpose() });
        }
        let again = format!("/proc/self/fd/{}", descriptor.as_raw_fd());
        let how = wanted | OFlags::CLOEXEC | OFlags::NONBLOCK;
        match rustix::fs::open(again, how, Mode::empty()) {
            Ok(own) => Self::new(own.into(), true, name, options),
            Err(_) => Self::new(descriptor.into(), false, name, options),
        }
    }

    /// `own` says that nobody else has the file's description.
    fn new(file: File, own: bool, name: String, options: &ImageOptions) -> Result<Self, OpenError> {
        let other = |error: io::Error| OpenError::Other { name: name.clone(), error };
        let metadata = file.metadata().map_err(other)?;
        let length = if metadata.is_file() {
            metadata.len()
        } else if metadata.file_type().is_block_device() {
            rustix::fs::seek(&file, SeekFrom::End(0)).map_err(|error| other(error.into()))?
        } else if metadata.is_dir() {
            return Err(OpenError::Directory(name));
        } else {
            return Err(OpenError::Kind(name));
        };
        if own {
            let flags = rustix::fs::fcntl_getfl(&file).map_err(|error| other(error.into()))?;
            rustix::fs::fcntl_setfl(&file, flags.difference(OFlags::NONBLOCK))
                .map_err(|error| other(error.into()))?;
        }
        let mut warnings = Vec::new();
        let wanted = lock_file(&file, &name, options, &mut warnings)?;
        if length == 0 {
            warnings.push(Warning::Empty(name.clone()));
        } else if length % SECTOR != 0 {
            warnings.push(Warning::OddSize { name: name.clone(), bytes: length });
        }
        if let Some(format) = format::guess(&file) {
            warnings.push(Warning::Format { name: name.clone(), format });
        }
        // Beyond this no offset can be said to the kernel.
        let size = length.checked_next_multiple_of(SECTOR).filter(|size| *size <= i64::MAX as u64);
        let size = size.ok_or_else(|| other(io::ErrorKind::FileTooLarge.into()))?;
        let mut file = ImageFile::new(file, own, size, wanted);
        if options.cache.is_direct()
            && let Err(reason) = file.go_direct(length)
        {
            warnings.push(Warning::Cached { name, reason });
        }
        Ok(Self { file, options: *options, warnings })
    }

    /// Length in bytes as the guest sees it: rounded up to whole sectors.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.file.size()
    }

    /// What the operator should be told.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What goes into a drive.
    #[must_use]
    pub fn into_medium(self) -> Medium {
        Medium {
            read_only: self.options.access == Access::ReadOnly,
            cache: self.options.cache,
            backend: Box::new(self.file),
        }
    }
}

fn lock_file(
    file: &File,
    name: &str,
    options: &ImageOptions,
    warnings: &mut Vec<Warning>,
) -> Result<Option<Wanted>, OpenError> {
    if options.locking == Locking::Off {
        return Ok(None);
    }
    let wanted = Wanted {
        write: options.access == Access::ReadWrite,
        share_write: options.share_rw,
        share_resize: !options.fixed_size,
    };
    let name = name.to_owned();
    match lock::acquire(file, wanted) {
        Ok(()) => Ok(Some(wanted)),
        Err(NotLocked::Taken { shared, what }) => Err(OpenError::Locked { name, shared, what }),
        Err(NotLocked::Unsupported(error)) if options.locking == Locking::On => {
            Err(OpenError::NoLocks { name, error: error.into() })
        }
        Err(NotLocked::Unsupported(error)) => {
            warnings.push(Warning::Unlocked { name, reason: io::Error::from(error).to_string() });
            Ok(None)
        }
    }
}

/// What it means that a file could not be opened.
fn refusal(error: io::Error, name: String, access: Access) -> OpenError {
    match error.kind() {
        io::ErrorKind::NotFound => OpenError::Missing(name),
        io::ErrorKind::IsADirectory => OpenError::Directory(name),
        io::ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnlyFileSystem(name),
        // This error is the library's, not the system's.
        io::ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            OpenError::Outside(name)
        }
        io::ErrorKind::PermissionDenied => {
            OpenError::Permission { name, purpose: access.purpose() }
        }
        _ if error.raw_os_error() == Some(libc::ENXIO) => OpenError::Kind(name),
        _ => OpenError::Other { name, error },
    }
}

#[cfg(test)]
mod tests;

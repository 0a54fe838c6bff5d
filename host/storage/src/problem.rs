//! What can be wrong with an image.

use std::io;

/// Why an image could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is nothing of that name.
    #[error("could not open '{0}': there is no such file")]
    Missing(String),
    /// It is a directory.
    #[error("could not open '{0}': it is a directory")]
    Directory(String),
    /// It is a pipe, a socket, a terminal.
    #[error("could not open '{0}': it is neither a file nor a block device")]
    Kind(String),
    /// This user may not.
    #[error("could not open '{name}' for {purpose}: permission denied")]
    Permission {
        /// The image.
        name: String,
        /// What for: reading, or reading and writing.
        purpose: &'static str,
    },
    /// The path, or a link on it, leads out of the directory.
    #[error("could not open '{0}': it leads out of the directory that images may be in")]
    Outside(String),
    /// The image could be read, but not written.
    #[error("could not open '{0}' for writing: its file system is read-only; say read-only=on")]
    ReadOnlyFileSystem(String),
    /// The descriptor was opened for something else.
    #[error("the descriptor given for '{name}' is not open for {purpose}")]
    Descriptor {
        /// The image.
        name: String,
        /// What for: reading, or reading and writing.
        purpose: &'static str,
    },
    /// Another process uses the image, and one of both does not want that.
    #[error(
        "Failed to get {shared}\"{what}\" lock; is another process using the image '{name}'? \
         End that one, or say file.locking=off if their guests know of each other"
    )]
    Locked {
        /// The image.
        name: String,
        /// `shared ` if it is the other one's use that is in the way.
        shared: &'static str,
        /// What cannot be had.
        what: &'static str,
    },
    /// Locks were asked for, and there are none.
    #[error("could not lock '{name}': {error}; say file.locking=auto to do without where need be")]
    NoLocks {
        /// The image.
        name: String,
        /// What the system says.
        error: io::Error,
    },
    /// Something else.
    #[error("could not open '{name}': {error}")]
    Other {
        /// The image.
        name: String,
        /// What the system says.
        error: io::Error,
    },
}

/// What the operator should know of an image that could be opened.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Warning {
    /// The guest will not find a single sector.
    #[error("'{0}' is empty")]
    Empty(String),
    /// The last sector is not whole. It reads with zeros behind its end, and the
    /// file grows when it is written.
    #[error("the size of '{name}', {bytes} bytes, is not a multiple of 512; the rest is zeros")]
    OddSize {
        /// The image.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// The guest is going to see the inside of another format.
    #[error(
        "'{name}' seems to be a {format} image, and is used as a raw one; \
         'qemu-img convert -O raw' makes that of it"
    )]
    Format {
        /// The image.
        name: String,
        /// What it seems to be.
        format: &'static str,
    },
    /// The cache mode asks for direct I/O, which cannot be had.
    #[error("'{name}' goes through the host's cache: {reason}")]
    Cached {
        /// The image.
        name: String,
        /// Why.
        reason: &'static str,
    },
    /// There are no locks here; nothing keeps others from writing.
    #[error("'{name}' is not locked: {reason}")]
    Unlocked {
        /// The image.
        name: String,
        /// Why.
        reason: String,
    },
}

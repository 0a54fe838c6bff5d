//! Where streams go to and come from: QEMU's URIs.
//!
//! What is at hand is opened when the command is given, so that its sender hears of a
//! bad path; peers are waited for later, on a thread of their own. Whatever a thread
//! waits in, [`Cancel`] ends it.

mod cancel;
mod channel;
mod command;
mod socket;
mod uri;

pub use cancel::{Cancel, is_cancelled};
pub use channel::Channel;
pub use uri::{BadUri, Uri};

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use command::Shell;
use rustix::fs::OFlags;
use socket::Listener;

use crate::chardev::duplicate;

/// Finds a descriptor that somebody has given a name; `None` if there is none.
pub type Descriptors<'a> = &'a mut dyn FnMut(&str) -> Option<OwnedFd>;

/// Why there is no way to or from a peer.
#[derive(Debug, thiserror::Error)]
#[error("{uri}: {reason}")]
pub struct NoWay {
    uri: Uri,
    reason: io::Error,
}

/// Where a stream will go to.
pub struct Target {
    way: Way,
    cancel: Cancel,
}

/// Where a stream will come from.
pub struct Origin {
    way: Way,
    cancel: Cancel,
}

enum Way {
    Open(Channel),
    /// Still to be connected to.
    Connect(Uri),
    /// Still to be accepted from.
    Listen(Listener, Uri),
}

impl Uri {
    /// Prepares to write to what the URI says: opens files and descriptors and starts
    /// commands. `descriptors` finds those with names. `cancel` ends whatever waits
    /// for the peer from now on.
    ///
    /// # Errors
    /// There is no such file or descriptor, or the command cannot be started.
    pub fn target(&self, descriptors: Descriptors<'_>, cancel: &Cancel) -> Result<Target, NoWay> {
        let way = match self {
            Self::Tcp { .. } | Self::Unix(_) => Ok(Way::Connect(self.clone())),
            Self::Exec(command) => Shell::taking(command).and_then(|(shell, input)| {
                Channel::of_shell(input, shell, cancel.clone()).map(Way::Open)
            }),
            Self::Fd(name) => descriptor(name, descriptors).and_then(|fd| open(fd, cancel)),
            Self::File { path, offset } => {
                create(path, *offset).and_then(|file| open(file.into(), cancel))
            }
        };
        let way = way.map_err(|reason| NoWay { uri: self.clone(), reason })?;
        Ok(Target { way, cancel: cancel.clone() })
    }

    /// Prepares to read from what the URI says: as [`target`](Self::target), and
    /// listens where a peer is to connect to.
    ///
    /// # Errors
    /// There is no such file or descriptor, the command cannot be started, or the
    /// address is taken.
    pub fn origin(&self, descriptors: Descriptors<'_>, cancel: &Cancel) -> Result<Origin, NoWay> {
        let listen = |listener| Way::Listen(listener, self.clone());
        let way = match self {
            Self::Tcp { host, port } => Listener::tcp(host, *port).map(listen),
            Self::Unix(path) => Listener::unix(path).map(listen),
            Self::Exec(command) => Shell::giving(command).and_then(|(shell, output)| {
                Channel::of_shell(output, shell, cancel.clone()).map(Way::Open)
            }),
            Self::Fd(name) => descriptor(name, descriptors).and_then(|fd| open(fd, cancel)),
            Self::File { path, offset } => OpenOptions::new()
                .read(true)
                .custom_flags(nonblocking())
                .open(path)
                .and_then(|file| at(file, *offset))
                .and_then(|file| open(file.into(), cancel)),
        };
        let way = way.map_err(|reason| NoWay { uri: self.clone(), reason })?;
        Ok(Origin { way, cancel: cancel.clone() })
    }
}

impl Target {
    /// Waits for the peer.
    ///
    /// # Errors
    /// The peer refuses or is not there, or it was cancelled.
    pub fn connect(self) -> Result<Channel, NoWay> {
        self.way.open(self.cancel)
    }

    pub(super) const fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

impl Origin {
    /// Waits for the peer. Only one is accepted.
    ///
    /// # Errors
    /// It was cancelled, or the host refuses.
    pub fn accept(self) -> Result<Channel, NoWay> {
        self.way.open(self.cancel)
    }

    /// The address that is listened at, if it is one of TCP's: its port is a real one,
    /// also where the URI says 0.
    #[must_use]
    pub fn tcp_address(&self) -> Option<std::net::SocketAddr> {
        match &self.way {
            Way::Listen(listener, _) => listener.tcp_address(),
            _ => None,
        }
    }

    pub(super) const fn cancel(&self) -> &Cancel {
        &self.cancel
    }
}

impl Way {
    fn open(self, cancel: Cancel) -> Result<Channel, NoWay> {
        let (peer, uri) = match self {
            Self::Open(channel) => return Ok(channel),
            Self::Listen(listener, uri) => (listener.accept(&cancel), uri),
            Self::Connect(uri) => {
                let peer = match &uri {
                    Uri::Tcp { host, port } => socket::connect_tcp(host, *port, &cancel),
                    Uri::Unix(path) => socket::connect_unix(path, &cancel),
                    _ => Err(io::ErrorKind::Unsupported.into()),
                };
                (peer, uri)
            }
        };
        let channel = peer.and_then(|fd| Channel::new(fd, cancel));
        channel.map_err(|reason| NoWay { uri, reason })
    }
}

fn open(fd: OwnedFd, cancel: &Cancel) -> io::Result<Way> {
    Channel::new(fd, cancel.clone()).map(Way::Open)
}

/// Opens a file to write from an offset on; what is before that stays. Guest memory
/// has secrets: a new file is its user's alone.
fn create(path: &Path, offset: u64) -> io::Result<File> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // A device or a pipe has no length.
    if file.metadata()?.is_file() {
        file.set_len(offset)?;
    }
    at(file, offset)
}

/// A named pipe is not to be waited for.
const fn nonblocking() -> i32 {
    OFlags::NONBLOCK.bits().cast_signed()
}

fn at(mut file: File, offset: u64) -> io::Result<File> {
    if offset > 0 {
        file.seek(SeekFrom::Start(offset))?;
    }
    Ok(file)
}

/// A number is a descriptor that this process was started with, as in QEMU; a name that
/// of one somebody has sent.
fn descriptor(name: &str, descriptors: Descriptors<'_>) -> io::Result<OwnedFd> {
    if let Ok(number) = name.parse() {
        return duplicate(number);
    }
    descriptors(name).ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "there is no file descriptor of that name")
    })
}

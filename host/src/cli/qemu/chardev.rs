//! What a character device is connected to, and how.

use std::path::PathBuf;
use std::time::Duration;

/// A character device to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name, QEMU's `id=`.
    pub id: String,
    /// What it is connected to.
    pub backend: Backend,
}

/// What a character device is connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Nothing: there is never any input, and output is dropped.
    Null,
    /// Standard input and output.
    Stdio {
        /// Whether the keys for signals keep their meaning at a terminal. The
        /// settings of the terminal are not touched here: whoever makes it the
        /// guest's console sees to them.
        signal: bool,
    },
    /// Standard error; no input.
    Stderr,
    /// A file.
    File {
        /// Where output goes. The file is made if it is not there.
        path: PathBuf,
        /// Write behind what is there instead of over it.
        append: bool,
        /// Where input comes from, if from anywhere.
        input: Option<PathBuf>,
    },
    /// Two named pipes, `PATH.in` for input and `PATH.out` for output, or one at
    /// `PATH` for both.
    Pipe {
        /// Their path.
        path: PathBuf,
    },
    /// A new pseudo-terminal.
    Pty,
    /// A stream socket.
    Socket(SocketConfig),
}

/// A stream socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketConfig {
    /// Where it is.
    pub address: SocketAddress,
    /// Who connects to whom.
    pub role: Role,
}

/// Where a socket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketAddress {
    /// In the file system, at a path of at most 107 bytes. The umask says who may
    /// connect, as in QEMU.
    Unix(PathBuf),
    /// In the network.
    Tcp {
        /// A name or an address. A server listens at what this says and nowhere
        /// else; nothing is every IPv4 address for a server, as in QEMU, and this
        /// computer for a client.
        host: String,
        /// The port. A server that is given 0 finds a free one.
        port: u16,
        /// Send each write at once (`TCP_NODELAY`), as monitors want.
        nodelay: bool,
    },
    /// A descriptor that this process was started with: a bound socket for a
    /// server, a connected one for a client. It is duplicated, and itself stays
    /// open. A file that it is bound to is left to those who made it.
    Fd(i32),
}

/// Who connects to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Others connect here, one at a time.
    Server {
        /// Do not go on before the first client is there.
        wait: bool,
    },
    /// This connects to a server.
    Client {
        /// Connect again so long after a connection has ended or could not be
        /// made. Without it, or with no time at all, the server must be there at
        /// once, and when the connection ends there is no other.
        reconnect: Option<Duration>,
    },
}

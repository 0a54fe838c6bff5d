//! The socket's file.

use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use southbridge::control::qmp::{Client, ClientError};
use southbridge::control::{ControlServer, SocketError};
use tempfile::TempDir;

use crate::common::driven::Driven;
use crate::common::qmp_peer::Peer;

struct Setup {
    driven: Driven,
    directory: TempDir,
}

impl Setup {
    fn new() -> Self {
        Self { driven: Driven::new("pc-i440fx-7.2"), directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("control")
    }

    fn serve(&self, path: &Path) -> Result<ControlServer, SocketError> {
        ControlServer::start(path, &self.driven.qmp)
    }
}

#[test]
fn dropping_the_server_removes_the_socket_and_ends_the_connections() {
    let setup = Setup::new();
    let path = setup.path();
    let server = setup.serve(&path).unwrap();
    let mode = path.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut peer = Peer::negotiated(&path);
    drop(server);
    assert!(peer.is_closed());
    assert!(!path.exists());
    let Err(ClientError::NoSocket(_)) = Client::connect(&path) else { panic!("no error") };
}

#[test]
fn a_live_socket_is_left_alone_and_a_stale_one_replaced() {
    let setup = Setup::new();
    let path = setup.path();
    let live = UnixListener::bind(&path).unwrap();
    let error = setup.serve(&path).err().unwrap().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(live);
    assert!(path.exists());
    let Err(ClientError::NobodyThere(_)) = Client::connect(&path) else { panic!("no error") };
    let server = setup.serve(&path).unwrap();
    Peer::negotiated(&path).execute("query-status");
    drop(server);
    assert!(!path.exists());
}

#[test]
fn another_file_is_never_touched() {
    let setup = Setup::new();
    let path = setup.path();
    std::fs::write(&path, "precious").unwrap();
    assert!(matches!(setup.serve(&path), Err(SocketError::NotASocket(_))));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    std::fs::remove_file(&path).unwrap();

    // Nor one that has taken the socket's place.
    let server = setup.serve(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    drop(server);
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
}

#[test]
fn a_path_that_cannot_be_is_refused() {
    let setup = Setup::new();
    let start = |path: PathBuf| setup.serve(&path).err().unwrap().to_string();
    let long = setup.directory.path().join("x".repeat(120));
    assert!(start(long).contains("at most 107 bytes"));
    assert!(start(setup.directory.path().join("no/such")).contains("No such file"));
}

#[test]
fn what_is_no_qmp_is_said() {
    let setup = Setup::new();
    let path = setup.path();
    let listener = UnixListener::bind(&path).unwrap();
    let say = |text: &'static str| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let (mut stream, _) = listener.accept().unwrap();
                std::io::Write::write_all(&mut stream, text.as_bytes()).unwrap();
            });
            Client::connect(&path).err().unwrap().to_string()
        })
    };
    for (text, expected) in [
        ("", "ended before it answered"),
        ("SSH-2.0\n", "not an answer of a control socket: JSON parse error, stray 'S'"),
        ("{\"return\": {}}", "no greeting"),
    ] {
        let error = say(text);
        assert!(error.contains(expected), "{text}: {error}");
    }
}

//! Character devices of every kind, with peers of every kind.

mod fds;
mod files;
mod inherited;
mod mux;
mod names;
mod output;
mod ports;
mod servers;
mod stdio;
mod unix;

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::*;

/// How long what must happen may take, before a test fails.
const LIMIT: Duration = Duration::from_secs(60);

const SERVER: Role = Role::Server { wait: false };
const CLIENT: Role = Role::Client { reconnect: None };

/// What a front end has seen.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Begin,
    End,
}

fn open(backend: Backend) -> Result<Arc<Chardev>, Error> {
    Chardev::open(Config { id: "test".into(), backend })
}

fn socket(address: SocketAddress, role: Role) -> Result<Arc<Chardev>, Error> {
    open(Backend::Socket(SocketConfig { address, role }))
}

fn tcp(host: &str, port: u16) -> SocketAddress {
    SocketAddress::Tcp { host: host.into(), port, nodelay: true }
}

/// A directory and a path of a socket in it.
fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    (directory, path)
}

/// A server that echoes, at a path.
fn echoing(path: &Path) -> (Arc<Chardev>, Receiver<Seen>) {
    let chardev = socket(SocketAddress::Unix(path.into()), SERVER).unwrap();
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    (chardev, seen)
}

/// A front end that says back what it hears.
fn echo() -> (impl FrontEnd, Receiver<Seen>) {
    let (told, seen) = channel();
    let front_end = move |connection: Connection| {
        told.send(Seen::Begin).ok();
        let (mut reader, mut writer) = connection.split();
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = reader.read(&mut buffer) {
            if writer.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        told.send(Seen::End).ok();
    };
    (front_end, seen)
}

/// A front end that hands its connections to the test, and lets go of each when
/// the test says so.
fn lending() -> (impl FrontEnd, Receiver<Connection>, Sender<()>) {
    let (lend, lent) = channel();
    let (give_back, given_back) = channel();
    let front_end = move |connection: Connection| {
        lend.send(connection).ok();
        given_back.recv().ok();
    };
    (front_end, lent, give_back)
}

fn next<T>(receiver: &Receiver<T>) -> T {
    receiver.recv_timeout(LIMIT).expect("it happens")
}

fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !condition() {
        assert!(Instant::now() < end, "{what} does not happen");
        thread::sleep(Duration::from_millis(2));
    }
}

fn connect(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream
}

/// Sends a message and expects it back.
fn exchange(mut stream: impl std::io::Read + std::io::Write, message: &[u8]) {
    stream.write_all(message).unwrap();
    let mut back = vec![0; message.len()];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(back, message);
}

fn refused<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("it is not refused"),
        Err(error) => error.to_string(),
    }
}

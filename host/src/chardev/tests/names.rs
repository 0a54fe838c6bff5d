//! What QEMU 7.2 says in `query-chardev`, with the paths and ports of this test.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;

use super::*;

/// The name once it is or is not one of a socket without connection.
fn name(chardev: &Chardev, disconnected: bool) -> String {
    let is = || chardev.filename().starts_with("disconnected:");
    wait_until("the other name", || is() == disconnected);
    chardev.filename()
}

#[test]
fn unix_servers() {
    let (_directory, path) = place();
    let (chardev, _seen) = echoing(&path);
    assert_eq!(chardev.label(), "test");
    let path = path.display();
    let idle = format!("disconnected:unix:{path},server=on");
    assert_eq!(chardev.filename(), idle);
    let client = connect(path.to_string().as_ref());
    assert_eq!(name(&chardev, false), format!("unix:{path},server=on"));
    drop(client);
    assert_eq!(name(&chardev, true), idle);
}

/// `unix:` says nothing more of a client, whose address is none.
#[test]
fn unix_clients() {
    let (_directory, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    let chardev = socket(SocketAddress::Unix(path.clone()), CLIENT).unwrap();
    assert_eq!(chardev.filename(), "unix:");
    chardev.attach(NoInput).unwrap();
    drop(listener.accept().unwrap());
    assert_eq!(name(&chardev, true), format!("disconnected:unix:{}", path.display()));
}

#[test]
fn tcp_servers() {
    // QEMU: disconnected:tcp:127.0.0.1:45671,server=on and
    // tcp:127.0.0.1:45671,server=on <-> 127.0.0.1:52696
    let chardev = socket(tcp("localhost", 0), SERVER).unwrap();
    chardev.attach(NoInput).unwrap();
    let idle = chardev.filename();
    let server = idle.strip_prefix("disconnected:tcp:").unwrap();
    let server = server.strip_suffix(",server=on").unwrap();
    let (host, port) = server.rsplit_once(':').unwrap();
    assert!(["127.0.0.1", "::1"].contains(&host), "{idle}");
    let client = TcpStream::connect((host, port.parse().unwrap())).unwrap();
    let (peer, server) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
    assert_eq!(name(&chardev, false), format!("tcp:{server},server=on <-> {peer}"));
    drop(client);
    assert_eq!(name(&chardev, true), idle);

    // QEMU: disconnected:tcp:::1:45671,server=on and
    // tcp:[::1]:45671,server=on <-> [::1]:39838
    if let Ok(chardev) = socket(tcp("::1", 0), SERVER) {
        chardev.attach(NoInput).unwrap();
        let idle = chardev.filename();
        let port = idle.strip_prefix("disconnected:tcp:::1:").unwrap();
        let port: u16 = port.strip_suffix(",server=on").unwrap().parse().unwrap();
        let client = TcpStream::connect(("::1", port)).unwrap();
        let peer = client.local_addr().unwrap();
        assert_eq!(name(&chardev, false), format!("tcp:[::1]:{port},server=on <-> {peer}"));
    }
    let chardev = socket(tcp("", 0), SERVER).unwrap();
    assert!(chardev.filename().starts_with("disconnected:tcp:0.0.0.0:"));
}

#[test]
fn tcp_clients() {
    // QEMU: tcp:127.0.0.1:48268 <-> 127.0.0.1:37043 and
    // disconnected:tcp:localhost:37043
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let chardev = socket(tcp("localhost", port), CLIENT).unwrap();
    chardev.attach(NoInput).unwrap();
    let (server, address) = listener.accept().unwrap();
    assert_eq!(chardev.filename(), format!("tcp:{address} <-> 127.0.0.1:{port}"));
    drop(server);
    assert_eq!(name(&chardev, true), format!("disconnected:tcp:localhost:{port}"));
}

#[test]
fn what_never_changes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    let file = Backend::File { path, append: false, input: None };
    assert_eq!(open(file).unwrap().filename(), "file");
    assert_eq!(open(Backend::Null).unwrap().filename(), "null");
    let name = open(Backend::Pty).unwrap().filename();
    let number = name.strip_prefix("pty:/dev/pts/").unwrap();
    assert!(number.parse::<u32>().is_ok(), "{name}");
}

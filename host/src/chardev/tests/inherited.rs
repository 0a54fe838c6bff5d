//! Descriptors that the process was started with.

use std::net::TcpListener;
use std::os::fd::AsRawFd as _;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};

use super::*;

#[test]
fn a_bound_socket_is_served() {
    let (_directory, path) = place();
    let listener = UnixListener::bind(&path).unwrap();
    let chardev = socket(SocketAddress::Fd(listener.as_raw_fd()), SERVER).unwrap();
    // As QEMU 7.2 says it.
    let name = format!("disconnected:unix:{},server=on", path.display());
    assert_eq!(chardev.filename(), name);
    let (front_end, _seen) = echo();
    chardev.attach(front_end).unwrap();
    for _ in 0..2 {
        exchange(connect(&path), b"hello");
    }
    drop(chardev);
    assert!(path.exists());

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let chardev = socket(SocketAddress::Fd(listener.as_raw_fd()), SERVER).unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(chardev.filename(), format!("disconnected:tcp:{address},server=on"));

    let address = SocketAddr::from_abstract_name(path.as_os_str().as_encoded_bytes()).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    let chardev = socket(SocketAddress::Fd(listener.as_raw_fd()), SERVER).unwrap();
    let path = path.display();
    let name = format!("disconnected:unix:{path},abstract=on,tight=on,server=on");
    assert_eq!(chardev.filename(), name);
}

#[test]
fn a_connected_socket_is_a_connection() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    // Whoever made it may have had other ideas.
    theirs.set_nonblocking(true).unwrap();
    let number = theirs.as_raw_fd();
    let chardev = socket(SocketAddress::Fd(number), CLIENT).unwrap();
    assert_eq!(chardev.filename(), "unix:");
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    exchange(&ours, b"hello");
    drop(ours);
    assert_eq!([next(&seen), next(&seen)], [Seen::Begin, Seen::End]);
    // As QEMU 7.2 says it.
    let name = format!("disconnected:fd:{number}");
    wait_until("the end", || chardev.filename() == name);
}

#[test]
fn its_end_is_the_end_although_the_descriptor_stays_open() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let chardev = socket(SocketAddress::Fd(theirs.as_raw_fd()), CLIENT).unwrap();
    ours.set_read_timeout(Some(LIMIT)).unwrap();
    drop(chardev);
    assert_eq!(ours.read(&mut [0]).unwrap(), 0);
}

#[test]
fn what_is_no_such_socket_is_refused() {
    let file = tempfile::tempfile().unwrap();
    let (datagrams, _) = UnixDatagram::pair().unwrap();
    let (connected, _peer) = UnixStream::pair().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let descriptor = |number| SocketAddress::Fd(number);
    for number in [-1, i32::MAX] {
        let said = refused(socket(descriptor(number), SERVER));
        assert!(said.contains(&format!("file descriptor {number}: Bad file desc")), "{said}");
    }
    for role in [SERVER, CLIENT] {
        let said = refused(socket(descriptor(file.as_raw_fd()), role));
        assert!(said.contains("Socket operation on non-socket"), "{said}");
        let said = refused(socket(descriptor(datagrams.as_raw_fd()), role));
        assert!(said.contains("not a stream socket"), "{said}");
    }
    let said = refused(socket(descriptor(connected.as_raw_fd()), SERVER));
    assert!(said.ends_with("a stream socket that is bound to an address expected"), "{said}");
    let said = refused(socket(descriptor(listener.as_raw_fd()), CLIENT));
    assert!(said.ends_with("a connected stream socket expected"), "{said}");
    let role = Role::Client { reconnect: Some(LIMIT) };
    let said = refused(socket(descriptor(connected.as_raw_fd()), role));
    assert!(said.contains("reconnect"), "{said}");
}

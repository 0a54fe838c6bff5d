//! Who connects to whom, and when.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixListener;

use super::*;

#[test]
fn a_second_client_waits_until_the_first_is_gone() {
    let (_directory, path) = place();
    let (_chardev, seen) = echoing(&path);
    let first = connect(&path);
    exchange(&first, b"first");
    let mut second = connect(&path);
    second.write_all(b"second").unwrap();
    exchange(&first, b"first again");
    assert_eq!(next(&seen), Seen::Begin);
    assert!(seen.try_recv().is_err());
    drop(first);
    let mut back = [0; 6];
    second.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"second");
    assert_eq!([next(&seen), next(&seen)], [Seen::End, Seen::Begin]);
}

#[test]
fn a_client_may_vanish_at_any_time() {
    let (_directory, path) = place();
    let (_chardev, _seen) = echoing(&path);
    for round in 0..200 {
        let mut client = connect(&path);
        // What is echoed meets nobody.
        if round % 2 == 0 {
            client.write_all(&[0x55; 5000]).unwrap();
        }
        if round % 3 == 0 {
            client.shutdown(Shutdown::Read).unwrap();
        }
    }
    exchange(connect(&path), b"still there");
}

#[test]
fn ten_thousand_connections() {
    let (_directory, path) = place();
    let (_chardev, _seen) = echoing(&path);
    let open = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    exchange(connect(&path), b"warm");
    let before = open();
    for _ in 0..10_000 {
        drop(connect(&path));
    }
    exchange(connect(&path), b"still there");
    // Other tests have descriptors, too, but not thousands.
    assert!(open() < before + 1000);
}

#[test]
fn a_server_that_waits_is_open_when_its_client_is_there() {
    let (_directory, path) = place();
    let (opened, result) = channel();
    let address = SocketAddress::Unix(path.clone());
    thread::spawn(move || opened.send(socket(address, Role::Server { wait: true })));
    wait_until("the socket", || path.exists());
    assert!(result.try_recv().is_err());
    let mut client = UnixStream::connect(&path);
    wait_until("listening", || {
        if client.is_err() {
            client = UnixStream::connect(&path);
        }
        client.is_ok()
    });
    let chardev = next(&result).unwrap();
    assert_eq!(chardev.filename(), format!("unix:{},server=on", path.display()));
    let (front_end, _seen) = echo();
    chardev.attach(front_end).unwrap();
    exchange(client.unwrap(), b"hello");
}

#[test]
fn closing_ends_what_is_being_served() {
    let (_directory, path) = place();
    let (chardev, seen) = echoing(&path);
    let mut client = connect(&path);
    exchange(&client, b"hello");
    chardev.close();
    assert_eq!([next(&seen), next(&seen)], [Seen::Begin, Seen::End]);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    assert!(UnixStream::connect(&path).is_err());
    for backend in [Backend::Null, Backend::Stderr, Backend::Pty] {
        let waits = backend == Backend::Pty;
        let chardev = open(backend).unwrap();
        let (front_end, seen) = echo();
        chardev.attach(front_end).unwrap();
        if !waits {
            assert_eq!(next(&seen), Seen::Begin);
            chardev.close();
            assert_eq!(next(&seen), Seen::End);
        }
        drop(chardev);
        // The thread has let go of the front end.
        assert!(seen.recv_timeout(LIMIT).is_err_and(|error| error == DISCONNECTED));
    }
}

const DISCONNECTED: std::sync::mpsc::RecvTimeoutError =
    std::sync::mpsc::RecvTimeoutError::Disconnected;

#[test]
fn there_is_one_front_end() {
    let chardev = open(Backend::Null).unwrap();
    assert!(!chardev.frontend_open());
    chardev.attach(NoInput).unwrap();
    assert!(chardev.frontend_open());
    // As QEMU 7.2 says it.
    assert_eq!(refused(chardev.attach(NoInput)), "Device 'test' is in use");
}

#[test]
fn servers_in_the_network() {
    for host in ["127.0.0.1", "::1", "localhost", ""] {
        let chardev = match socket(tcp(host, 0), SERVER) {
            Ok(chardev) => chardev,
            // A host need not have IPv6.
            Err(error) if host == "::1" => {
                assert!(error.to_string().contains("cannot listen at tcp:::1:0: "), "{error}");
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        let (front_end, _seen) = echo();
        chardev.attach(front_end).unwrap();
        let name = chardev.filename();
        let port = name.trim_end_matches(",server=on").rsplit(':').next().unwrap();
        let port: u16 = port.parse().unwrap();
        let at = if host == "::1" { "::1" } else { "127.0.0.1" };
        exchange(TcpStream::connect((at, port)).unwrap(), b"hello");
    }
    let said = refused(socket(tcp("192.0.2.1", 0), SERVER));
    assert!(
        said.starts_with("character device test: cannot listen at tcp:192.0.2.1:0: "),
        "{said}"
    );
    let said = refused(socket(tcp("host.invalid", 1), CLIENT));
    assert!(said.starts_with("character device test: cannot connect to tcp:host.invalid:1: "));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = refused(socket(tcp("127.0.0.1", taken.local_addr().unwrap().port()), SERVER));
    assert!(said.contains("Address already in use"), "{said}");
}

#[test]
fn a_client_has_one_connection() {
    let (_directory, path) = place();
    let address = SocketAddress::Unix(path.clone());
    let said = refused(socket(address.clone(), CLIENT));
    assert!(said.contains("cannot connect to unix:/") && said.contains("No such file"), "{said}");
    let listener = UnixListener::bind(&path).unwrap();
    let chardev = socket(address, CLIENT).unwrap();
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    let server = listener.accept().unwrap().0;
    exchange(&server, b"hello");
    drop(server);
    assert_eq!([next(&seen), next(&seen)], [Seen::Begin, Seen::End]);
    wait_until("the end", || chardev.filename().starts_with("disconnected:"));
    drop(chardev);
    assert!(seen.recv_timeout(LIMIT).is_err_and(|error| error == DISCONNECTED));
    // The server's file is the server's.
    assert!(path.exists());
}

#[test]
fn a_client_connects_again() {
    let every = Some(Duration::from_millis(1));
    let (_directory, path) = place();
    let chardev =
        socket(SocketAddress::Unix(path.clone()), Role::Client { reconnect: every }).unwrap();
    let (front_end, _seen) = echo();
    chardev.attach(front_end).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    for _ in 0..3 {
        exchange(listener.accept().unwrap().0, b"hello");
    }

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = tcp("localhost", listener.local_addr().unwrap().port());
    let chardev = socket(address, Role::Client { reconnect: every }).unwrap();
    let (front_end, _seen) = echo();
    chardev.attach(front_end).unwrap();
    for _ in 0..3 {
        exchange(listener.accept().unwrap().0, b"hello");
    }
}

#[test]
fn a_client_that_waits_to_connect_again_can_be_closed() {
    let (_directory, path) = place();
    let reconnect = Some(Duration::from_secs(3600));
    let chardev = socket(SocketAddress::Unix(path), Role::Client { reconnect }).unwrap();
    let (front_end, seen) = echo();
    chardev.attach(front_end).unwrap();
    drop(chardev);
    assert!(seen.recv_timeout(LIMIT).is_err_and(|error| error == DISCONNECTED));
}

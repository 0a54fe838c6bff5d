//! The socket's file.

use std::fs;
use std::os::unix::net::UnixListener;

use super::*;

fn serve(path: &Path) -> Result<Arc<Chardev>, Error> {
    socket(SocketAddress::Unix(path.into()), SERVER)
}

#[test]
fn the_file_is_there_as_long_as_the_device() {
    let (_directory, path) = place();
    let (chardev, _seen) = echoing(&path);
    exchange(connect(&path), b"hello");
    chardev.close();
    assert!(!path.exists());
    let (chardev, _seen) = echoing(&path);
    drop(chardev);
    assert!(!path.exists());
}

#[test]
fn the_socket_of_a_process_that_has_ended_is_replaced() {
    let (_directory, path) = place();
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let (_chardev, _seen) = echoing(&path);
    exchange(connect(&path), b"hello");
}

#[test]
fn the_socket_of_a_process_that_listens_is_not() {
    let (_directory, path) = place();
    let _live = UnixListener::bind(&path).unwrap();
    let said = refused(serve(&path));
    assert!(said.ends_with("in use by another process; choose another path"), "{said}");
    assert!(said.starts_with("character device test: socket /"), "{said}");
    drop(connect(&path));
}

#[test]
fn no_other_file_is_replaced_or_removed() {
    let (_directory, path) = place();
    fs::write(&path, "precious").unwrap();
    let said = refused(serve(&path));
    assert!(said.ends_with("exists and is not a socket; choose another path"), "{said}");
    assert_eq!(fs::read(&path).unwrap(), b"precious");

    fs::remove_file(&path).unwrap();
    let chardev = serve(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "precious").unwrap();
    drop(chardev);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
}

#[test]
fn paths_that_cannot_be_are_refused() {
    let (directory, _path) = place();
    let said = refused(serve(&directory.path().join("no/socket")));
    assert!(said.contains("cannot listen at /") && said.contains("No such file"), "{said}");
    for path in [directory.path().join("x".repeat(107)), PathBuf::new()] {
        for role in [SERVER, CLIENT, Role::Client { reconnect: Some(LIMIT) }] {
            let said = refused(socket(SocketAddress::Unix(path.clone()), role));
            assert!(said.ends_with("too long, 1 to 107 bytes expected"), "{said}");
        }
    }
    let room = 107 - directory.path().as_os_str().len() - 1;
    let longest = directory.path().join("x".repeat(room));
    let (_chardev, _seen) = echoing(&longest);
    exchange(connect(&longest), b"hello");
}

//! Descriptors that a peer sends along.

use std::io::IoSlice;
use std::mem::MaybeUninit;

use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::{FdFlags, fcntl_getfd};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::*;

fn send(stream: &UnixStream, bytes: &[u8], fds: &[BorrowedFd<'_>]) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(64))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    assert!(ancillary.push(SendAncillaryMessage::ScmRights(fds)));
    let sent = sendmsg(stream, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::empty());
    assert_eq!(sent.unwrap(), bytes.len());
}

/// A server's end of a connection, its client, and what keeps it.
fn connected() -> (Reader, UnixStream, (TempDir, Arc<Chardev>, Sender<()>)) {
    let (directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let (front_end, lent, give_back) = lending();
    chardev.attach(front_end).unwrap();
    let client = connect(&path);
    let (reader, _) = next(&lent).split();
    (reader, client, (directory, chardev, give_back))
}

fn read(reader: &mut Reader, expected: &[u8]) {
    let mut buffer = vec![0; expected.len()];
    reader.read_exact(&mut buffer).unwrap();
    assert_eq!(buffer, expected);
}

/// Whether all other descriptors of a socket are closed.
fn is_alone(stream: &mut UnixStream) -> bool {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    matches!(stream.read(&mut [0]), Ok(0))
}

#[test]
fn they_come_with_the_bytes() {
    let (mut reader, client, _kept) = connected();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    send(&client, b"take", &[theirs.as_fd()]);
    drop(theirs);
    read(&mut reader, b"take");
    let mut fds = reader.take_fds();
    assert!(reader.take_fds().is_empty());
    let fd = fds.pop().unwrap();
    assert!(fds.is_empty());
    assert!(fcntl_getfd(&fd).unwrap().contains(FdFlags::CLOEXEC));
    UnixStream::from(fd).write_all(b"hello").unwrap();
    let mut said = [0; 5];
    ours.read_exact(&mut said).unwrap();
    assert_eq!(&said, b"hello");
}

#[test]
fn two_messages_are_not_mixed() {
    let (mut reader, client, _kept) = connected();
    let (ours, theirs) = UnixStream::pair().unwrap();
    send(&client, b"one", &[ours.as_fd()]);
    send(&client, b"two", &[theirs.as_fd(), theirs.as_fd()]);
    let mut buffer = [0; 100];
    assert_eq!(reader.read(&mut buffer).unwrap(), 3);
    assert_eq!(reader.take_fds().len(), 1);
    assert_eq!(reader.read(&mut buffer).unwrap(), 3);
    assert_eq!(reader.take_fds().len(), 2);
}

#[test]
fn those_that_nobody_takes_are_closed() {
    let (mut reader, client, _kept) = connected();
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    send(&client, b"one", &[theirs.as_fd()]);
    drop(theirs);
    read(&mut reader, b"one");
    // Bytes alone change nothing.
    (&client).write_all(b"two").unwrap();
    read(&mut reader, b"two");
    let (_other, theirs) = UnixStream::pair().unwrap();
    send(&client, b"three", &[theirs.as_fd()]);
    read(&mut reader, b"three");
    assert!(is_alone(&mut ours));
    assert_eq!(reader.take_fds().len(), 1);
}

#[test]
fn more_than_sixteen_are_closed() {
    let (mut reader, client, _kept) = connected();
    let pairs: Vec<_> = (0..20).map(|_| UnixStream::pair().unwrap()).collect();
    let (mut ours, theirs): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let borrowed: Vec<_> = theirs.iter().map(UnixStream::as_fd).collect();
    send(&client, b"many", &borrowed);
    drop(theirs);
    read(&mut reader, b"many");
    let taken: Vec<OwnedFd> = reader.take_fds();
    assert_eq!(taken.len(), 16);
    assert!(ours[16..].iter_mut().all(is_alone));
    drop(taken);
    assert!(ours.iter_mut().all(is_alone));
}

use std::os::fd::OwnedFd;

use super::*;
use crate::backend::{read_exact, write_all};

fn file(length: u64) -> File {
    let file = tempfile::tempfile().unwrap();
    let bytes: Vec<u8> = (0..length).map(|index| (index / 3) as u8).collect();
    file.write_all_at(&bytes, 0).unwrap();
    file
}

#[test]
fn what_could_not_be_made_last_is_not_forgotten() {
    let (_reader, writer) = io::pipe().unwrap();
    let pipe = OwnedFd::from(writer);
    let mut image = ImageFile::new(pipe.into(), true, 512, None);
    let first = image.flush().unwrap_err();
    // The next call of the system would go well.
    image.file = file(512);
    assert_eq!(image.flush().unwrap_err().raw_os_error(), first.raw_os_error());
}

#[test]
fn a_transfer_that_cannot_be_direct_is_made_nevertheless() {
    let length = 8192;
    let mut image = ImageFile::new(file(length), true, length, None);
    // Some file systems have no direct I/O; all goes through the cache there.
    let direct = image.go_direct(length).is_ok();
    assert_eq!(image.direct, direct);
    let mut bytes = [0; 100];
    read_exact(&mut image, 7, &mut [Buffer::from(&mut bytes[..])]).unwrap();
    assert!(bytes.iter().zip(7_u64..).all(|(byte, index)| *byte == (index / 3) as u8));
    assert!(!rustix::fs::fcntl_getfl(&image.file).unwrap().contains(OFlags::DIRECT));
    write_all(&mut image, 8000, &mut [Buffer::from(&mut bytes[..])]).unwrap();
    let mut back = [0; 100];
    image.file.read_exact_at(&mut back, 8000).unwrap();
    assert_eq!(back, bytes);
}

/// Buffers of these lengths, and what becomes of the first of them.
fn first_step(lengths: &[usize], own: bool) -> u64 {
    let size = 8 << 20;
    let sparse = tempfile::tempfile().unwrap();
    sparse.set_len(size).unwrap();
    let mut image = ImageFile::new(sparse, own, size, None);
    let mut memory: Vec<Vec<u8>> = lengths.iter().map(|length| vec![1; *length]).collect();
    let buffers: Vec<Buffer<'_>> =
        memory.iter_mut().map(|bytes| Buffer::from(&mut bytes[..])).collect();
    let read = image.read_at(512, &buffers).unwrap();
    assert_eq!(image.write_at(512, &buffers).unwrap(), read);
    read
}

#[test]
fn small_buffers_share_a_call_and_large_ones_have_their_own() {
    assert_eq!(first_step(&[4096; 256], true), 1 << 20);
    assert_eq!(first_step(&[4096; 300], true), 1 << 20);
    assert_eq!(first_step(&[4096, 512, 2 << 20, 512], true), 4608);
    assert_eq!(first_step(&[2 << 20, 512], true), 2 << 20);
    assert_eq!(first_step(&[2 << 20, 512], false), 1 << 20);
    assert_eq!(first_step(&[], true), 0);
}

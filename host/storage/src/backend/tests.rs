use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::faulty::{Fault, Faulty};
use crate::ram::Ram;
use crate::request::Operation;

fn cut(bytes: &mut [u8], lengths: &[usize]) -> Vec<usize> {
    let mut left = bytes.len();
    let mut cuts = Vec::new();
    for length in lengths {
        cuts.push((*length).min(left));
        left -= (*length).min(left);
    }
    cuts.push(left);
    cuts
}

fn buffers<'a>(mut bytes: &'a mut [u8], cuts: &[usize]) -> Vec<Buffer<'a>> {
    let mut buffers = Vec::new();
    for length in cuts {
        let (now, later) = bytes.split_at_mut(*length);
        buffers.push(Buffer::from(now));
        bytes = later;
    }
    buffers
}

proptest! {
    #[test]
    fn everything_arrives_however_short_the_steps(
        mut bytes in vec(any::<u8>(), 0..4096),
        lengths in vec(0_usize..1500, 0..8),
        offset in 0_u64..4096,
        short in 1_u64..2000,
    ) {
        let ram = Ram::new(vec![0; 8192]);
        let view = ram.view();
        let mut backend = Faulty::new(ram);
        backend.faults().shorten(Some(short));
        let expected = bytes.clone();
        let cuts = cut(&mut bytes, &lengths);
        write_all(&mut backend, offset, &mut buffers(&mut bytes, &cuts)).unwrap();
        let start = offset as usize;
        prop_assert_eq!(&view.now()[start..start + expected.len()], &expected);
        let mut back = vec![0; expected.len()];
        read_exact(&mut backend, offset, &mut buffers(&mut back, &cuts)).unwrap();
        prop_assert_eq!(back, expected);
    }
}

#[test]
fn what_does_not_move_is_an_error() {
    let mut ram = Ram::new(vec![0; 512]);
    let mut bytes = [1; 1024];
    let error = write_all(&mut ram, 0, &mut [Buffer::from(&mut bytes[..])]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WriteZero);
    let error = read_exact(&mut ram, 0, &mut [Buffer::from(&mut bytes[..])]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    read_exact(&mut ram, 1 << 40, &mut []).unwrap();
}

#[test]
fn a_full_medium_keeps_what_fitted() {
    let ram = Ram::new(vec![0; 4096]);
    let view = ram.view();
    let mut backend = Faulty::new(ram);
    backend.faults().room(Some(700));
    let mut bytes = [1; 1024];
    let error = write_all(&mut backend, 0, &mut [Buffer::from(&mut bytes[..])]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!(view.now().iter().filter(|byte| **byte == 1).count(), 700);
}

#[test]
fn faults_come_when_they_are_told_to() {
    let mut backend = Faulty::new(Ram::new(vec![0; 512]));
    let faults = backend.faults();
    faults.fail(Operation::Flush, 1, 2, Fault::Io);
    let outcomes: Vec<bool> = (0..4).map(|_| backend.flush().is_ok()).collect();
    assert_eq!(outcomes, [true, false, false, true]);
    faults.vanish(true);
    assert!(backend.read_at(0, &[]).is_err());
    faults.mend();
    assert!(backend.read_at(0, &[]).is_ok());
    assert_eq!(faults.calls(), 6);
}

/// Says that it has done more than there was.
struct Liar;

impl Backend for Liar {
    fn size(&self) -> u64 {
        512
    }

    fn read_at(&mut self, _: u64, into: &[Buffer<'_>]) -> io::Result<u64> {
        Ok(total(into) + 1)
    }

    fn write_at(&mut self, _: u64, _: &[Buffer<'_>]) -> io::Result<u64> {
        Ok(u64::MAX)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_backend_that_counts_wrongly_is_an_error() {
    let mut bytes = [0; 512];
    assert!(read_exact(&mut Liar, 0, &mut [Buffer::from(&mut bytes[..])]).is_err());
    assert!(write_all(&mut Liar, 0, &mut [Buffer::from(&mut bytes[..])]).is_err());
}

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use vm_memory::{Bytes, GuestAddress, GuestMemoryMmap};

use super::*;
use crate::faulty::{Fault, Faults, Faulty};
use crate::policy::{OnReadError, OnWriteError};
use crate::ram::{Ram, RamView};
use crate::request::Piece;

mod changes;
mod errors;
mod model;

type Ended = (u32, Result<Vec<u8>, Failure>);

/// A drive with all that a test wants to see of it.
struct Rig {
    drive: Drive,
    memory: Arc<GuestMemoryMmap<()>>,
    faults: Faults,
    view: RamView,
    ended: Arc<Mutex<Vec<Ended>>>,
    reports: Arc<Mutex<Vec<ErrorReport>>>,
}

const SIZE: usize = 16 << 10;

fn medium(fill: u8, cache: Cache) -> (Medium, Faults, RamView) {
    let ram = Ram::new(vec![fill; SIZE]);
    let view = ram.view();
    let backend = Faulty::new(ram);
    let faults = backend.faults();
    (Medium { backend: Box::new(backend), read_only: false, cache }, faults, view)
}

impl Rig {
    fn new(policy: Policy, cache: Cache) -> Self {
        let (medium, faults, view) = medium(0x11, cache);
        let ranges = [(GuestAddress(0), 0x4000)];
        let memory = Arc::new(GuestMemoryMmap::from_ranges(&ranges).unwrap());
        let ended = Arc::new(Mutex::new(Vec::new()));
        let reports = Arc::new(Mutex::new(Vec::new()));
        let (to_ended, to_reports) = (Arc::clone(&ended), Arc::clone(&reports));
        let callbacks = Callbacks {
            completed: Box::new(move |tag, outcome| to_ended.lock().unwrap().push((tag, outcome))),
            failed: Box::new(move |report| to_reports.lock().unwrap().push(report.clone())),
        };
        let drive = Drive::new(Setup {
            name: "ide0-hd0".to_owned(),
            policy,
            medium: Some(medium),
            memory: Arc::clone(&memory) as Arc<dyn GuestMemory>,
            callbacks,
        });
        Self { drive, memory, faults, view, ended, reports }
    }

    fn plain() -> Self {
        Self::new(Policy::default(), Cache::Writeback)
    }

    fn submit(&self, tag: u32, request: Request) {
        self.drive.submit(tag, request).unwrap();
    }

    /// What has ended since the last time, when all has.
    fn ended(&self) -> Vec<Ended> {
        self.drive.drain();
        std::mem::take(&mut *self.ended.lock().unwrap())
    }

    fn reports(&self) -> Vec<ErrorReport> {
        std::mem::take(&mut *self.reports.lock().unwrap())
    }
}

fn write(offset: u64, value: u8) -> Request {
    Request::Write { offset, data: vec![value; 512] }
}

const fn read(offset: u64, length: u32) -> Request {
    Request::Read { offset, length }
}

#[test]
fn requests_end_in_order() {
    let rig = Rig::plain();
    rig.memory.write_slice(&[0x33; 512], GuestAddress(0x800)).unwrap();
    rig.submit(1, write(512, 0x22));
    let pieces = vec![
        Piece { address: 0x800, length: 256 },
        Piece { address: 0x4000, length: 200 },
        Piece { address: 0x900, length: 56 },
    ];
    rig.submit(2, Request::FromMemory { offset: 1024, pieces });
    rig.submit(3, read(512, 1024));
    let pieces =
        vec![Piece { address: 0x3ffe, length: 510 }, Piece { address: 0x100, length: 514 }];
    rig.submit(4, Request::ToMemory { offset: 1024, pieces });
    rig.submit(5, Request::Flush);
    let expected = [vec![0x22; 512], vec![0x33; 256], vec![0; 200], vec![0x33; 56]].concat();
    let ok = |tag| (tag, Ok(Vec::new()));
    assert_eq!(rig.ended(), [ok(1), ok(2), (3, Ok(expected)), ok(4), ok(5)]);
    let mut bytes = [0; 3];
    rig.memory.read_slice(&mut bytes, GuestAddress(0x3ffd)).unwrap();
    assert_eq!(bytes, [0, 0x33, 0x33]);
    let mut bytes = [0; 516];
    rig.memory.read_slice(&mut bytes, GuestAddress(0xff)).unwrap();
    assert_eq!((bytes[0], bytes[1], bytes[2], bytes[3], bytes[515]), (0, 0x33, 0x33, 0x11, 0));
    assert_eq!(rig.view.flushed(), rig.view.now());
}

#[test]
fn what_a_medium_forbids_fails_whatever_the_policy() {
    let policy = Policy { read: OnReadError::Stop, write: OnWriteError::Ignore };
    let rig = Rig::new(policy, Cache::Writeback);
    let end = SIZE as u64;
    rig.submit(1, read(end, 512));
    rig.submit(2, write(end - 256, 1));
    rig.submit(3, Request::Write { offset: 0, data: vec![0; 511] });
    rig.submit(4, read(0, crate::READ_LIMIT + 512));
    rig.submit(5, read(end, 0));
    let failed = |tag| (tag, Err(Failure::Io));
    let expected = [failed(1), failed(2), failed(3), failed(4), (5, Ok(Vec::new()))];
    assert_eq!(rig.ended(), expected);
    assert!(rig.drive.tray(true));
    assert!(!rig.drive.tray(true));
    rig.submit(6, read(0, 512));
    assert!(rig.drive.tray(false));
    rig.submit(7, read(0, 512));
    assert_eq!(rig.ended(), [failed(6), (7, Ok(vec![0x11; 512]))]);
    let (mut read_only, _, view) = medium(5, Cache::Writeback);
    read_only.read_only = true;
    rig.drive.change(Some(read_only), false).unwrap();
    rig.submit(8, write(0, 1));
    rig.submit(9, Request::Flush);
    assert_eq!(rig.ended(), [failed(8), (9, Ok(Vec::new()))]);
    rig.drive.change(None, false).unwrap();
    rig.submit(10, read(0, 512));
    rig.submit(11, Request::Flush);
    assert_eq!(rig.ended(), [failed(10), failed(11)]);
    assert!(view.now().iter().all(|byte| *byte == 5));
    assert_eq!(rig.reports(), []);
    let statistics = rig.drive.statistics();
    let invalid = (statistics.read.invalid, statistics.write.invalid, statistics.flush.invalid);
    assert_eq!(invalid, (4, 3, 1));
}

#[test]
fn cache_modes_flush_when_they_should() {
    let flushed = |cache, flush: bool| {
        let rig = Rig::new(Policy::default(), cache);
        rig.submit(1, write(0, 0x77));
        if flush {
            rig.submit(2, Request::Flush);
        }
        rig.drive.drain();
        rig.view.flushed()[0] == 0x77
    };
    for (cache, by_write, by_flush) in [
        (Cache::Writeback, false, true),
        (Cache::None, false, true),
        (Cache::Writethrough, true, true),
        (Cache::Directsync, true, true),
        (Cache::Unsafe, false, false),
    ] {
        assert_eq!((flushed(cache, false), flushed(cache, true)), (by_write, by_flush), "{cache}");
    }
}

#[test]
fn a_flush_that_fails_fails_the_write_before_it() {
    let rig = Rig::new(Policy::default(), Cache::Writethrough);
    rig.faults.fail(Operation::Flush, 0, 1, Fault::Io);
    rig.submit(1, write(0, 1));
    assert_eq!(rig.ended(), [(1, Err(Failure::Io))]);
}

#[test]
fn dropping_a_drive_flushes_the_medium() {
    let rig = Rig::plain();
    rig.submit(1, write(0, 0x44));
    assert_eq!(rig.ended().len(), 1);
    assert_eq!(rig.view.flushed()[0], 0x11);
    drop(rig.drive);
    assert_eq!(rig.view.flushed()[0], 0x44);
}

#[test]
fn dropping_a_drive_waits_for_the_running_request_only() {
    let rig = Rig::plain();
    rig.faults.delay(Duration::from_millis(50));
    for tag in 0..100 {
        rig.submit(tag, write(0, 0x44));
    }
    let start = Instant::now();
    drop(rig.drive);
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(rig.ended.lock().unwrap().len() < 10);
}

#[test]
fn a_device_cannot_make_requests_without_end() {
    let held = || {
        let rig = Rig::plain();
        rig.faults.room(Some(0));
        rig.submit(0, write(0, 1));
        assert_eq!(rig.drive.drain(), Some(Held { waiting: 1 }));
        rig
    };
    let rig = held();
    let taken = (0..).take_while(|tag| rig.drive.submit(*tag, Request::Flush).is_ok()).count();
    assert_eq!(taken, LIMIT_REQUESTS - 1);
    let rig = held();
    let huge = || Request::Write { offset: 0, data: vec![0; LIMIT_BYTES / 4] };
    let outcomes = [(); 4].map(|()| rig.drive.submit(1, huge()));
    assert!(matches!(outcomes, [Ok(()), Ok(()), Ok(()), Err(SubmitError::Full)]));
    rig.faults.mend();
    rig.drive.resume();
    rig.drive.drain();
    rig.submit(1, huge());
    assert_eq!(rig.ended().len(), 5);
}

#[test]
fn statistics_count_what_was_done() {
    let rig = Rig::plain();
    rig.faults.fail(Operation::Read, 1, 1, Fault::Io);
    rig.submit(1, read(0, 1024));
    rig.submit(2, read(0, 512));
    rig.submit(3, write(1024, 1));
    rig.submit(4, write(0, 1));
    rig.submit(5, Request::Flush);
    rig.drive.drain();
    let statistics = rig.drive.statistics();
    let numbers = |counts: crate::Counts| (counts.operations, counts.bytes, counts.failed);
    assert_eq!(numbers(statistics.read), (1, 1024, 1));
    assert_eq!(numbers(statistics.write), (2, 1024, 0));
    assert_eq!(numbers(statistics.flush), (1, 0, 0));
    assert_eq!(statistics.highest_write, 1536);
    assert!(statistics.write.time > Duration::ZERO);
}

#[test]
fn a_callback_that_panics_stops_the_drive_and_nobody_waits() {
    let (medium, _, _) = medium(0, Cache::Writeback);
    let ranges = [(GuestAddress(0), 0x1000)];
    let drive = Drive::new(Setup {
        name: "d".to_owned(),
        policy: Policy::default(),
        medium: Some(medium),
        memory: Arc::new(GuestMemoryMmap::from_ranges(&ranges).unwrap()),
        callbacks: Callbacks {
            completed: Box::new(|_, _| std::panic::resume_unwind(Box::new(()))),
            failed: Box::new(|_| {}),
        },
    });
    drive.submit(1, Request::Flush).unwrap();
    assert_eq!(drive.drain(), None);
    assert!(matches!(drive.submit(2, Request::Flush), Err(SubmitError::Dead)));
    assert!(matches!(drive.change(None, false), Err(ChangeError::Dead)));
}

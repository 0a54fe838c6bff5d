//! Media that come and go while requests do.

use super::*;

#[test]
fn requests_before_a_change_get_the_old_medium() {
    let rig = Rig::plain();
    rig.faults.delay(Duration::from_millis(5));
    for tag in 0..4 {
        rig.submit(tag, write(u64::from(tag) * 512, 0x20));
    }
    let (second, _, second_view) = medium(0x99, Cache::Writeback);
    let old = rig.drive.change(Some(second), false).unwrap().unwrap();
    assert_eq!(old.info(), MediumInfo { size: SIZE as u64, read_only: false });
    rig.submit(4, read(0, 512));
    assert_eq!(rig.ended()[4], (4, Ok(vec![0x99; 512])));
    assert_eq!(rig.view.flushed()[..2048], [0x20; 2048]);
    assert_eq!(second_view.now(), [0x99; SIZE]);
}

#[test]
fn requests_during_a_change_get_the_new_medium() {
    let rig = Rig::plain();
    rig.faults.delay(Duration::from_millis(100));
    rig.submit(0, write(0, 0x20));
    rig.submit(1, write(0, 0x21));
    thread::scope(|scope| {
        let change = scope.spawn(|| {
            let second = medium(0x99, Cache::Writeback).0;
            rig.drive.change(Some(second), false).unwrap();
        });
        while rig.drive.shared.lock().barrier.is_none() && !change.is_finished() {
            thread::yield_now();
        }
        rig.submit(2, read(0, 512));
    });
    assert_eq!(rig.ended()[2], (2, Ok(vec![0x99; 512])));
    assert_eq!(rig.view.flushed()[..512], [0x21; 512]);
}

#[test]
fn nothing_starts_behind_a_change_that_waits() {
    let rig = Rig::plain();
    rig.submit(0, read(0, 512));
    rig.drive.drain();
    rig.drive.shared.lock().barrier = Some(2);
    rig.submit(1, read(0, 512));
    rig.submit(2, read(0, 512));
    thread::sleep(Duration::from_millis(50));
    assert_eq!(rig.ended.lock().unwrap().len(), 2);
    rig.drive.shared.lock().barrier = None;
    rig.drive.shared.changed.notify_all();
    assert_eq!(rig.ended().len(), 3);
}

#[test]
fn a_locked_drive_keeps_its_medium() {
    let rig = Rig::plain();
    rig.drive.set_locked(true);
    assert!(rig.drive.is_locked());
    assert!(matches!(rig.drive.change(None, false), Err(ChangeError::Locked)));
    assert!(rig.drive.medium().is_some());
    rig.drive.tray(true);
    assert!(rig.drive.change(None, false).is_ok());
    rig.drive.tray(false);
    let (second, ..) = medium(1, Cache::Writeback);
    assert!(rig.drive.change(Some(second), true).is_ok());
    assert!(rig.drive.medium().is_some());
}

#[test]
fn held_requests_keep_the_medium_unless_forced() {
    let rig = Rig::plain();
    rig.faults.room(Some(0));
    rig.submit(1, write(0, 1));
    let (second, _, view) = medium(9, Cache::Writeback);
    let error = rig.drive.change(Some(second), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "1 requests wait for the medium to be mended; let the machine continue, or use force"
    );
    let (second, ..) = medium(9, Cache::Writeback);
    rig.drive.change(Some(second), true).unwrap();
    rig.submit(2, read(0, 512));
    assert_eq!(rig.ended(), [(1, Err(Failure::Io)), (2, Ok(vec![9; 512]))]);
    assert_eq!(view.now(), [9; SIZE]);
}

#[test]
fn a_medium_that_cannot_be_flushed_stays_unless_forced() {
    let rig = Rig::plain();
    rig.faults.fail(Operation::Flush, 0, 2, Fault::Io);
    assert!(matches!(rig.drive.change(None, false), Err(ChangeError::Flush(_))));
    rig.submit(1, read(0, 512));
    assert_eq!(rig.ended(), [(1, Ok(vec![0x11; 512]))]);
    assert!(rig.drive.change(None, true).unwrap().is_some());
    assert_eq!(rig.drive.medium(), None);
}

#[test]
fn many_may_drain_change_and_submit_at_once() {
    let rig = Arc::new(Rig::plain());
    let stop = Arc::new(AtomicBool::new(false));
    let mut threads = Vec::new();
    for kind in 0..4_u8 {
        let (rig, stop) = (Arc::clone(&rig), Arc::clone(&stop));
        threads.push(thread::spawn(move || {
            let mut rounds = 0_u32;
            while !stop.load(Ordering::Relaxed) {
                match kind {
                    0 => drop(rig.drive.drain()),
                    1 => {
                        let next = medium(rounds as u8, Cache::Writeback).0;
                        drop(rig.drive.change(Some(next), rounds.is_multiple_of(2)));
                    }
                    2 => rig.drive.resume(),
                    _ => drop(rig.drive.statistics()),
                }
                rounds += 1;
            }
            rounds
        }));
    }
    let mut expected = Vec::new();
    for tag in 0..3000 {
        if tag % 50 == 0 {
            rig.drive.drain();
        }
        rig.submit(tag, if tag % 3 == 0 { write(0, 1) } else { read(0, 512) });
        expected.push(tag);
    }
    let ended = rig.ended();
    stop.store(true, Ordering::Relaxed);
    for thread in threads {
        assert!(thread.join().unwrap() > 0);
    }
    // Each exactly once and in order, and a read sees one medium, not two.
    assert_eq!(ended.iter().map(|(tag, _)| *tag).collect::<Vec<_>>(), expected);
    for (_, outcome) in ended {
        let data = outcome.unwrap();
        assert!(data.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn a_drained_drive_is_still() {
    let rig = Rig::plain();
    rig.faults.delay(Duration::from_millis(2));
    for round in 0..20 {
        for tag in 0..3 {
            rig.submit(tag, write(0, 1));
        }
        rig.drive.drain();
        assert_eq!(rig.ended.lock().unwrap().len(), (round + 1) * 3);
    }
}

#[test]
fn a_callback_may_submit_and_drain() {
    let (medium, ..) = medium(7, Cache::Writeback);
    let drive: Arc<Mutex<Option<Arc<Drive>>>> = Arc::default();
    let (inner, count) = (Arc::clone(&drive), Arc::new(Mutex::new(0)));
    let counted = Arc::clone(&count);
    let completed = move |tag, _: Result<Vec<u8>, Failure>| {
        *counted.lock().unwrap() += 1;
        let drive = inner.lock().unwrap().clone();
        if let Some(drive) = drive
            && tag < 10
        {
            drive.submit(tag + 1, Request::Flush).unwrap();
            assert_eq!(drive.drain(), None);
        }
    };
    let setup = Setup {
        name: String::new(),
        policy: Policy::default(),
        medium: Some(medium),
        memory: Arc::new(GuestMemoryMmap::from_ranges(&[(GuestAddress(0), 0x1000)]).unwrap()),
        callbacks: Callbacks { completed: Box::new(completed), failed: Box::new(|_| {}) },
    };
    let first = Arc::new(Drive::new(setup));
    *drive.lock().unwrap() = Some(Arc::clone(&first));
    first.submit(0, Request::Flush).unwrap();
    first.drain();
    assert_eq!(*count.lock().unwrap(), 11);
    drive.lock().unwrap().take();
}

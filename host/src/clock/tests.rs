use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use super::*;

#[test]
fn stands_still_until_started_and_after_a_stop() {
    let clock = Clock::new();
    thread::sleep(Duration::from_millis(2));
    assert_eq!(clock.now(), 0);

    clock.start();
    thread::sleep(Duration::from_millis(2));
    clock.stop();
    let stopped = clock.now();
    assert!(stopped >= 2_000_000, "{stopped} ns after 2 ms");

    thread::sleep(Duration::from_millis(2));
    assert_eq!(clock.now(), stopped);
}

#[test]
fn continues_where_it_stopped() {
    let clock = Clock::new();
    clock.advance_to(3_600_000_000_000);
    clock.start();
    let started = clock.now();
    assert!((3_600_000_000_000..3_601_000_000_000).contains(&started));
    clock.advance_to(u64::MAX);
    assert!(clock.now() < 3_700_000_000_000, "a running clock jumped");
}

#[test]
fn a_manual_clock_moves_only_forward_and_only_when_told() {
    let clock = Clock::manual();
    clock.start();
    thread::sleep(Duration::from_millis(1));
    assert_eq!(clock.now(), 0);
    clock.advance_to(500);
    clock.advance_to(300);
    assert_eq!(clock.now(), 500);
    clock.advance_to(u64::MAX);
    assert_eq!(clock.now(), (1 << 62) - 1);
}

#[test]
fn never_goes_back_for_readers_racing_with_stops() {
    let clock = Arc::new(Clock::new());
    let latest = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (clock, latest, done) = (clock.clone(), latest.clone(), done.clone());
            thread::spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let before = latest.load(Ordering::SeqCst);
                    let now = clock.now();
                    assert!(now >= before, "went back from {before} to {now}");
                    latest.fetch_max(now, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for _ in 0..20_000 {
        clock.start();
        clock.stop();
    }
    done.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.join().expect("a reader saw the clock go back");
    }
}

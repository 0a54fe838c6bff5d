//! A device that never returns, and its neighbour: how long after its deadline the device
//! is out of service, and what the neighbour's accesses cost meanwhile.
//!
//! The neighbour is read by another thread without a pause. A round is half a second
//! with nothing to do for the device, and half a second in which it fails, is plugged
//! again and fails again.

mod common {
    pub(crate) mod spread;
}
#[path = "../tests/common"]
mod tests {
    pub(crate) mod rig;
    pub(crate) mod zoo;
}

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::spread::Spread;
use southbridge::clock::Clock;
use tests::rig::{COUNT, Rig, SECOND_COUNT, counters_text, image};

const ROUNDS: usize = 20;
const HALF: Duration = Duration::from_millis(500);
const DEADLINE: Duration = Duration::from_millis(50);

fn main() {
    let directory = tempfile::tempdir().expect("there is room for a folder");
    let limits = format!("limits = {{ deadline-ms = {} }}\ngrants", DEADLINE.as_millis());
    let text = counters_text(directory.path(), "loops", "first").replacen("grants", &limits, 1);
    let rig = Rig::try_new("counters", &text, Clock::manual()).expect("it can be built");
    let (accesses, end) = (AtomicU64::new(0), AtomicBool::new(false));
    // Compiled beforehand: what is plugged again is at hand.
    let again = image("loops");
    let (mut late, mut ratios) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !end.load(Ordering::Relaxed) {
                assert_eq!(rig.read(SECOND_COUNT, 4), 0, "the neighbour answers");
                accesses.fetch_add(1, Ordering::Relaxed);
            }
        });
        let rate = |work: &mut dyn FnMut()| {
            let (before, start) = (accesses.load(Ordering::Relaxed), Instant::now());
            work();
            let done = accesses.load(Ordering::Relaxed) - before;
            done as f64 / start.elapsed().as_secs_f64()
        };
        for _ in 0..ROUNDS {
            // This thread is busy too, as with the device: they may share a core.
            let alone = rate(&mut || {
                let begun = Instant::now();
                while begun.elapsed() < HALF {
                    std::hint::spin_loop();
                }
            });
            let beside = rate(&mut || {
                let begun = Instant::now();
                while begun.elapsed() < HALF {
                    let start = Instant::now();
                    rig.read(COUNT, 4);
                    late.push(start.elapsed().saturating_sub(DEADLINE).as_secs_f64() * 1e6);
                    assert!(rig.status("first").fault.is_some(), "it is out of service");
                    rig.machine.swap("first", &again).expect("it can be plugged again");
                }
            });
            ratios.push(beside / alone);
        }
        end.store(true, Ordering::Relaxed);
    });
    println!("{:<44}{:>10}{:>10}{:>10}", "", "p50", "p99", "max");
    let faults = late.len();
    let show = |what: &str, values: Vec<f64>, digits: usize| {
        let spread = Spread::new(values);
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| spread.at(share));
        println!("{what:<44}{p50:>10.digits$}{p99:>10.digits$}{max:>10.digits$}");
    };
    show(&format!("out of service after its deadline, us, {faults} times"), late, 0);
    show("accesses of the neighbour meanwhile, ratio", ratios, 3);
}

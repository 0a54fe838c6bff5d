//! A swap: two builds of the power management device replace each other while
//! another thread reads its timer without a pause; then, a tenth as often, while it also
//! changes a register all the time, so that the state to move is another one at each look.
//!
//! The blackout is the time for which the slot is locked. The longest access is
//! what the other thread saw of it, with whatever the host's scheduler added. An
//! error is a reading that no guest should see: all ones, a timer that went back, or a
//! register that does not hold what was written to it.
//!
//! `SWAPS=3000` says how many there are.

mod common {
    pub(crate) mod machine;
    pub(crate) mod plan;
    pub(crate) mod spread;
}

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use southbridge::component::{Effects, Engine, Image};
use southbridge::library::Library;
use southbridge::machine::Machine;

use common::machine::machine;
use common::plan::PM_TIMER;
use common::spread::Spread;

const SWAPS: usize = 100_000;

/// APMS, which holds what is written to it.
const SCRATCH: u16 = 0xb3;

/// What the other thread does and tells.
#[derive(Default)]
struct Reader {
    writes: bool,
    accesses: AtomicU64,
    errors: AtomicU64,
    /// Nanoseconds, since it was last taken.
    longest: AtomicU64,
    end: AtomicBool,
}

fn main() {
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let machine = machine(&library, Arc::new(|_| {}));
    let builds = ["piix4-pm+traced", "piix4-pm"];
    let builds = builds.map(|name| library.get(name).expect("it is in the program"));
    let swaps = std::env::var("SWAPS").map_or(SWAPS, |text| text.parse().expect("a number"));
    swap(&machine, &builds, swaps, Reader::default());
    swap(&machine, &builds, swaps / 10, Reader { writes: true, ..Reader::default() });
}

fn swap(machine: &Machine, builds: &[Image], swaps: usize, reader: Reader) {
    let mut blackouts = Vec::with_capacity(swaps);
    let mut longest = Vec::with_capacity(swaps);
    let mut whole = Vec::with_capacity(swaps);
    std::thread::scope(|scope| {
        scope.spawn(|| reader.read(machine));
        for build in builds.iter().cycle().take(swaps) {
            reader.longest.store(0, Ordering::Relaxed);
            let start = Instant::now();
            let swapped = machine.swap("pm", build).expect("both take each other's state");
            whole.push(start.elapsed());
            blackouts.push(swapped.blackout);
            // The access that waited ends a moment after the swap.
            let seen = reader.accesses.load(Ordering::Relaxed);
            while reader.accesses.load(Ordering::Relaxed) < seen + 2 {
                std::thread::yield_now();
            }
            longest.push(Duration::from_nanos(reader.longest.load(Ordering::Relaxed)));
        }
        reader.end.store(true, Ordering::Relaxed);
    });

    let accesses = reader.accesses.load(Ordering::Relaxed);
    let errors = reader.errors.load(Ordering::Relaxed);
    let state = if reader.writes { "changes" } else { "stays" };
    println!("{swaps} swaps, {accesses} accesses, {errors} errors; the state {state}");
    println!("{:<32}{:>10}{:>10}{:>10}", "", "p50", "p99", "max");
    print("blackout, us", &blackouts);
    print("longest access, us", &longest);
    print("whole swap, us", &whole);
}

fn print(what: &str, times: &[Duration]) {
    let spread = Spread::new(times.iter().map(|time| time.as_secs_f64() * 1e6));
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| spread.at(share));
    println!("{what:<32}{p50:>10.1}{p99:>10.1}{max:>10.1}");
}

impl Reader {
    fn read(&self, machine: &Machine) {
        let (mut effects, mut last) = (Effects::with_capacity(64), 0);
        let mut written = 0;
        while !self.end.load(Ordering::Relaxed) {
            let start = Instant::now();
            let timer = machine.port_read(PM_TIMER, 4, &mut effects);
            let time = start.elapsed().as_nanos() as u64;
            self.longest.fetch_max(time, Ordering::Relaxed);
            self.accesses.fetch_add(1, Ordering::Relaxed);
            // It has 24 bits, and goes around every 4.7 seconds.
            let forward = timer.wrapping_sub(last) & 0xff_ffff < 0x80_0000;
            self.errors.fetch_add(u64::from(!forward || timer > 0xff_ffff), Ordering::Relaxed);
            last = timer;
            if self.writes {
                written = (written + 1) & 0xff;
                machine.port_write(SCRATCH, 1, written, &mut effects);
                let held = machine.port_read(SCRATCH, 1, &mut effects) == written;
                self.errors.fetch_add(u64::from(!held), Ordering::Relaxed);
            }
        }
    }
}

//! One access to the power management device: alone, with a shadow that must do the
//! same, with a guard, and while it is recorded. Each round is a number of accesses in
//! each of these ways, one after the other; the ratio is that of the same round.

mod common {
    pub(crate) mod machine;
    pub(crate) mod plan;
    pub(crate) mod spread;
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use southbridge::component::{Effects, Engine};
use southbridge::library::Library;
use southbridge::machine::Machine;

use common::machine::machine;
use common::plan::PM_TIMER;
use common::spread::Spread;

const ROUNDS: usize = 101;
const ACCESSES: u32 = 10_000;
const SLOT: &str = "pm";

fn main() {
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let machine = machine(&library, Arc::new(|_| {}));
    let device = library.get("piix4-pm").expect("it is in the program");
    let mut times = [const { Vec::new() }; 4];
    for _ in 0..ROUNDS {
        times[0].push(accesses(&machine));

        machine.shadow(SLOT, &device, u64::MAX).expect("it takes its own state");
        times[1].push(accesses(&machine));
        let shadow = machine.shadow_status(SLOT).expect("there is the slot");
        assert!(shadow.is_some_and(|shadow| shadow.accesses == u64::from(ACCESSES)));
        machine.end_shadow(SLOT).expect("there is the slot");

        let long = Duration::from_secs(3600);
        machine.swap_guarded(SLOT, &device, long).expect("it takes its own state");
        times[2].push(accesses(&machine));
        machine.swap(SLOT, &device).expect("it takes its own state");

        machine.record(SLOT, ACCESSES as usize).expect("it can be recorded");
        times[3].push(accesses(&machine));
        machine.end_record(SLOT).expect("it was recorded");
    }
    println!(
        "{:<20}{:>10}{:>10}{:>10}{:>16}",
        "access, ns", "min", "p50", "p99", "over alone, p50"
    );
    let alone = times[0].clone();
    for (what, times) in ["alone", "with a shadow", "with a guard", "recorded"].iter().zip(times) {
        let ratios = Spread::new(times.iter().zip(&alone).map(|(time, alone)| time / alone));
        let times = Spread::new(times);
        let [min, p50, p99] = [0.0, 0.5, 0.99].map(|share| times.at(share));
        println!("{what:<20}{min:>10.0}{p50:>10.0}{p99:>10.0}{:>15.2}x", ratios.at(0.5));
    }
}

/// How long an access takes, in nanoseconds.
fn accesses(machine: &Machine) -> f64 {
    let mut effects = Effects::with_capacity(64);
    let start = Instant::now();
    for _ in 0..ACCESSES {
        machine.port_read(PM_TIMER, 4, &mut effects);
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(ACCESSES)
}

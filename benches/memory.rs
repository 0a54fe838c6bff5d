//! Resident memory: what each further device of a kind adds to the process,
//! after a reset.

mod common {
    pub(crate) mod plug;
}

use std::fs;
use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine};
use southbridge::library::Library;

use common::plug::plug;

/// Devices of each kind.
const DEVICES: usize = 64;

fn main() {
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let clock = Arc::new(Clock::manual());
    let one_each = ["smbus-eeprom", "serial", "piix4-pm"].map(|name| {
        let image = library.get(name).expect("it is in the program");
        let slot = plug(&image, &clock);
        slot.reset(&mut Effects::new());
        (name, image, slot)
    });
    println!("{:<16}{:>20}{:>20}", "bytes per device", "resident", "of it private");
    for (name, image, _first) in &one_each {
        let before = Memory::now();
        let slots: Vec<_> = (0..DEVICES)
            .map(|_| {
                let slot = plug(image, &clock);
                slot.reset(&mut Effects::new());
                slot
            })
            .collect();
        let after = Memory::now();
        let each = |before: usize, after: usize| after.saturating_sub(before) / slots.len();
        let resident = each(before.resident, after.resident);
        let private = each(before.private, after.private);
        println!("{name:<16}{resident:>20}{private:>20}");
    }
}

/// The process's memory, in bytes.
struct Memory {
    resident: usize,
    /// What only this process has, and has changed.
    private: usize,
}

impl Memory {
    fn now() -> Self {
        let text = fs::read_to_string("/proc/self/smaps_rollup").expect("Linux has it");
        let bytes = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(key));
            let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
            1024 * kib.and_then(|kib| kib.parse::<usize>().ok()).expect("proc(5) says so")
        };
        Self { resident: bytes("Rss:"), private: bytes("Private_Dirty:") }
    }
}

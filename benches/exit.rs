//! A whole exit: a guest that reads the power management timer as fast as it
//! goes, on a machine and on a loop around KVM_RUN that answers a constant.
//!
//! The two take turns of a few milliseconds, because the time of an exit can
//! drift from second to second by more than the difference between them.

mod common {
    pub(crate) mod machine;
    pub(crate) mod plan;
    pub(crate) mod spread;
}

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use southbridge::component::Engine;
use southbridge::demo::guest::{DEBUG_EXIT_PORT, LOAD_ADDRESS, Width, hammer};
use southbridge::library::Library;
use southbridge::machine::{MachineDoor, PowerEvent};
use southbridge::vm::boot::{self, Entry, Format, Kernel};
use southbridge::vm::{Config, Door, Error, Image, InterruptController, Platform, RamLayout, Vm};

use common::machine::machine;
use common::plan::{PM_TIMER, RAM_SIZE};
use common::spread::Spread;

/// Exits in one turn.
const EXITS: u32 = 500;

/// Turns of each side in one pair. Their median counts: a turn in which the
/// host does something else says nothing.
const TURNS: usize = 41;

/// Pairs; one more comes first and does not count.
const PAIRS: usize = 31;

fn main() -> Result<(), Error> {
    let (done, ended) = channel();
    let bare = Side::new(Arc::new(Constant(done)), ended)?;

    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let (done, ended) = channel();
    let power = move |event| {
        if matches!(event, PowerEvent::Exit(_)) {
            let _ = done.send(());
        }
    };
    let machine = machine(&library, Arc::new(power));
    let whole = Side::new(Arc::new(MachineDoor::new(machine)), ended)?;

    let mut pairs = Vec::new();
    for _ in 0..=PAIRS {
        let mut turns = Vec::new();
        for _ in 0..TURNS {
            turns.push((bare.run()?, whole.run()?));
        }
        let by_bare = Spread::new(turns.iter().map(|(bare, _)| *bare));
        let by_whole = Spread::new(turns.iter().map(|(_, whole)| *whole));
        pairs.push((by_bare.at(0.5), by_whole.at(0.5)));
    }
    pairs.remove(0);
    let [low, median, high] = ["min", "median", "max"];
    let head = format!("{PAIRS} pairs of {TURNS} x {EXITS}");
    println!("{head:<25}{low:>10}{median:>10}{high:>10}");
    print("bare loop, ns an exit", 0, pairs.iter().map(|(bare, _)| *bare));
    print("machine, ns an exit", 0, pairs.iter().map(|(_, whole)| *whole));
    print("machine over bare, ns", 0, pairs.iter().map(|(bare, whole)| whole - bare));
    print("machine to bare", 3, pairs.iter().map(|(bare, whole)| whole / bare));
    Ok(())
}

fn print(what: &str, digits: usize, values: impl Iterator<Item = f64>) {
    let spread = Spread::new(values);
    let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
    println!("{what:<25}{low:>10.digits$}{median:>10.digits$}{high:>10.digits$}");
}

/// A virtual machine with the guest in it.
struct Side {
    vm: Vm,
    entry: Entry,
    ended: Receiver<()>,
}

impl Side {
    fn new(door: Arc<dyn Door>, ended: Receiver<()>) -> Result<Self, Error> {
        let platform = Platform::new(&Config {
            cpus: 1,
            ram: RamLayout {
                size: RAM_SIZE,
                below_4g_limit: 0xe000_0000,
                below_4g_split: 0xc000_0000,
            },
            windows: Vec::new(),
            rom: None,
            interrupts: InterruptController::Kernel,
        })?;
        let code = hammer(PM_TIMER, Width::Long, EXITS).expect("the guest is fixed");
        let kernel = Kernel {
            format: Format::Flat,
            flat_address: LOAD_ADDRESS,
            ..Kernel::new(Image::new("hammer", code))
        };
        let entry = boot::load(&kernel, platform.memory(), &())?;
        let vm = Vm::start(platform, door, Arc::new(|event| panic!("{event:?}")))?;
        Ok(Self { vm, entry, ended })
    }

    /// Runs the guest to its end. Returns the nanoseconds an exit took.
    fn run(&self) -> Result<f64, Error> {
        self.vm.reset(&self.entry)?;
        let start = Instant::now();
        self.vm.resume();
        self.ended.recv().expect("a door is there as long as its machine");
        let time = start.elapsed();
        self.vm.pause();
        Ok(time.as_nanos() as f64 / f64::from(EXITS))
    }
}

/// Answers every read with zeros, and says when the guest has ended.
struct Constant(Sender<()>);

impl Door for Constant {
    fn port_read(&self, _port: u16, data: &mut [u8]) {
        data.fill(0);
    }

    fn port_write(&self, port: u16, _data: &[u8]) {
        if port == DEBUG_EXIT_PORT {
            let _ = self.0.send(());
        }
    }

    fn memory_read(&self, _address: u64, data: &mut [u8]) {
        data.fill(0);
    }

    fn memory_write(&self, _address: u64, _data: &[u8]) {}

    fn thread_started(&self) {}
}

//! A whole machine with its memory, beside a plain copy of as much:
//!
//! - `copied out`: the memory, page by page, into a buffer;
//! - `saved`: the machine to a stream that nobody keeps;
//! - `copied in`: the memory, page by page, from as many bytes elsewhere;
//! - `loaded`: the machine from a stream in memory;
//! - `migrated`: from one machine to another over a pair of sockets, with two threads.
//!
//! They take turns, because what else the host does changes from second to second.

mod common {
    pub(crate) mod spread;
}

use std::hint::black_box;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use southbridge::clock::Clock;
use southbridge::component::Engine;
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, Machine, Plan, Unconnected};
use southbridge::migrate::{
    Arriving, Blocks, Cancel, Leaving, Migration, Progress, RunStateName, Status, Uri, load, save,
};
use southbridge::vm::{RamLayout, Roms};
use vm_memory::{Bytes as _, GuestAddress, GuestMemoryMmap};

use common::spread::Spread;

const MACHINE: &str = "pc-i440fx-7.2";

/// The guest's memory in bytes. Every eighth page is zero.
const MEMORY: u64 = 1 << 30;

const PAGE: usize = 4096;

/// One more comes first and does not count.
const TURNS: usize = 21;

struct Whole {
    machine: Arc<Machine>,
    blocks: Arc<Blocks>,
    ram: GuestMemoryMmap,
}

impl Whole {
    fn new(library: &Library) -> Self {
        let types = MachineTypes::builtin().expect("the files in the program are sound");
        let machine = types.get(MACHINE).expect("it is in the program");
        let parameters = Parameters::new(1, MEMORY);
        let plan = Plan::new(machine, &[], library, parameters).expect("it fits together");
        let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
        let layout = RamLayout {
            size: MEMORY,
            below_4g_limit: machine.memory.max_ram_below_4g,
            below_4g_split: machine.memory.split_at,
        };
        let machine = Machine::build(&plan, clock, board, &Backends::default(), Arc::new(|_| {}));
        let ram = layout.allocate().expect("there is room");
        let roms = Roms::new(None).expect("there is room");
        let blocks = Arc::new(Blocks::new(&ram, &roms));
        Self { machine: machine.expect("the machine can be built"), blocks, ram }
    }

    fn fill(&self) {
        for number in (0..MEMORY / PAGE as u64).filter(|number| number % 8 != 0) {
            let at = GuestAddress(number * PAGE as u64 + 8);
            self.ram.write_slice(&number.to_be_bytes(), at).expect("it is in RAM");
        }
    }

    fn copy_in(&self, stream: &[u8]) {
        let pages = stream.chunks_exact(PAGE).zip((0..).step_by(PAGE));
        for (page, at) in pages.take((MEMORY / 8 * 7) as usize / PAGE) {
            self.ram.write_slice(page, GuestAddress(at)).expect("it is in RAM");
        }
    }

    fn copy_out(&self) {
        let mut page = [0; PAGE];
        for at in (0..MEMORY).step_by(PAGE) {
            self.ram.read_slice(&mut page, GuestAddress(at)).expect("it is in RAM");
            black_box(&mut page);
        }
    }

    fn save(&self, sink: &mut dyn Write) {
        let progress = Progress::default();
        save(&self.machine, &self.blocks, &RunStateName::PAUSED.into(), sink, &progress)
            .expect("it is taken");
    }

    fn load(&self, mut stream: &[u8]) {
        load(&self.machine, &self.blocks, None, &mut stream, &Progress::default())
            .expect("it fits");
    }

    fn migrate(&self, there: &Self) {
        let (from, to) = UnixStream::pair().expect("there are descriptors");
        let uri: Uri = "fd:pair".parse().expect("it is one");
        let cancel = Cancel::new().expect("there are descriptors");
        let (mut from, mut to) = (Some(from.into()), Some(to.into()));
        let target = uri.target(&mut |_| from.take(), &cancel).expect("it is open");
        let origin = uri.origin(&mut |_| to.take(), &cancel).expect("it is open");
        let leaving = Leaving {
            stop: Box::new(|| Ok(RunStateName::PAUSED.into())),
            go_on: Box::new(|| {}),
            changed: Box::new(|_| {}),
        };
        let arriving =
            Arriving { processors: None, ended: Box::new(|_| {}), changed: Box::new(|_| {}) };
        let receiving =
            Migration::receive(origin, there.machine.clone(), there.blocks.clone(), arriving);
        let sending = Migration::send(target, self.machine.clone(), self.blocks.clone(), leaving);
        for migration in [sending, receiving] {
            let migration = migration.expect("there are threads");
            assert_eq!(migration.wait(Duration::from_secs(60)), Status::Completed);
        }
    }
}

/// Takes everything and keeps nothing.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let (here, there) = (Whole::new(&library), Whole::new(&library));
    here.fill();
    let mut stream = Vec::new();
    here.save(&mut stream);

    let [mut copied_out, mut saved, mut copied_in] = [const { Vec::new() }; 3];
    let [mut loaded, mut migrated] = [const { Vec::new() }; 2];
    for _ in 0..=TURNS {
        copied_out.push(time(|| here.copy_out()));
        saved.push(time(|| here.save(&mut Nowhere)));
        copied_in.push(time(|| there.copy_in(&stream)));
        loaded.push(time(|| there.load(&stream)));
        migrated.push(time(|| here.migrate(&there)));
    }
    let [low, median, high] = ["min", "median", "max"];
    println!("{:<20}{low:>10}{median:>10}{high:>10}", format!("{TURNS} turns, GiB/s"));
    let size = MEMORY as f64 / (1u64 << 30) as f64;
    for (what, times) in [
        ("copied out", copied_out),
        ("saved", saved),
        ("copied in", copied_in),
        ("loaded", loaded),
        ("migrated", migrated),
    ] {
        let spread = Spread::new(times.iter().skip(1).map(|seconds| size / seconds));
        let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
        println!("{what:<20}{low:>10.2}{median:>10.2}{high:>10.2}");
    }
}

/// The seconds something takes.
fn time(what: impl FnOnce()) -> f64 {
    let start = Instant::now();
    what();
    start.elapsed().as_secs_f64()
}

//! The course of the demonstration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::guest::{self, AssembleError, Summary, parse_summary};
use super::report::{Blackouts, Report};
use crate::component::{CodeCache, Engine};
use crate::guest::{Boot, Cause, Guest, Inbox, Outcome, Policy, Setup};
use crate::library::{Library, LibraryError};
use crate::machine::file::{MachineTypes, Parameters};
use crate::machine::{self, Backends, Capture, DeviceRequest, Plan, Stream};
use crate::vm::boot::{Format, Kernel};
use crate::vm::{Image, InterruptController, RamLayout};

const MACHINE: &str = "xenfv-4.2";
const RAM: u64 = 16 << 20;

/// The slot whose device is replaced, and the two builds that take turns.
const SLOT: &str = "pm";
const BUILDS: [&str; 2] = ["piix4-pm+traced", "piix4-pm"];

/// How often the device is replaced, and the pause between: the guest makes a
/// few rounds of checks with each build, and the whole is longer than a period
/// of the PM timer's overflow (2.34 s).
const SWAPS: usize = 200;
const PAUSE: Duration = Duration::from_millis(15);

/// How long the guest may take to get ready, and to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why the demonstration did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The guest's program.
    #[error("the demonstration's program: {0}")]
    Program(#[from] AssembleError),
    /// The components.
    #[error(transparent)]
    Component(#[from] crate::component::Error),
    /// The builds of the device.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The machine.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// The guest.
    #[error(transparent)]
    Guest(#[from] crate::guest::Error),
    /// The host refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
    /// The guest did not say what it should.
    #[error("the guest {what}; its console says:\n{console}")]
    Misbehaved {
        /// What went wrong.
        what: String,
        /// All it said.
        console: String,
    },
}

/// Runs the demonstration. `progress` gets each line that the guest prints and
/// a few of the host's own.
///
/// # Errors
/// The guest could not be started, or did not behave. That the guest found
/// errors is no error here: the report says it.
pub fn run(progress: &mut dyn FnMut(&str)) -> Result<Report, Error> {
    let library = Library::new(Engine::new(CodeCache::of_user().ok())?);
    let builds = BUILDS.map(|name| library.get(name));
    let [traced, plain] = builds;
    let builds = [traced?, plain?];
    let (serial, debug) = (Capture::new(), Capture::new());
    let (guest, inbox) = start(&library, &serial, &debug)?;
    progress(&format!("machine {MACHINE}, every device a WebAssembly component"));

    let runner = thread::Builder::new().name("guest".into());
    let running = guest.clone();
    let runner = runner.spawn(move || running.run(inbox)).map_err(Error::Thread)?;
    let mut console = Console { serial, seen: 0 };
    let silent = |what: &str, console: &Console| Error::Misbehaved {
        what: what.into(),
        console: console.serial.text(),
    };

    let ready = wait(|| {
        console.show(progress);
        runner.is_finished() || debug.bytes().contains(&guest::READY)
    });
    if !ready || runner.is_finished() {
        guest.quit(Cause::Quit);
        return Err(silent("did not get ready", &console));
    }

    progress(&format!("replacing {SLOT} {SWAPS} times under the running guest"));
    let (start, exits) = (Instant::now(), guest.exits());
    let mut blackouts = Vec::with_capacity(SWAPS);
    for build in builds.iter().cycle().take(SWAPS) {
        blackouts.push(guest.machine().swap(SLOT, build)?.blackout);
        thread::sleep(PAUSE);
    }
    let (elapsed, watched) = (start.elapsed(), guest.exits() - exits);

    guest.machine().stream_input("serial0", "data")?.send(&[guest::STOP]);
    wait(|| {
        console.show(progress);
        runner.is_finished()
    });
    guest.quit(Cause::Quit);
    let exits = guest.exits();
    let outcome = runner.join().unwrap_or_else(|_| Outcome::Failed("its thread panicked".into()));
    console.show(progress);
    let summary = console.summary(&outcome).map_err(|what| silent(&what, &console))?;

    let blackouts = Blackouts::new(blackouts);
    let Summary { turns, interrupts, errors, .. } = summary;
    Ok(Report {
        exits,
        accesses_per_second: (watched as f64 / elapsed.as_secs_f64()).round(),
        swaps: blackouts.count(),
        blackout_us_p50: blackouts.median(),
        blackout_us_max: blackouts.longest(),
        turns,
        interrupts,
        guest_errors: errors,
    })
}

fn start(
    library: &Library,
    serial: &Capture,
    debug: &Capture,
) -> Result<(Arc<Guest>, Inbox), Error> {
    let types = MachineTypes::builtin().map_err(machine::Error::from)?;
    let machine_type = types.get(MACHINE).map_err(machine::Error::from)?;
    let requests = ["isa-debug-exit", "isa-debugcon"].map(DeviceRequest::new);
    let parameters = Parameters::new(1, RAM).with_kernel_irqchip();
    let plan = Plan::new(machine_type, &requests, library, parameters)?;
    let streams = [("serial0", serial), ("debugcon", debug)];
    let streams = streams.map(|(name, capture)| (name.into(), Stream::to(capture.clone())));
    let memory = &machine_type.memory;
    let mut kernel = Kernel::new(Image::new("the demonstration's program", guest::image()?));
    kernel.format = Format::Multiboot;
    let setup = Setup {
        cpus: 1,
        ram: RamLayout {
            size: RAM,
            below_4g_limit: memory.max_ram_below_4g,
            below_4g_split: memory.split_at,
        },
        interrupts: InterruptController::Kernel,
        boot: Boot::Kernel(kernel),
        backends: Backends::of_streams(BTreeMap::from(streams)),
    };
    Ok(Guest::start(&plan, Policy::default(), setup)?)
}

/// What the guest prints, line by line.
struct Console {
    serial: Capture,
    seen: usize,
}

impl Console {
    /// Passes on the lines that have been completed since the last time.
    fn show(&mut self, progress: &mut dyn FnMut(&str)) {
        let text = self.serial.text();
        let new = text.get(self.seen..).unwrap_or_default();
        let Some(end) = new.rfind('\n') else { return };
        new[..end].lines().for_each(|line| progress(&format!("  guest: {line}")));
        self.seen += end + 1;
    }

    /// The summary with which the guest ends; else what is wrong.
    fn summary(&self, outcome: &Outcome) -> Result<Summary, String> {
        let text = self.serial.text();
        let summary = text.lines().rev().find_map(parse_summary);
        // The debug exit device doubles what the guest writes and adds one.
        let status = |written: u8| Outcome::Exit(written << 1 | 1);
        let expected = [status(guest::EXIT_CLEAN), status(guest::EXIT_ERRORS)];
        match summary {
            Some(summary) if expected.contains(outcome) => Ok(summary),
            _ => Err(format!("ended with {outcome:?} and without a summary")),
        }
    }
}

/// Waits until something holds. Returns false if that takes too long.
fn wait(mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
    true
}

//! Machines without processors, and a board that remembers what it was told.

#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine, Image, Mode};
use southbridge::library::Library;
use southbridge::machine::file::{CpuPin, MachineTypes, Parameters};
use southbridge::machine::{Backends, Board, Capture, Error, Machine, Plan, Stream};
use southbridge::slot::Status;

use super::zoo;

/// Ports of the counter `first` of [`Rig::counters`].
pub(crate) const COUNT: u16 = 0x600;
pub(crate) const LEVEL: u16 = 0x604;
pub(crate) const TIMER: u16 = 0x608;
pub(crate) const STREAM: u16 = 0x60c;
pub(crate) const WRITES: u16 = 0x614;
/// Ports of the counter `second`.
pub(crate) const SECOND_COUNT: u16 = 0x700;
pub(crate) const SECOND_LEVEL: u16 = 0x704;
pub(crate) const SECOND_TIMER: u16 = 0x708;
pub(crate) const SECOND_EDGES: u16 = 0x710;

/// Something that arrived at the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Gsi(u32, bool),
    Pin(CpuPin, bool),
    Window(usize, Mode),
    /// How many ranges of addresses devices answer among the RAM windows.
    Claims(usize),
}

/// Remembers all that arrives.
#[derive(Default)]
pub(crate) struct Recorder(Mutex<Vec<Arrival>>);

impl Recorder {
    /// What has arrived since the last time.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// Forgets what has arrived, and keeps the room for it.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    fn push(&self, arrival: Arrival) {
        self.0.lock().unwrap().push(arrival);
    }
}

impl Board for Recorder {
    fn set_gsi(&self, gsi: u32, level: bool) {
        self.push(Arrival::Gsi(gsi, level));
    }

    fn set_cpu_pin(&self, pin: CpuPin, level: bool) {
        self.push(Arrival::Pin(pin, level));
    }

    fn set_windows(&self, changes: &[(usize, Mode)]) {
        changes.iter().for_each(|&(window, mode)| self.push(Arrival::Window(window, mode)));
    }

    fn set_claims(&self, claims: &[Range<u64>]) {
        self.push(Arrival::Claims(claims.len()));
    }
}

/// A machine, its board and what its stream said.
pub(crate) struct Rig {
    pub(crate) machine: Arc<Machine>,
    pub(crate) board: Arc<Recorder>,
    pub(crate) said: Capture,
}

impl Rig {
    /// The first machine type of `text` by the name `name`, or one that is in
    /// the program.
    pub(crate) fn try_new(name: &str, text: &str, clock: Clock) -> Result<Self, Error> {
        let mut types = MachineTypes::builtin()?;
        types.load("test.toml", text)?;
        let parameters = Parameters::new(1, 16 << 20).with_kernel_irqchip();
        let plan = Plan::new(types.get(name)?, &[], library(), parameters)?;
        let (board, said) = (Arc::new(Recorder::default()), Capture::new());
        let streams = BTreeMap::from([("said".to_owned(), Stream::to(said.clone()))]);
        let backends = Backends::of_streams(streams);
        let power = Arc::new(|_| {});
        let machine = Machine::build(&plan, Arc::new(clock), board.clone(), &backends, power)?;
        board.take();
        Ok(Self { machine, board, said })
    }

    /// A machine that is in the program, with a clock that moves when told.
    pub(crate) fn of_program(name: &str) -> Self {
        Self::try_new(name, "", Clock::manual()).unwrap()
    }

    /// Two counters at 0x600 and 0x700; `out` of `first` leads to `in` of
    /// `second`, and `out` of that to GSI 5.
    pub(crate) fn counters() -> Self {
        Self::counters_of("first", "first")
    }

    /// As `counters`, of these kinds.
    pub(crate) fn counters_of(first: &str, second: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let text = counters_text(directory.path(), first, second);
        Self::try_new("counters", &text, Clock::manual()).unwrap()
    }

    pub(crate) fn read(&self, port: u16, size: u8) -> u64 {
        self.machine.port_read(port, size, &mut Effects::new())
    }

    pub(crate) fn write(&self, port: u16, size: u8, value: u64) {
        self.machine.port_write(port, size, value, &mut Effects::new());
    }

    /// Reads a PCI configuration register of four bytes.
    pub(crate) fn configuration(&self, address: u32) -> u64 {
        self.write(0xcf8, 4, (0x8000_0000 | address).into());
        self.read(0xcfc, 4)
    }

    /// Writes a PCI configuration register of four bytes.
    pub(crate) fn configure(&self, address: u32, value: u32) {
        self.write(0xcf8, 4, (0x8000_0000 | address).into());
        self.write(0xcfc, 4, value.into());
    }

    pub(crate) fn status(&self, slot: &str) -> Status {
        let mut status = self.machine.status().into_iter();
        status.find(|status| &*status.name == slot).expect("there is such a slot")
    }
}

/// The machine of `Rig::counters`, with its components in files.
pub(crate) fn counters_text(directory: &Path, first: &str, second: &str) -> String {
    let file = |slot: &str, kind: &str| {
        let path = directory.join(format!("{slot}.wasm"));
        std::fs::write(&path, zoo::component(kind)).unwrap();
        path.display().to_string()
    };
    let (first, second) = (file("first", first), file("second", second));
    format!(
        r#"
        [machine.counters]
        description = "Two counters"
        memory = {{ max-ram-below-4g = 0xe0000000, split-at = 0xc0000000 }}

        [machine.counters.device.first]
        component = "{first}"
        grants = ["streams"]
        properties = {{ iobase = 0x600 }}
        wires = {{ out = "second:in" }}
        streams = {{ data = "said" }}

        [machine.counters.device.second]
        component = "{second}"
        grants = ["streams"]
        properties = {{ iobase = 0x700 }}
        wires = {{ out = "gsi:5" }}
        "#
    )
}

/// The components in the program, each compiled once in a test program.
pub(crate) fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(engine().clone()))
}

pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(None).unwrap())
}

/// The image of a kind of counter.
pub(crate) fn image(kind: &str) -> Image {
    engine().load(&zoo::component(kind)).unwrap_or_else(|error| panic!("{kind}: {error}"))
}

//! A machine with a device that may be hostile, and a neighbour that must not notice.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine, GuestRam, Image, Mode, Scope};
use southbridge::library::Library;
use southbridge::machine::file::{CpuPin, MachineTypes, Parameters};
use southbridge::machine::{Backends, Board, DeviceEvent, Error, Machine, Plan};
use southbridge::slot::{FaultRecord, Status};
use tempfile::TempDir;
use vm_memory::{Bytes as _, GuestAddress, GuestMemoryMmap};

use super::device::Device;

/// Ports of the neighbour; those of the hostile device come after them.
pub(crate) const NEIGHBOUR: u16 = 0x600;
pub(crate) const HOSTILE: u16 = 0x700;

/// Bytes of the guest's memory.
pub(crate) const RAM: usize = 1 << 20;

/// Accesses that the neighbour must see before and after.
const ACCESSES: u64 = 1000;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(120);

/// A board with memory, all of it `0xa5`.
pub(crate) struct Memory {
    ram: GuestMemoryMmap,
    /// The interrupts that came as messages.
    messages: Mutex<Vec<(u64, u32)>>,
}

impl Memory {
    fn new() -> Self {
        let ram = GuestMemoryMmap::from_ranges(&[(GuestAddress(0), RAM)]).unwrap();
        ram.write_slice(&vec![0xa5; RAM], GuestAddress(0)).unwrap();
        Self { ram, messages: Mutex::default() }
    }

    /// The first and the last byte that have changed.
    pub(crate) fn changed(&self) -> Option<(usize, usize)> {
        let mut bytes = vec![0; RAM];
        self.ram.read_slice(&mut bytes, GuestAddress(0)).unwrap();
        let changed = |byte: &u8| *byte != 0xa5;
        bytes.iter().position(changed).zip(bytes.iter().rposition(changed))
    }

    pub(crate) fn messages(&self) -> Vec<(u64, u32)> {
        self.messages.lock().unwrap().clone()
    }
}

impl Board for Memory {
    fn ram(&self) -> GuestRam {
        GuestRam::new(self.ram.clone())
    }

    fn set_gsi(&self, _: u32, _: bool) {}

    fn set_cpu_pin(&self, _: CpuPin, _: bool) {}

    fn set_windows(&self, _: &[(usize, Mode)]) {}

    fn set_claims(&self, _: &[Range<u64>]) {}

    fn send_message(&self, address: u64, data: u32) {
        self.messages.lock().unwrap().push((address, data));
    }
}

/// The machine.
pub(crate) struct Ground {
    pub(crate) machine: Arc<Machine>,
    pub(crate) memory: Arc<Memory>,
    told: Arc<Mutex<Vec<Arc<FaultRecord>>>>,
    _directory: TempDir,
}

impl Ground {
    pub(crate) fn new(hostile: &[u8]) -> Self {
        Self::try_new(hostile).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_new(hostile: &[u8]) -> Result<Self, Error> {
        Self::of_library(hostile, library())
    }

    pub(crate) fn of_library(hostile: &[u8], library: &Library) -> Result<Self, Error> {
        Self::build(hostile, "all", library)
    }

    /// With a hostile device that reaches a part of the guest's memory.
    pub(crate) fn with_window(hostile: &[u8], window: &str) -> Self {
        Self::build(hostile, window, library()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn build(hostile: &[u8], window: &str, library: &Library) -> Result<Self, Error> {
        let directory = tempfile::tempdir().unwrap();
        let base = "memory = { max-ram-below-4g = 0xe0000000, split-at = 0xc0000000 }";
        let text = machine_file(directory.path(), base, hostile, window);
        let mut types = MachineTypes::builtin()?;
        types.load("test.toml", &text)?;
        let parameters = Parameters::new(1, 16 << 20).with_kernel_irqchip();
        let plan = Plan::new(types.get("ground")?, &[], library, parameters)?;
        let (memory, clock) = (Arc::new(Memory::new()), Arc::new(Clock::manual()));
        let backends = Backends::of_streams(BTreeMap::new());
        let power = Arc::new(|_| {});
        let machine = Machine::build(&plan, clock, memory.clone(), &backends, power)?;

        let told = Arc::<Mutex<Vec<_>>>::default();
        let noted = told.clone();
        machine.listen(Arc::new(move |event| {
            if let DeviceEvent::Faulted(record) = event {
                noted.lock().unwrap().push(record.clone());
            }
        }));
        Ok(Self { machine, memory, told, _directory: directory })
    }

    pub(crate) fn read(&self, port: u16) -> u64 {
        self.machine.port_read(port, 4, &mut Effects::new())
    }

    pub(crate) fn write(&self, port: u16, value: u64) {
        self.machine.port_write(port, 4, value, &mut Effects::new());
    }

    pub(crate) fn status(&self) -> Status {
        let mut status = self.machine.status().into_iter();
        status.find(|status| &*status.name == "hostile").expect("there is such a slot")
    }

    /// The faults that were told.
    pub(crate) fn told(&self) -> Vec<Arc<FaultRecord>> {
        self.told.lock().unwrap().clone()
    }

    /// Has the host call an export of the hostile device.
    pub(crate) fn provoke(&self, export: &str) {
        match export {
            "reset" => {
                self.write(HOSTILE + 12, 1);
                self.machine.reset();
            }
            "io-read" => drop(self.read(HOSTILE)),
            "io-write" => self.write(HOSTILE, 1),
            "line-changed" => {
                self.write(HOSTILE + 12, 1);
                self.write(NEIGHBOUR + 4, 1);
                self.write(NEIGHBOUR + 4, 0);
            }
            "timer-expired" => {
                self.write(HOSTILE + 8, 5);
                self.machine.advance(10, &mut Effects::new());
            }
            "save" => drop(self.machine.save(Scope::Whole)),
            _ => panic!("a machine that runs does not call {export}"),
        }
    }

    /// Checks that the device in the slot answers.
    pub(crate) fn check_service(&self, name: &str) {
        self.write(HOSTILE + 12, 0x1234_5678);
        assert_eq!(self.read(HOSTILE + 12), 0x1234_5678, "{name}: the device is out of service");
    }

    /// Does something while a guest uses the neighbour without pause.
    pub(crate) fn beside_neighbour(&self, name: &str, what: impl FnOnce()) {
        let neighbour = Neighbour::start(self.machine.clone());
        let before = neighbour.wait_for(ACCESSES);
        let start = Instant::now();
        what();
        let during = neighbour.count() - before;
        let took = start.elapsed();
        neighbour.wait_for(before + during + ACCESSES);
        neighbour.stop();
        let rate = during as f64 / took.as_secs_f64();
        println!("{name}: {during} accesses of the neighbour in {took:.1?}, {rate:.0} a second");
    }
}

/// A guest that writes and reads a register of the neighbour.
struct Neighbour {
    end: Arc<AtomicBool>,
    accesses: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Neighbour {
    fn start(machine: Arc<Machine>) -> Self {
        let (end, accesses) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (asked, count) = (end.clone(), accesses.clone());
        let thread = std::thread::spawn(move || {
            let mut effects = Effects::new();
            let mut value = 0;
            while !asked.load(Ordering::Relaxed) {
                value = (value + 1) & u64::from(u32::MAX);
                machine.port_write(NEIGHBOUR + 12, 4, value, &mut effects);
                assert_eq!(machine.port_read(NEIGHBOUR + 12, 4, &mut effects), value);
                count.fetch_add(2, Ordering::Relaxed);
            }
        });
        Self { end, accesses, thread }
    }

    fn count(&self) -> u64 {
        self.accesses.load(Ordering::Relaxed)
    }

    /// Waits until there were so many accesses, and returns how many.
    fn wait_for(&self, accesses: u64) -> u64 {
        let start = Instant::now();
        while self.count() < accesses {
            assert!(!self.thread.is_finished(), "an access has gone wrong");
            assert!(start.elapsed() < PATIENCE, "the neighbour stands still");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.count()
    }

    fn stop(self) {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().expect("all accesses were right");
    }
}

/// A machine file with the machine `ground`: what `base` says, the neighbour, and the hostile
/// device, which reaches a window of the guest's memory; with the components in a directory.
pub(crate) fn machine_file(directory: &Path, base: &str, hostile: &[u8], window: &str) -> String {
    let file = |name: &str, component: &[u8]| {
        let path = directory.join(name);
        std::fs::write(&path, component).unwrap();
        path.display().to_string()
    };
    let neighbour = file("neighbour.wasm", &Device::good(NEIGHBOUR).component());
    let hostile = file("hostile.wasm", hostile);
    format!(
        r#"
        [machine.ground]
        description = "A device and its neighbour"
        {base}

        [machine.ground.device.neighbour]
        component = "{neighbour}"
        wires = {{ out = "hostile:in" }}

        [machine.ground.device.hostile]
        component = "{hostile}"
        grants = ["streams", "dma:{window}", "pci-bus"]
        wires = {{ out = "gsi:5" }}
        limits = {{ timers = 1000, interrupts = 1000, table-elements = 100 }}
        "#
    )
}

pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::new(None).unwrap())
}

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(engine().clone()))
}

/// A device that behaves, in the place of the hostile one.
pub(crate) fn good() -> Device {
    Device::good(HOSTILE)
}

/// Its image.
pub(crate) fn good_image() -> Image {
    engine().load(&good().component()).unwrap()
}

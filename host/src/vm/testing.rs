//! What this room's tests share: a door that records, and machines that run
//! guests assembled in the tests.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use iced_x86::code_asm::CodeAssembler;

use super::boot::{self, Entry, Kernel};
use super::sync::lock;
use super::{
    Config, Door, Image, InterruptController, Listener, Memory, Platform, RamLayout, RamWindow,
    Rom, Vm, VmEvent,
};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) const MIB: u64 = 1 << 20;

/// Where flat test guests are loaded.
pub(super) const CODE: u64 = Kernel::FLAT_ADDRESS as u64;

/// Whether tests that need KVM are to be left out. Without this wish a missing
/// `/dev/kvm` fails them.
pub(super) fn no_kvm() -> bool {
    std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1")
}

/// Assembles a guest that is loaded at `address`.
pub(super) fn assemble(
    bits: u32,
    address: u64,
    code: impl FnOnce(&mut CodeAssembler) -> Result<(), iced_x86::IcedError>,
) -> Vec<u8> {
    let mut assembler = CodeAssembler::new(bits).expect("bits are 16, 32 or 64");
    code(&mut assembler).expect("the instructions exist");
    assembler.assemble(address).expect("the guest is valid")
}

/// One access that reached the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    PortRead(u16, usize),
    PortWrite(u16, Vec<u8>),
    MemoryRead(u64, usize),
    MemoryWrite(u64, Vec<u8>),
}

/// A call the test makes during each port write.
type OnPortWrite = Box<dyn Fn(u16, &[u8]) + Send>;

/// A door that records all accesses; reads get the bytes 0x11, 0x22, ... in
/// order.
#[derive(Default)]
pub(super) struct Recorder {
    accesses: Mutex<Vec<Seen>>,
    events: Mutex<Vec<VmEvent>>,
    changed: Condvar,
    on_port_write: Mutex<Option<OnPortWrite>>,
    threads: Mutex<usize>,
}

impl Recorder {
    fn record(&self, access: Seen) {
        lock(&self.accesses).push(access);
        self.changed.notify_all();
    }

    pub(super) fn accesses(&self) -> Vec<Seen> {
        lock(&self.accesses).clone()
    }

    pub(super) fn threads(&self) -> usize {
        *lock(&self.threads)
    }

    pub(super) fn on_port_write(&self, call: impl Fn(u16, &[u8]) + Send + 'static) {
        *lock(&self.on_port_write) = Some(Box::new(call));
    }

    /// Waits until `done` of the accesses.
    pub(super) fn wait_for(&self, done: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        wait_until(&self.accesses, &self.changed, |accesses| done(accesses)).clone()
    }

    /// Waits for `count` writes to `port`; returns what was written.
    pub(super) fn wait_for_writes(&self, port: u16, count: usize) -> Vec<Vec<u8>> {
        let writes = |accesses: &[Seen]| -> Vec<Vec<u8>> {
            let written = |access: &Seen| match access {
                Seen::PortWrite(p, data) if *p == port => Some(data.clone()),
                _ => None,
            };
            accesses.iter().filter_map(written).collect()
        };
        writes(&self.wait_for(|accesses| writes(accesses).len() >= count))
    }

    /// Waits for the next event.
    pub(super) fn wait_for_event(&self) -> VmEvent {
        wait_until(&self.events, &self.changed, |events| !events.is_empty()).remove(0)
    }
}

fn wait_until<'a, T: std::fmt::Debug>(
    mutex: &'a Mutex<T>,
    condition: &Condvar,
    done: impl Fn(&T) -> bool,
) -> std::sync::MutexGuard<'a, T> {
    let deadline = Instant::now() + PATIENCE;
    let mut guard = lock(mutex);
    while !done(&guard) {
        let now = Instant::now();
        assert!(now < deadline, "waited in vain; so far {guard:x?}");
        // Short waits: one condition serves several mutexes.
        let (next, _) =
            condition.wait_timeout(guard, Duration::from_millis(5)).expect("no holder panics");
        guard = next;
    }
    guard
}

fn fill(data: &mut [u8]) {
    for (byte, value) in data.iter_mut().zip((0x11..).step_by(0x11)) {
        *byte = value;
    }
}

impl Door for Recorder {
    fn port_read(&self, port: u16, data: &mut [u8]) {
        fill(data);
        self.record(Seen::PortRead(port, data.len()));
    }

    fn port_write(&self, port: u16, data: &[u8]) {
        if let Some(call) = &*lock(&self.on_port_write) {
            call(port, data);
        }
        self.record(Seen::PortWrite(port, data.to_vec()));
    }

    fn memory_read(&self, address: u64, data: &mut [u8]) {
        fill(data);
        self.record(Seen::MemoryRead(address, data.len()));
    }

    fn memory_write(&self, address: u64, data: &[u8]) {
        self.record(Seen::MemoryWrite(address, data.to_vec()));
    }

    fn thread_started(&self) {
        *lock(&self.threads) += 1;
    }
}

/// A machine with 4 MiB of RAM, one processor, no windows, no ROM and no
/// interrupt controllers.
pub(super) fn config() -> Config {
    Config {
        cpus: 1,
        ram: ram(4 * MIB),
        windows: Vec::new(),
        rom: None,
        interrupts: InterruptController::None,
    }
}

pub(super) fn ram(size: u64) -> RamLayout {
    RamLayout { size, below_4g_limit: 0xe000_0000, below_4g_split: 0xc000_0000 }
}

/// The same, with the kernel's interrupt controllers and `cpus` processors.
pub(super) fn config_smp(cpus: usize) -> Config {
    Config { cpus, interrupts: InterruptController::Kernel, ..config() }
}

/// The windows of a PC: video memory, twelve of 16 KiB, the BIOS.
pub(super) fn pc_windows() -> Vec<RamWindow> {
    let small = (0xc_0000..0xf_0000).step_by(0x4000).map(|base| (base, 0x4000));
    [(0xa_0000, 0x2_0000)]
        .into_iter()
        .chain(small)
        .chain([(0xf_0000, 0x1_0000)])
        .map(|(base, size)| RamWindow { base, size })
        .collect()
}

/// A ROM of 128 KiB with `code` at f000:0000 and a reset vector that jumps
/// there.
pub(super) fn rom(code: &[u8]) -> Rom {
    let mut image = vec![0xff; 0x2_0000];
    image[0x1_0000..][..code.len()].copy_from_slice(code);
    // jmp far f000:0000
    image[0x1_fff0..][..5].copy_from_slice(&[0xea, 0x00, 0x00, 0x00, 0xf0]);
    Rom::new(Image::new("test rom", image)).expect("the size is right")
}

/// A machine whose door records.
pub(super) struct Machine {
    pub(super) vm: Vm,
    pub(super) door: Arc<Recorder>,
}

impl Machine {
    /// A machine that is paused at power-on.
    pub(super) fn new(config: &Config) -> Self {
        let platform = Platform::new(config).expect("KVM makes machines");
        let door = Arc::new(Recorder::default());
        let events = door.clone();
        let listener: Listener = Arc::new(move |event| {
            lock(&events.events).push(event);
            events.changed.notify_all();
        });
        let vm = Vm::start(platform, door.clone(), listener).expect("the machine starts");
        Self { vm, door }
    }

    /// Resets the machine to `entry` and lets it run.
    pub(super) fn run(&self, entry: &Entry) {
        self.vm.reset(entry).expect("the machine is paused");
        self.vm.resume();
    }

    /// A machine that runs 32-bit code loaded at [`CODE`].
    pub(super) fn running(config: &Config, code: Vec<u8>) -> Self {
        let machine = Self::new(config);
        machine.run(&load_flat(machine.vm.memory(), code));
        machine
    }
}

pub(super) fn load_flat(memory: &Memory, code: Vec<u8>) -> Entry {
    let kernel = Kernel { format: boot::Format::Flat, ..Kernel::new(Image::new("guest", code)) };
    boot::load(&kernel, memory, &()).expect("the guest fits")
}

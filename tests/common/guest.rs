//! Small guests, assembled here, and machines that run them on KVM.

#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use iced_x86::IcedError;
use iced_x86::code_asm::{CodeAssembler, al, ax, dx, eax};
use southbridge::component::Engine;
use southbridge::guest::{Boot, Cause, Guest, Outcome, Policy, Setup};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Backends, Capture, DeviceRequest, Plan, Stream};
use southbridge::vm::boot::{Format, Kernel};
use southbridge::vm::{Image, InterruptController, RamLayout, Rom};

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where flat guests are loaded.
pub(crate) const CODE: u32 = Kernel::FLAT_ADDRESS;

/// Size of the firmware: what the recordings' machines had, too.
const FIRMWARE: usize = 64 << 10;

/// Whether tests that need KVM are to be left out. Without this wish a missing
/// `/dev/kvm` fails them.
pub(crate) fn no_kvm() -> bool {
    std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1")
}

/// Instructions of a guest.
pub(crate) type Assembled = Result<(), IcedError>;

/// Assembles code that is to run at `address`.
pub(crate) fn assemble(
    bits: u32,
    address: u32,
    code: impl FnOnce(&mut CodeAssembler) -> Assembled,
) -> Vec<u8> {
    let mut assembler = CodeAssembler::new(bits).expect("bits are 16, 32 or 64");
    code(&mut assembler).expect("the instructions exist");
    assembler.assemble(address.into()).expect("the guest is valid")
}

/// Firmware with parts at offsets in the segment 0xf000; it starts at offset 0,
/// in real mode.
pub(crate) fn firmware(parts: &[(usize, Vec<u8>)]) -> Boot {
    let mut image = vec![0; FIRMWARE];
    // The processor starts 16 bytes before the end.
    let reset = assemble(16, 0xfff0, |a| a.jmp_far(0xf000, 0));
    let all = parts.iter().map(|(at, code)| (*at, code)).chain([(0xfff0, &reset)]);
    let mut end = 0;
    for (at, code) in all {
        assert!(at >= end, "the parts overlap at {at:#x}");
        end = at + code.len();
        image[at..end].copy_from_slice(code);
    }
    Boot::Firmware(Rom::new(Image::new("firmware", image)).expect("the size is right"))
}

/// Firmware of one part.
pub(crate) fn small_firmware(code: impl FnOnce(&mut CodeAssembler) -> Assembled) -> Boot {
    firmware(&[(0, assemble(16, 0, code))])
}

/// A kernel without a format, in 32-bit protected mode.
pub(crate) fn flat(code: impl FnOnce(&mut CodeAssembler) -> Assembled) -> Boot {
    kernel(Format::Flat, assemble(32, CODE, code))
}

/// A kernel.
pub(crate) fn kernel(format: Format, image: Vec<u8>) -> Boot {
    Boot::Kernel(Kernel { format, ..Kernel::new(Image::new("guest", image)) })
}

/// Writes a byte to a port. Changes `ax` and `dx`.
pub(crate) fn out8(a: &mut CodeAssembler, port: u16, value: u8) -> Assembled {
    a.mov(dx, u32::from(port))?;
    a.mov(al, u32::from(value))?;
    a.out(dx, al)
}

/// Writes 16 bits to a port. Changes `ax` and `dx`.
pub(crate) fn out16(a: &mut CodeAssembler, port: u16, value: u16) -> Assembled {
    a.mov(dx, u32::from(port))?;
    a.mov(ax, u32::from(value))?;
    a.out(dx, ax)
}

/// Writes 32 bits to a port. Changes `eax` and `dx`.
pub(crate) fn out32(a: &mut CodeAssembler, port: u16, value: u32) -> Assembled {
    a.mov(dx, u32::from(port))?;
    a.mov(eax, value)?;
    a.out(dx, eax)
}

/// Sends `al` to the debug console. Changes `dx`.
pub(crate) fn print_al(a: &mut CodeAssembler) -> Assembled {
    a.mov(dx, 0x402)?;
    a.out(dx, al)
}

/// Sends a byte to the debug console. Changes `ax` and `dx`.
pub(crate) fn print(a: &mut CodeAssembler, byte: u8) -> Assembled {
    a.mov(al, u32::from(byte))?;
    print_al(a)
}

/// Points the configuration address register to a register of a function of bus
/// 0: slot and function as in `0x0b`. Changes `eax` and `dx`.
pub(crate) fn select(a: &mut CodeAssembler, devfn: u8, register: u8) -> Assembled {
    let address = 0x8000_0000 | u32::from(devfn) << 8 | u32::from(register & !3);
    out32(a, 0xcf8, address)
}

/// Writes a byte of configuration space. Changes `eax` and `dx`.
pub(crate) fn configure8(a: &mut CodeAssembler, devfn: u8, register: u8, value: u8) -> Assembled {
    select(a, devfn, register)?;
    out8(a, 0xcfc + u16::from(register & 3), value)
}

/// Writes 32 bits of configuration space. Changes `eax` and `dx`.
pub(crate) fn configure32(a: &mut CodeAssembler, devfn: u8, register: u8, value: u32) -> Assembled {
    select(a, devfn, register)?;
    out32(a, 0xcfc, value)
}

/// Gives the power management registers their place at 0xb000, as firmware
/// does. Changes `eax` and `dx`.
pub(crate) fn enable_pm(a: &mut CodeAssembler) -> Assembled {
    configure32(a, 0x0b, 0x40, 0xb001)?;
    configure8(a, 0x0b, 0x80, 1)
}

/// Ends the guest with [`Outcome::Exit`]`(value << 1 | 1)`, and waits for that.
pub(crate) fn exit(a: &mut CodeAssembler, value: u8) -> Assembled {
    out8(a, 0xf4, value)?;
    stop(a)
}

/// What the exit of that value is.
pub(crate) const fn exited(value: u8) -> Outcome {
    Outcome::Exit(value << 1 | 1)
}

/// Waits for ever.
pub(crate) fn stop(a: &mut CodeAssembler) -> Assembled {
    let mut again = a.create_label();
    a.set_label(&mut again)?;
    a.hlt()?;
    a.jmp(again)
}

/// What a guest runs on.
pub(crate) struct Config {
    pub(crate) machine_type: &'static str,
    pub(crate) cpus: u32,
    pub(crate) interrupts: InterruptController,
    /// Optional devices besides debug console and debug exit.
    pub(crate) devices: Vec<&'static str>,
    /// A machine file besides those in the program.
    pub(crate) file: String,
}

impl Default for Config {
    fn default() -> Self {
        let (machine_type, devices) = ("pc", Vec::new());
        let (interrupts, file) = (InterruptController::Kernel, String::new());
        Self { machine_type, cpus: 1, interrupts, devices, file }
    }
}

/// A guest that runs on a thread of its own.
pub(crate) struct Running {
    pub(crate) guest: Arc<Guest>,
    /// What it sent to the debug console.
    pub(crate) console: Capture,
    /// What it sent to the platform device's log.
    pub(crate) xen_log: Capture,
    outcome: Receiver<Outcome>,
}

impl Running {
    /// A guest on the machine `pc`.
    pub(crate) fn new(boot: Boot) -> Self {
        Self::with(Config::default(), boot)
    }

    pub(crate) fn with(config: Config, boot: Boot) -> Self {
        const RAM: u64 = 16 << 20;
        let Config { machine_type, cpus, interrupts, devices, file } = config;
        let mut types = MachineTypes::builtin().expect("the built-in machine files are right");
        types.load("test.toml", &file).expect("the machine file is right");
        let machine_type = types.get(machine_type).expect("the machine type is there");
        let devices = devices.into_iter().chain(["isa-debugcon", "isa-debug-exit"]);
        let requests: Vec<_> = devices.map(DeviceRequest::new).collect();
        let parameters = Parameters::new(cpus, RAM).with_kernel_irqchip();
        let plan = Plan::new(machine_type, &requests, library(), parameters);
        let plan = plan.expect("the machine fits together");
        let (console, xen_log) = (Capture::new(), Capture::new());
        let memory = &machine_type.memory;
        let ram = RamLayout {
            size: RAM,
            below_4g_limit: memory.max_ram_below_4g,
            below_4g_split: memory.split_at,
        };
        let streams = [("debugcon", &console), ("xen-platform-log", &xen_log)];
        let streams = streams.map(|(name, said)| (name.to_owned(), Stream::to(said.clone())));
        let setup = Setup {
            cpus,
            ram,
            interrupts,
            boot,
            backends: Backends::of_streams(BTreeMap::from(streams)),
        };
        let (guest, inbox) = Guest::start(&plan, Policy::default(), setup)
            .unwrap_or_else(|error| panic!("{error}; SOUTHBRIDGE_NO_KVM=1 leaves this test out"));
        let (send, outcome) = channel();
        let running = guest.clone();
        std::thread::spawn(move || {
            // The test may have failed and gone.
            let _ = send.send(running.run(inbox));
        });
        Self { guest, console, xen_log, outcome }
    }

    /// Waits for the guest's end.
    ///
    /// # Panics
    /// It does not end.
    pub(crate) fn outcome(&self) -> Outcome {
        let outcome = self.outcome.recv_timeout(PATIENCE);
        outcome.unwrap_or_else(|_| panic!("the guest runs on; it said {:?}", self.console.text()))
    }

    /// Waits until the guest has sent this to the debug console.
    ///
    /// # Panics
    /// It does not.
    pub(crate) fn wait_for(&self, text: &str) {
        self.wait_until(text, || self.console.text().contains(text));
    }

    /// Waits until `done`.
    ///
    /// # Panics
    /// That takes too long.
    pub(crate) fn wait_until(&self, what: &str, done: impl Fn() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !done() {
            let said = self.console.text();
            assert!(
                Instant::now() < deadline,
                "waited for {what} in vain; the guest said {said:?}"
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.guest.quit(Cause::Quit);
    }
}

/// The components in the program, each compiled once in a test program.
fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(Engine::new(None).expect("the engine starts")))
}

//! A whole exit beside QEMU: both start the same firmware, which gives the
//! power management device its ports and reads its timer many times.
//!
//! A run with few reads is taken from one with many, so that starting and
//! ending do not count. Without QEMU there is nothing to compare.

mod common {
    pub(crate) mod plan;
    pub(crate) mod spread;
}

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use iced_x86::IcedError;
use iced_x86::code_asm::*;
use southbridge::component::Engine;
use southbridge::guest::{Boot, Guest, Outcome, Policy, Setup};
use southbridge::library::Library;
use southbridge::machine::Backends;
use southbridge::vm::{Image, InterruptController, RamLayout, Rom};

use common::plan::{PM_BASE, PM_TIMER, RAM_SIZE, plan};
use common::spread::Spread;

const QEMU: &str = "qemu-system-x86_64";

/// Rounds of reads in a short and in a long run.
const ROUNDS: [u16; 2] = [1, 5];

/// Reads in a round.
const READS: u16 = 10_000;

const PAIRS: usize = 11;

/// What the guest writes to the debug exit port, and what its machine ends with.
const STATUS: u8 = 0x10;
const EXIT: u8 = 2 * STATUS + 1;

fn main() -> ExitCode {
    let version = Command::new(QEMU).arg("--version").output();
    let Ok(version) = version else {
        println!("{QEMU} is not installed: nothing to compare with");
        return ExitCode::SUCCESS;
    };
    let version = String::from_utf8_lossy(&version.stdout);
    println!("{}", version.lines().next().unwrap_or_default());

    let directory = tempfile::tempdir().expect("there is room for a directory");
    let firmware = ROUNDS.map(|rounds| {
        let image = firmware(rounds).expect("the guest is fixed");
        let path = directory.path().join(format!("{rounds}.bin"));
        std::fs::write(&path, &image).expect("there is room for a file");
        (image, path)
    });
    let [(short, short_file), (long, long_file)] = &firmware;

    let library = Library::new(Engine::new(None).expect("the compiler knows this processor"));
    let pair = |_| {
        let ours = an_exit(on_southbridge(&library, short), on_southbridge(&library, long));
        let theirs = an_exit(on_qemu(short_file), on_qemu(long_file));
        (ours, theirs)
    };
    let pairs: Vec<(f64, f64)> = (0..PAIRS).map(pair).collect();
    let head = format!("{PAIRS} pairs");
    println!("{head:<25}{:>10}{:>10}{:>10}", "min", "median", "max");
    print("Southbridge, ns an exit", 0, pairs.iter().map(|(ours, _)| *ours));
    print("QEMU, ns an exit", 0, pairs.iter().map(|(_, theirs)| *theirs));
    print("Southbridge to QEMU", 3, pairs.iter().map(|(ours, theirs)| ours / theirs));
    ExitCode::SUCCESS
}

fn print(what: &str, digits: usize, values: impl Iterator<Item = f64>) {
    let spread = Spread::new(values);
    let [low, median, high] = [0.0, 0.5, 1.0].map(|share| spread.at(share));
    println!("{what:<25}{low:>10.digits$}{median:>10.digits$}{high:>10.digits$}");
}

/// Nanoseconds of one exit, from a short and a long run.
fn an_exit(short: Duration, long: Duration) -> f64 {
    let exits = f64::from(ROUNDS[1] - ROUNDS[0]) * f64::from(READS);
    (long.as_secs_f64() - short.as_secs_f64()) * 1e9 / exits
}

fn on_southbridge(library: &Library, firmware: &[u8]) -> Duration {
    let plan = plan(library);
    let start = Instant::now();
    let image = Image::new("firmware", firmware.to_vec());
    let setup = Setup {
        cpus: 1,
        ram: RamLayout { size: RAM_SIZE, below_4g_limit: 0xe000_0000, below_4g_split: 0xc000_0000 },
        interrupts: InterruptController::Kernel,
        boot: Boot::Firmware(Rom::new(image).expect("its size is right")),
        backends: Backends::default(),
    };
    let (guest, inbox) = Guest::start(&plan, Policy::default(), setup).expect("KVM is there");
    assert_eq!(guest.run(inbox), Outcome::Exit(EXIT));
    start.elapsed()
}

fn on_qemu(firmware: &Path) -> Duration {
    let start = Instant::now();
    let ended = Command::new(QEMU)
        .args(["-accel", "kvm", "-machine", "pc-i440fx-7.2", "-m", "4", "-nodefaults"])
        .args(["-display", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=4", "-bios"])
        .arg(firmware)
        .stdin(Stdio::null())
        .output()
        .expect("it has started before");
    let time = start.elapsed();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(EXIT.into()), "QEMU does not run the guest: {said}");
    time
}

/// A ROM of 64 KiB that makes `rounds` times [`READS`] reads.
fn firmware(rounds: u16) -> Result<Vec<u8>, IcedError> {
    let mut a = CodeAssembler::new(16)?;
    let (mut round, mut read) = (a.create_label(), a.create_label());
    // PMBA, and PMIOSE in PMREGMISC, of the function at 00:01.3.
    for (register, value) in [(0x40, u32::from(PM_BASE) | 1), (0x80, 1)] {
        for (port, value) in [(0xcf8, 0x8000_0b00 | register), (0xcfc, value)] {
            a.mov(dx, port)?;
            a.mov(eax, value)?;
            a.out(dx, eax)?;
        }
    }
    a.mov(dx, u32::from(PM_TIMER))?;
    a.mov(bx, u32::from(rounds))?;
    a.set_label(&mut round)?;
    a.mov(cx, u32::from(READS))?;
    a.set_label(&mut read)?;
    a.in_(eax, dx)?;
    a.loop_(read)?;
    a.dec(bx)?;
    a.jnz(round)?;
    a.mov(al, u32::from(STATUS))?;
    a.out(0xf4, al)?;
    a.hlt()?;
    let code = a.assemble(0)?;

    let mut image = vec![0xff; 64 << 10];
    image[..code.len()].copy_from_slice(&code);
    // The reset vector: jmp far f000:0000.
    image[0xfff0..][..5].copy_from_slice(&[0xea, 0x00, 0x00, 0x00, 0xf0]);
    Ok(image)
}

//! Guests that boot, beside QEMU, with the same command line and the same images:
//! how long it takes to the first instruction, to the firmware's "No bootable device",
//! and to the end of GRUB's script; how much memory the process has besides the
//! guest's; and how fast a guest reads a disk by DMA. They take turns.
//!
//! Without QEMU there is nothing to compare.

mod common {
    pub(crate) mod booted;
    pub(crate) mod disk_reader;
    pub(crate) mod pairs;
    pub(crate) mod spread;
}

#[allow(dead_code, reason = "the tests use the other images")]
#[path = "../tests/firmware/images/mod.rs"]
mod images;

use std::process::{Command, ExitCode};
use std::time::Instant;

use common::booted::Booted;
use common::disk_reader::{self, MARKS, REQUEST, REQUESTS};
use common::pairs::compare;
use iced_x86::code_asm::*;

const OURS: &str = env!("CARGO_BIN_EXE_southbridge");
const QEMU: &str = "qemu-system-x86_64";

/// How often each is measured: what takes milliseconds, and what takes seconds.
const QUICK: usize = 21;
const SLOW: usize = 5;

/// Both run the firmware of QEMU's package.
const FIRMWARE: [&str; 2] = ["-bios", "/usr/share/seabios/bios-256k.bin"];

/// What firmware says in the end if there is nothing to boot.
const NOTHING: &str = "No bootable device.";

fn main() -> ExitCode {
    let Ok(version) = Command::new(QEMU).arg("--version").output() else {
        println!("{QEMU} is not installed: nothing to compare with");
        return ExitCode::SUCCESS;
    };
    let version = String::from_utf8_lossy(&version.stdout);
    println!("{}", version.lines().next().unwrap_or_default());

    let one = one_instruction();
    // Fills the code cache and the page cache.
    for program in [OURS, QEMU] {
        first_instruction(program, &one);
    }
    let both = |what: &str, pairs, measure: &dyn Fn(&str) -> f64| {
        compare(what, pairs, || measure(OURS), || measure(QEMU));
    };
    both("start to first instruction, ms", QUICK, &|program| first_instruction(program, &one));
    both("start to \"No bootable device\", s", SLOW, &nothing_to_boot);
    both("memory beyond the guest's, MB", SLOW, &resident);
    let disk = images::disk::with_grub();
    both("start to GRUB's power-off, s", SLOW, &|program| grub(program, &disk));
    let disk = disk_reader::disk();
    both("reads of 1 MiB by DMA, MB/s", SLOW, &|program| disk_reads(program, &disk));
    ExitCode::SUCCESS
}

/// Firmware that shows at once that it runs.
fn one_instruction() -> Vec<u8> {
    let mut assembler = CodeAssembler::new(16).expect("bits are 16");
    let mut code = || {
        assembler.mov(dx, 0x402)?;
        assembler.out(dx, al)?;
        assembler.hlt()
    };
    code().expect("the instructions exist");
    let code = assembler.assemble(0xfff0).expect("the code is valid");
    let mut rom = vec![0; 0x1_0000];
    rom[0xfff0..][..code.len()].copy_from_slice(&code);
    rom
}

fn first_instruction(program: &str, rom: &[u8]) -> f64 {
    let start = Instant::now();
    let mut booted = Booted::start(program, &["-bios", "rom"], &[("rom", rom)]);
    // `al` is 0 at reset.
    booted.wait_for("\0");
    start.elapsed().as_secs_f64() * 1e3
}

fn nothing_to_boot(program: &str) -> f64 {
    let start = Instant::now();
    Booted::start(program, &FIRMWARE, &[]).wait_for(NOTHING);
    start.elapsed().as_secs_f64()
}

fn resident(program: &str) -> f64 {
    let mut booted = Booted::start(program, &FIRMWARE, &[]);
    booted.wait_for(NOTHING);
    booted.resident()
}

/// With a disk besides the firmware.
fn with_disk(program: &str, disk: &[u8]) -> Booted {
    let drive = ["-drive", "file=disk,format=raw,if=ide"];
    Booted::start(program, &[FIRMWARE, drive].concat(), &[("disk", disk)])
}

fn grub(program: &str, disk: &[u8]) -> f64 {
    let start = Instant::now();
    with_disk(program, disk).end();
    start.elapsed().as_secs_f64()
}

fn disk_reads(program: &str, disk: &[u8]) -> f64 {
    let mut booted = with_disk(program, disk);
    booted.wait_for(MARKS[0]);
    let start = Instant::now();
    booted.wait_for(MARKS[1]);
    let bytes = f64::from(REQUESTS) * f64::from(REQUEST);
    bytes / start.elapsed().as_secs_f64() / 1e6
}

//! A host that is killed at any moment leaves an image with every flushed write.

use std::fs::File;
use std::thread;
use std::time::{Duration, Instant};

use iced_x86::code_asm::{CodeAssembler, ah, al, ax, bx, cx, dx, eax};

use super::disk::{BSY, DATA, DRQ, END, SECTOR, TABLE, command};
use super::machine::Machine;
use super::program::{Files, PATIENCE, Program, Start};
use crate::common::guest::{Assembled, assemble, no_kvm};

/// Sectors that are written, again and again.
const SECTORS: u32 = 64;

/// Moments from the first write on: any, and not the same in two runs.
fn moments(count: u64, longest: Duration) -> impl Iterator<Item = Duration> {
    use std::hash::{BuildHasher as _, RandomState};
    let seed = RandomState::new().hash_one(count);
    println!("moments of seed {seed:#x}");
    let mut state = seed | 1;
    (0..count).map(move |_| {
        // Marsaglia's xorshift64.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        longest.mul_f64(state as f64 / u64::MAX as f64)
    })
}

/// Checks that each sector is whole and has what was written to it in the last flushed
/// round, or later. Round n writes n to each word of sector n modulo their number.
fn check_image(image: &[u8], flushed: u32, started: u32) {
    assert_eq!(image.len(), SECTORS as usize * SECTOR);
    for (number, sector) in (0..SECTORS).zip(image.chunks(SECTOR)) {
        let words = sector.chunks(4);
        let words: Vec<u32> =
            words.map(|word| u32::from_le_bytes(word.try_into().expect("four bytes"))).collect();
        assert!(words.iter().all(|word| *word == words[0]), "sector {number} is torn");
        let last = (0..=flushed).rev().take(SECTORS as usize).find(|n| n % SECTORS == number);
        let last = last.unwrap_or(0);
        let found = words[0];
        assert!(
            found >= last && found <= started && (found == 0 || found % SECTORS == number),
            "round {flushed} was flushed, but sector {number} has {found}, not {last}"
        );
    }
}

/// Writes and flushes round after round, until the machine is gone: the last round
/// that was flushed, and the last that was begun.
fn write_until_it_ends(machine: &mut Machine) -> (u32, u32) {
    let mut flushed = 0;
    for round in 1.. {
        if rounds(machine, round).is_none() {
            return (flushed, round);
        }
        flushed = round;
    }
    (flushed, flushed)
}

/// One round; none if the machine ends within.
fn rounds(machine: &mut Machine, round: u32) -> Option<()> {
    let word: String = round.to_le_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let write = format!("write {DATA:#x} {SECTOR} 0x{}", word.repeat(SECTOR / 4));
    machine.try_ask(&write)?;
    let requests = |command: u8, count: u32| {
        let sector = round % SECTORS;
        [(0x1f6, 0xe0), (0x1f2, count), (0x1f3, sector), (0x1f4, 0), (0x1f5, 0)]
            .into_iter()
            .chain([(0x1f7, command.into())])
    };
    machine.try_ask("outb 0xc000 0")?;
    for (port, value) in requests(command::WRITE_DMA, 1).chain([(0xc000, 1)]) {
        machine.try_ask(&format!("outb {port:#x} {value:#x}"))?;
    }
    wait(machine)?;
    for (port, value) in requests(command::FLUSH_CACHE, 0) {
        machine.try_ask(&format!("outb {port:#x} {value:#x}"))?;
    }
    wait(machine)
}

/// Waits until a command has gone well.
fn wait(machine: &mut Machine) -> Option<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < deadline, "the disk stays busy");
        let answer = machine.try_ask("inb 0x3f6")?;
        let digits = answer.strip_prefix("OK 0x00");
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(0x50) => return Some(()),
            Some(status) if status & (BSY | DRQ) != 0 => {}
            _ => panic!("the disk's status is {answer}"),
        }
    }
}

#[test]
fn a_host_that_is_killed_has_lost_nothing_that_was_flushed() {
    let mut most = 0;
    for moment in moments(24, Duration::from_millis(60)) {
        let files = Files::new();
        files.sparse("disk", u64::from(SECTORS) * SECTOR as u64);
        let arguments = ["-drive", "file=disk,format=raw,if=ide"];
        let mut machine = Machine::start(Program::Southbridge, &files, &arguments);
        machine.enable_bus_master();
        machine.table(TABLE, &[(DATA, END | SECTOR as u32)]);
        let id = machine.process().id();
        let killer = thread::spawn(move || {
            thread::sleep(moment);
            let id = rustix::process::Pid::from_raw(id as i32).expect("a process");
            rustix::process::kill_process(id, rustix::process::Signal::KILL)
                .expect("the process is ours");
        });
        let (flushed, started) = write_until_it_ends(&mut machine);
        killer.join().expect("it does not panic");
        machine.process().kill();
        check_image(&files.read("disk"), flushed, started);
        most = most.max(flushed);
        // The dead hold no lock.
        Machine::start(Program::Southbridge, &files, &arguments);
    }
    assert!(most >= 5, "{most} rounds at most");
}

/// A guest's driver: writes rounds by PIO, and says the number of each to the debug
/// console when it is begun and when it is flushed.
fn driver(a: &mut CodeAssembler) -> Assembled {
    let (mut round, mut ready, mut word) = (a.create_label(), a.create_label(), a.create_label());
    let out = |a: &mut CodeAssembler, port: u32, value: u32| {
        a.mov(dx, port)?;
        a.mov(al, value)?;
        a.out(dx, al)
    };
    let say = |a: &mut CodeAssembler, mark: u8| {
        out(a, 0xe9, mark.into())?;
        a.mov(ax, bx)?;
        a.out(dx, al)?;
        a.mov(al, ah)?;
        a.out(dx, al)
    };
    a.xor(bx, bx)?;
    a.set_label(&mut round)?;
    a.inc(bx)?;
    say(a, b'<')?;
    out(a, 0x1f6, 0xe0)?;
    out(a, 0x1f2, 1)?;
    a.mov(ax, bx)?;
    a.and(al, SECTORS as i32 - 1)?;
    a.mov(dx, 0x1f3)?;
    a.out(dx, al)?;
    out(a, 0x1f4, 0)?;
    out(a, 0x1f5, 0)?;
    out(a, 0x1f7, command::WRITE_SECTORS.into())?;
    // Until it wants data: DRQ, and not BSY.
    a.mov(dx, 0x3f6)?;
    a.set_label(&mut ready)?;
    a.in_(al, dx)?;
    a.and(al, 0x88)?;
    a.cmp(al, 0x08)?;
    a.jne(ready)?;
    a.movzx(eax, bx)?;
    a.mov(cx, 128)?;
    a.mov(dx, 0x1f0)?;
    a.set_label(&mut word)?;
    a.out(dx, eax)?;
    a.dec(cx)?;
    a.jne(word)?;
    idle(a)?;
    out(a, 0x1f7, command::FLUSH_CACHE.into())?;
    idle(a)?;
    say(a, b'>')?;
    a.jmp(round)
}

/// Waits until BSY is clear.
fn idle(a: &mut CodeAssembler) -> Assembled {
    let mut busy = a.create_label();
    a.mov(dx, 0x3f6)?;
    a.set_label(&mut busy)?;
    a.in_(al, dx)?;
    a.test(al, 0x80)?;
    a.jne(busy)
}

/// The last rounds that a guest has said to be flushed and to be begun.
fn said(log: &[u8]) -> (u32, u32) {
    let last = |mark: u8| {
        let mut all = log.chunks_exact(3).filter(|said| said[0] == mark);
        all.next_back().map_or(0, |said| u32::from(said[1]) | u32::from(said[2]) << 8)
    };
    // What was cut within a number is no number.
    (last(b'>'), last(b'<'))
}

#[test]
fn a_host_whose_processor_runs_has_lost_nothing_either() {
    if no_kvm() {
        return;
    }
    let mut bios = vec![0; 64 << 10];
    let code = assemble(16, 0, driver);
    bios[..code.len()].copy_from_slice(&code);
    let reset = assemble(16, 0xfff0, |a| a.jmp_far(0xf000, 0));
    bios[0xfff0..][..reset.len()].copy_from_slice(&reset);
    let mut most = 0;
    for moment in moments(8, Duration::from_millis(250)) {
        let files = Files::new();
        files.write("bios", &bios);
        files.sparse("disk", u64::from(SECTORS) * SECTOR as u64);
        File::create(files.path("log")).expect("the file can be made");
        let arguments = [
            "-machine",
            "pc-i440fx-7.2",
            "-accel",
            "kvm",
            "-m",
            "16",
            "-nodefaults",
            "-display",
            "none",
            "-bios",
            "bios",
            "-drive",
            "file=disk,format=raw,if=ide",
            "-debugcon",
            "file:log",
        ];
        let mut process = Start::bare(Program::Southbridge, &files, &arguments).start();
        let deadline = Instant::now() + PATIENCE;
        while files.read("log").is_empty() {
            assert!(
                !process.has_ended() && Instant::now() < deadline,
                "{}; SOUTHBRIDGE_NO_KVM=1 leaves this test out",
                process.complaint()
            );
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(moment);
        assert!(!process.has_ended(), "{}", process.complaint());
        process.kill();
        let (flushed, started) = said(&files.read("log"));
        check_image(&files.read("disk"), flushed, started);
        most = most.max(flushed);
    }
    assert!(most >= 5, "{most} rounds at most");
}

//! A guest that runs goes from QEMU to us and back, with processors, interrupt controllers
//! and timers in the middle of their work.

use iced_x86::code_asm::*;
use serde_json::json;

use super::compare::{Machine, turn};
use super::images::sector::{self, LOADED};
use super::run::Program::{Qemu, Southbridge};
use super::run::{Program, Started, no_kvm};

/// Where the BIOS counts the interrupts of the timer, 18.2 a second.
const TICKS: u32 = 0x46c;

/// How many letters a program has to write before the guest goes on elsewhere.
const LETTERS: usize = 7;

/// A boot sector that writes a letter at each interrupt of the timer, in alphabetical
/// order over and over, and is halted in between.
fn alphabet() -> Vec<u8> {
    sector::real(|a| {
        let (mut first, mut next, mut wait) =
            (a.create_label(), a.create_label(), a.create_label());
        a.xor(ax, ax)?;
        a.mov(ds, ax)?;
        a.mov(ss, ax)?;
        a.mov(sp, u32::from(LOADED))?;
        a.sti()?;
        a.set_label(&mut first)?;
        a.mov(bl, u32::from(b'a'))?;
        a.set_label(&mut next)?;
        a.mov(cx, word_ptr(TICKS))?;
        a.set_label(&mut wait)?;
        a.hlt()?;
        a.cmp(word_ptr(TICKS), cx)?;
        a.je(wait)?;
        a.mov(dx, 0x402)?;
        a.mov(al, bl)?;
        a.out(dx, al)?;
        a.inc(bl)?;
        a.cmp(bl, u32::from(b'z') as i32)?;
        a.jbe(next)?;
        a.jmp(first)
    })
}

/// What the boot sector has written, in a program where firmware had started it or not.
fn letters(program: &Started) -> String {
    let log = program.read("log");
    let own = log.split_once("Booting from 0000:7c00\n").map_or("", |(_, own)| own);
    if log.contains("SeaBIOS") { own.to_owned() } else { log }
}

fn wait_for_letters(program: &mut Started) {
    program.wait_until("letters", |program| letters(program).len() >= LETTERS);
}

/// Has a program save its guest to one of its files. Where that is, and what the guest
/// wrote.
fn leave(program: &mut Started) -> (String, String) {
    let state = program.path("state").to_string_lossy().into_owned();
    program.monitor().execute_with("migrate", json!({"uri": format!("exec:cat >{state}")}));
    program.wait_until("the guest to leave", |program| {
        let info = program.monitor().execute("query-migrate");
        let failed = matches!(info["status"].as_str(), Some("failed" | "cancelled"));
        assert!(!failed, "{:?}: {info}", program.program());
        info["status"] == "completed"
    });
    (state, letters(program))
}

fn goes_from_one_to_the_next(programs: &[Program], arguments: &[&str]) {
    if no_kvm() {
        return;
    }
    let _turn = turn();
    let machine = Machine::new().disk(alphabet()).with(arguments);
    let (first, others) = programs.split_first().expect("there are some");
    let mut written = String::new();
    let mut now = machine.start(*first, &[]);
    wait_for_letters(&mut now);
    for program in others {
        let (state, letters) = leave(&mut now);
        written += &letters;
        let next = machine.start(*program, &["-incoming", &format!("exec:cat {state}")]);
        // The file is the old one's.
        let _old = std::mem::replace(&mut now, next);
        wait_for_letters(&mut now);
    }
    written += &letters(&now);
    let alphabet: String = ('a'..='z').cycle().take(written.len()).collect();
    assert_eq!(written, alphabet, "{programs:?}");
}

#[test]
fn a_guest_goes_from_qemu_to_us_and_back() {
    goes_from_one_to_the_next(&[Qemu, Southbridge, Qemu, Southbridge], &["-smp", "2"]);
}

#[test]
fn a_guest_goes_from_us_to_us_and_to_qemu() {
    goes_from_one_to_the_next(&[Southbridge, Southbridge, Qemu], &[]);
}

/// The processors' APICs are the kernel's, all other controllers devices.
#[test]
fn a_guest_with_split_interrupt_controllers_goes_there_and_back() {
    let split = ["-machine", "kernel-irqchip=split", "-smp", "2"];
    goes_from_one_to_the_next(&[Southbridge, Qemu, Southbridge, Southbridge], &split);
}

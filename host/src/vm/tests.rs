//! Guests that run.

mod saved;

use std::sync::Arc;
use std::time::Duration;

use iced_x86::code_asm::*;
use vm_memory::{Bytes, GuestAddress};

use super::boot::Entry;
use super::testing::*;
use super::*;

/// A counter in RAM that spinning guests increment.
const COUNTER: u64 = 0x20_0000;

/// A 32-bit guest that increments [`COUNTER`] for ever.
fn spinner() -> Vec<u8> {
    assemble(32, CODE, |a| {
        let mut again = a.create_label();
        a.set_label(&mut again)?;
        a.inc(dword_ptr(COUNTER))?;
        a.jmp(again)
    })
}

fn counter(machine: &Machine) -> u32 {
    let address = GuestAddress(COUNTER);
    machine.vm.memory().ram().read_obj(address).expect("it is RAM")
}

/// Waits until the guest has counted on from `from`.
fn wait_for_count(machine: &Machine, from: u32) {
    for _ in 0..20_000 {
        if counter(machine) != from {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("the guest does not run: its counter stays at {from}");
}

#[test]
fn a_protected_mode_guest_writes_to_a_port_and_halts() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        a.mov(al, 0x41)?;
        a.out(0x80, al)?;
        a.hlt()
    });
    let machine = Machine::running(&config(), code);
    assert_eq!(machine.door.wait_for_writes(0x80, 1), [[0x41]]);
    while machine.vm.exits(0).expect("it exists").halt == 0 {
        std::thread::yield_now();
    }
    machine.vm.pause();
    let exits = machine.vm.exits(0).expect("it exists");
    assert_eq!((exits.port, exits.halt, exits.memory), (1, 1, 0));
    assert!(machine.vm.exits(1).is_err());
    assert_eq!(machine.door.threads(), 1);
}

#[test]
fn firmware_starts_in_real_mode_at_the_reset_vector() {
    if no_kvm() {
        return;
    }
    // Reads its own ROM below 1 MiB, tries to write it, reads again.
    let code = assemble(16, 0, |a| {
        a.mov(ax, 0xf000)?;
        a.mov(ds, ax)?;
        a.mov(al, byte_ptr(0xfff0))?;
        a.out(0x80, al)?;
        a.mov(byte_ptr(0xfff0), 0x55)?;
        a.mov(al, byte_ptr(0xfff0))?;
        a.out(0x80, al)?;
        a.hlt()
    });
    let machine = Machine::new(&Config { rom: Some(rom(&code)), ..config() });
    machine.run(&Entry::power_on());
    assert_eq!(machine.door.wait_for_writes(0x80, 2), [[0xea], [0xea]]);
    let write = Seen::MemoryWrite(0xf_fff0, vec![0x55]);
    assert!(machine.door.accesses().contains(&write));
}

#[test]
fn registers_show_what_the_guest_put_into_them() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        let mut here = a.create_label();
        a.mov(eax, cr4)?;
        a.or(eax, 0x600)?;
        a.mov(cr4, eax)?;
        a.mov(eax, 0x1122_3344)?;
        a.mov(dr0, eax)?;
        a.mov(esi, 0x5566_7788)?;
        a.out(0x80, al)?;
        a.std()?;
        a.set_label(&mut here)?;
        a.jmp(here)
    });
    let machine = Machine::running(&config(), code);
    machine.door.wait_for_writes(0x80, 1);
    assert!(matches!(machine.vm.state(0), Err(Error::NotPaused)));
    machine.vm.pause();
    let state = machine.vm.state(0).expect("it is paused");
    assert_eq!((state.general[0], state.general[4]), (0x1122_3344, 0x5566_7788));
    assert_eq!((state.cr4 & 0x600, state.cr0 & 1), (0x600, 1));
    assert!((CODE..CODE + 0x100).contains(&state.rip), "{:#x}", state.rip);
    assert_eq!(state.breakpoints[0], 0x1122_3344);
    assert_eq!(state.segments[1].attributes & 0x00f0_ff00, 0x00c0_9b00);
    assert_eq!((state.segments[1].limit, state.segments[1].base), (0xffff_ffff, 0));
    assert!(!state.halted && !state.smm);
    assert!(matches!(machine.vm.state(1), Err(Error::NoSuchCpu { cpu: 1, count: 1 })));
}

#[test]
fn string_instructions_arrive_as_single_accesses() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        a.cld()?;
        a.mov(edx, 0x3f8)?;
        a.mov(esi, COUNTER as u32)?;
        a.mov(ecx, 3)?;
        a.rep().outsw()?;
        a.mov(edi, COUNTER as u32 + 0x100)?;
        a.mov(ecx, 2)?;
        a.rep().insd()?;
        a.out(0x80, al)?;
        a.hlt()
    });
    let machine = Machine::new(&config());
    let memory = machine.vm.memory().clone();
    let entry = load_flat(&memory, code);
    memory.ram().write_slice(b"abcdef", GuestAddress(COUNTER)).expect("it is RAM");
    machine.run(&entry);
    assert_eq!(machine.door.wait_for_writes(0x3f8, 3), [b"ab", b"cd", b"ef"]);
    machine.door.wait_for_writes(0x80, 1);
    let reads = vec![Seen::PortRead(0x3f8, 4); 2];
    assert_eq!(machine.door.accesses()[3..5], reads);
    let mut read = [0; 8];
    memory.ram().read_slice(&mut read, GuestAddress(COUNTER + 0x100)).expect("it is RAM");
    assert_eq!(read, [0x11, 0x22, 0x33, 0x44, 0x11, 0x22, 0x33, 0x44]);
}

#[test]
fn memory_that_nobody_answers_reaches_the_door() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        a.mov(eax, dword_ptr(0xd000_0004u32))?;
        a.mov(word_ptr(0xd000_0008u32), ax)?;
        a.out(0x80, eax)?;
        a.hlt()
    });
    let machine = Machine::running(&config(), code);
    let seen = machine.door.wait_for_writes(0x80, 1);
    assert_eq!(seen, [[0x11, 0x22, 0x33, 0x44]]);
    let expected =
        [Seen::MemoryRead(0xd000_0004, 4), Seen::MemoryWrite(0xd000_0008, vec![0x11, 0x22])];
    assert_eq!(machine.door.accesses()[..2], expected);
}

/// A 32-bit guest whose boot processor starts all others by INIT and SIPI, and
/// whose processors each write their APIC id to port 0x80. Sets up the 16-bit
/// code the others start in.
fn smp_guest(memory: &Memory) -> Vec<u8> {
    const START: u64 = 0x8000;
    let secondary = assemble(16, 0, |a| {
        let mut stop = a.create_label();
        a.mov(eax, 1)?;
        a.cpuid()?;
        a.shr(ebx, 24)?;
        a.mov(al, bl)?;
        a.out(0x80, al)?;
        a.set_label(&mut stop)?;
        a.hlt()?;
        a.jmp(stop)
    });
    let start = GuestAddress(START);
    memory.ram().write_slice(&secondary, start).expect("RAM");
    assemble(32, CODE, |a| {
        let mut stop = a.create_label();
        let command = dword_ptr(0xfee0_0300u32);
        a.mov(eax, 0xfee0_00f0u32)?; // the local APIC on
        a.mov(dword_ptr(eax), 0x1ff)?;
        a.mov(command, 0xc_4500)?; // INIT to all others
        a.mov(command, 0xc_4600 | (START >> 12) as u32)?; // SIPI
        a.mov(eax, dword_ptr(0xfee0_0020u32))?;
        a.shr(eax, 24)?;
        a.out(0x80, al)?;
        a.set_label(&mut stop)?;
        a.hlt()?;
        a.jmp(stop)
    })
}

#[test]
fn processors_start_by_init_and_sipi_again_after_each_reset() {
    if no_kvm() {
        return;
    }
    for cpus in [2, 4] {
        let machine = Machine::new(&config_smp(cpus));
        let memory = machine.vm.memory();
        let entry = load_flat(memory, smp_guest(memory));
        for round in 1..=3 {
            machine.run(&entry);
            let ids = machine.door.wait_for_writes(0x80, round * cpus);
            let mut ids: Vec<u8> = ids[(round - 1) * cpus..].iter().map(|id| id[0]).collect();
            ids.sort_unstable();
            assert_eq!(ids, (0..cpus as u8).collect::<Vec<_>>());
            machine.vm.pause();
        }
        assert_eq!(machine.door.threads(), cpus);
    }
}

#[test]
fn a_spinning_guest_pauses_resumes_and_resets() {
    if no_kvm() {
        return;
    }
    let machine = Machine::running(&config(), spinner());
    wait_for_count(&machine, 0);
    machine.vm.pause();
    assert!(!machine.vm.is_running());
    let paused = counter(&machine);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(counter(&machine), paused, "it ran while paused");

    machine.vm.resume();
    wait_for_count(&machine, paused);
    let entry = Entry::protected(CODE as u32);
    assert!(matches!(machine.vm.reset(&entry), Err(Error::NotPaused)));
    machine.vm.pause();
    machine.vm.reset(&entry).expect("it is paused");
    let reset = counter(&machine);
    machine.vm.resume();
    wait_for_count(&machine, reset);
    machine.vm.stop();
    let stopped = counter(&machine);
    machine.vm.resume();
    assert!(!machine.vm.is_running());
    assert!(matches!(machine.vm.reset(&entry), Err(Error::NotPaused)));
    assert_eq!(counter(&machine), stopped, "it ran after it was stopped");
}

#[test]
fn a_processor_that_takes_a_hold_executes_nothing_more() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        let mut again = a.create_label();
        a.mov(ebx, 1)?;
        a.out(0x80, al)?;
        a.set_label(&mut again)?;
        a.add(dword_ptr(COUNTER), ebx)?;
        a.jmp(again)
    });
    let platform = Platform::new(&config()).expect("KVM makes machines");
    let hold = platform.hold();
    let door = Arc::new(Recorder::default());
    let (taken, held) = std::sync::mpsc::channel();
    door.on_port_write(move |_, _| taken.send(hold.take()).expect("the test waits"));
    let vm = Vm::start(platform, door.clone(), Arc::new(|_| ())).expect("the machine starts");
    let entry = load_flat(vm.memory(), code);
    let machine = Machine { vm, door };
    machine.run(&entry);
    let held = held.recv().expect("the guest writes to the port");
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(counter(&machine), 0, "it has run on");
    machine.vm.pause();
    machine.vm.resume();
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(counter(&machine), 0, "it has run on after a pause");
    drop(held);
    wait_for_count(&machine, 0);
}

#[test]
fn no_kick_is_lost() {
    if no_kvm() {
        return;
    }
    // Port writes and memory accesses, so that kicks meet the thread in the
    // guest, in the door and between.
    let code = assemble(32, CODE, |a| {
        let mut again = a.create_label();
        a.set_label(&mut again)?;
        a.inc(dword_ptr(COUNTER))?;
        a.out(0x80, al)?;
        a.jmp(again)
    });
    let machine = Machine::running(&config(), code);
    for _ in 0..1000 {
        machine.vm.pause();
        let paused = counter(&machine);
        let writes = machine.vm.exits(0).expect("it exists").port;
        assert!(writes.abs_diff(paused.into()) <= 1);
        machine.vm.resume();
    }
    let last = counter(&machine);
    wait_for_count(&machine, last);
}

#[test]
fn a_triple_fault_is_reported_and_a_reset_revives() {
    if no_kvm() {
        return;
    }
    let machine = Machine::running(&config(), assemble(32, CODE, |a| a.ud2()));
    let event = machine.door.wait_for_event();
    assert_eq!(event, VmEvent::TripleFault { cpu: 0 });
    machine.vm.pause();
    machine.run(&load_flat(machine.vm.memory(), spinner()));
    wait_for_count(&machine, 0);
}

#[test]
fn a_panic_in_the_door_ends_one_processor_and_nothing_else() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| a.out(0x80, al));
    let machine = Machine::new(&config());
    machine.door.on_port_write(|_, _| panic!("the door is broken"));
    let entry = load_flat(machine.vm.memory(), code);
    machine.run(&entry);
    let expected = VmEvent::Panicked { cpu: 0, message: "the door is broken".to_owned() };
    assert_eq!(machine.door.wait_for_event(), expected);
    machine.vm.pause();
    assert!(machine.vm.reset(&entry).is_err());
}

#[test]
fn a_line_interrupts_through_the_8259a() {
    if no_kvm() {
        return;
    }
    // Vectors from 0x20 on, only line 5 let through; its handler writes to
    // port 0x80.
    let code = assemble(16, 0, |a| {
        let (mut handler, mut idle) = (a.create_label(), a.create_label());
        let mut start = a.create_label();
        a.jmp(start)?;
        a.set_label(&mut handler)?; // at 2, behind the short jump
        a.mov(al, 0x77)?;
        a.out(0x80, al)?;
        a.hlt()?;
        a.set_label(&mut start)?;
        a.xor(ax, ax)?;
        a.mov(ds, ax)?;
        a.mov(ss, ax)?;
        a.mov(sp, 0x7000)?;
        a.mov(word_ptr(0x25 * 4), 2)?;
        a.mov(word_ptr(0x25 * 4 + 2), 0xf000)?;
        for (port, value) in [(0x20, 0x11), (0x21, 0x20), (0x21, 4), (0x21, 1), (0x21, 0xdf)] {
            a.mov(al, value)?;
            a.out(port, al)?;
        }
        a.mov(al, 1)?;
        a.out(0x81, al)?;
        a.sti()?;
        a.set_label(&mut idle)?;
        a.hlt()?;
        a.jmp(idle)
    });
    let machine = Machine::new(&Config { rom: Some(rom(&code)), ..config_smp(1) });
    for round in 1..=2 {
        machine.run(&Entry::power_on());
        machine.door.wait_for_writes(0x81, round);
        let lines = machine.vm.interrupts();
        lines.set_line(5, true).expect("there is a line 5");
        assert_eq!(machine.door.wait_for_writes(0x80, round).len(), round);
        lines.set_line(5, false).expect("there is a line 5");
        machine.vm.pause();
    }
}

#[test]
fn lines_are_recorded() {
    if no_kvm() {
        return;
    }
    for interrupts in
        [InterruptController::None, InterruptController::Kernel, InterruptController::Local]
    {
        let platform = Platform::new(&Config { interrupts, ..config() });
        let lines = platform.expect("KVM makes machines").interrupts().clone();
        assert_eq!(lines.controller(), interrupts);
        lines.set_line(23, true).expect("it exists");
        assert!(lines.line(23).expect("it exists"));
        assert!(!lines.line(22).expect("it exists"));
        lines.set_line(23, false).expect("it exists");
        assert!(!lines.line(23).expect("it exists"));
        assert!(matches!(lines.set_line(24, true), Err(Error::NoSuchLine(24))));
    }
}

#[test]
fn numbers_of_processors_are_checked() {
    if no_kvm() {
        return;
    }
    for cpus in [0, 9] {
        let error = Platform::new(&config_smp(cpus)).err().expect("refused");
        assert_eq!(error.to_string(), format!("{cpus} processors: expected 1 to 8"));
    }
    let config = Config { cpus: 2, ..config() };
    assert!(matches!(Platform::new(&config), Err(Error::CpusWithoutController(2))));
}

#[test]
fn eight_processors_can_be_made_and_dropped_without_running() {
    if no_kvm() {
        return;
    }
    let machine = Machine::new(&config_smp(8));
    assert_eq!(machine.vm.cpus(), 8);
    let door = Arc::downgrade(&machine.door);
    drop(machine);
    assert_eq!(door.strong_count(), 0, "a thread still holds the door");
}

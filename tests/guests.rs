//! Guests on KVM, from their first instruction to their end.

#[path = "common"]
mod common {
    pub(crate) mod guest;
}

mod guests {
    mod tables;
}

use std::time::Duration;

use common::guest::*;
use iced_x86::code_asm::*;
use southbridge::component::{Effect, Effects, Recorded, SlotId};
use southbridge::guest::{Cause, Outcome, RunState};
use southbridge::vm::InterruptController;
use southbridge::vm::boot::Format;

/// Where guests count their boots: RAM, which a reset does not change. It was
/// all zeros at first.
const BOOTS: u32 = 0x600;

/// Slot and function of the host bridge, the ISA bridge and the platform device.
const HOST: u8 = 0x00;
const ISA: u8 = 0x08;
const PLATFORM: u8 = 0x10;

/// Counts a boot in real mode and prints the number as a digit. Leaves it in
/// `bl`.
fn count_boot(a: &mut CodeAssembler) -> Assembled {
    a.xor(ax, ax)?;
    a.mov(ds, ax)?;
    a.inc(byte_ptr(BOOTS))?;
    a.mov(bl, byte_ptr(BOOTS))?;
    a.mov(al, bl)?;
    a.add(al, u32::from(b'0'))?;
    print_al(a)
}

#[test]
fn firmware_starts_at_the_reset_vector_on_every_kind_of_machine() {
    if no_kvm() {
        return;
    }
    for machine_type in ["pc", "pc-i440fx-2.0", "xenfv-3.1", "xenfv-4.2"] {
        let boot = small_firmware(|a| {
            b"hello".iter().try_for_each(|&byte| print(a, byte))?;
            exit(a, 0x21)
        });
        let running = Running::with(Config { machine_type, ..Config::default() }, boot);
        assert_eq!(running.outcome(), exited(0x21), "{machine_type}");
        assert_eq!(running.console.text(), "hello", "{machine_type}");
    }
}

#[test]
fn the_reset_control_register_resets_devices_and_processors_but_not_ram() {
    if no_kvm() {
        return;
    }
    let running = Running::new(small_firmware(|a| {
        let (mut boots, mut wrong) = (a.create_label(), a.create_label());
        count_boot(a)?;
        // PIRQRCA is as after a reset, then it is not.
        select(a, ISA, 0x60)?;
        a.mov(dx, 0xcfc)?;
        a.in_(al, dx)?;
        a.cmp(al, 0x80)?;
        a.jne(wrong)?;
        configure8(a, ISA, 0x60, 0x0b)?;
        a.cmp(bl, 5)?;
        a.jne(boots)?;
        exit(a, 1)?;
        a.set_label(&mut boots)?;
        out8(a, 0xcf9, 0x06)?;
        stop(a)?;
        a.set_label(&mut wrong)?;
        exit(a, 2)
    }));
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.text(), "12345");
}

#[test]
fn a_triple_fault_resets() {
    if no_kvm() {
        return;
    }
    // In protected mode without a table of interrupt gates.
    let running = Running::new(flat(|a| {
        let mut done = a.create_label();
        print(a, b'.')?;
        a.inc(dword_ptr(BOOTS))?;
        a.cmp(dword_ptr(BOOTS), 3)?;
        a.je(done)?;
        a.ud2()?;
        a.set_label(&mut done)?;
        exit(a, 1)
    }));
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.text(), "...");
}

#[test]
fn soft_off_ends_the_guest() {
    if no_kvm() {
        return;
    }
    let running = Running::new(small_firmware(|a| {
        enable_pm(a)?;
        print(a, b'5')?;
        // SLP_TYP 0 with SLP_EN.
        out16(a, 0xb004, 0x2000)?;
        stop(a)
    }));
    assert_eq!(running.outcome(), Outcome::Shutdown);
    assert_eq!(running.console.text(), "5");
}

#[test]
fn a_suspended_guest_sleeps_until_it_is_reset() {
    if no_kvm() {
        return;
    }
    let running = Running::new(small_firmware(|a| {
        let mut awake = a.create_label();
        count_boot(a)?;
        a.cmp(bl, 1)?;
        a.jne(awake)?;
        enable_pm(a)?;
        // SLP_TYP 1 with SLP_EN.
        out16(a, 0xb004, 0x2400)?;
        stop(a)?;
        a.set_label(&mut awake)?;
        exit(a, 1)
    }));
    running.wait_until("S3", || running.guest.state() == RunState::Suspended);
    assert_eq!(running.console.text(), "1");
    running.guest.reset().unwrap();
    // As in QEMU it then waits to be let run.
    assert_eq!(running.guest.state(), RunState::Prelaunch);
    running.guest.resume().expect("it was reset");
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.text(), "12");
}

/// Where the marker is, in the firmware and in the RAM below it.
const MARKER: u32 = 0x800;

/// The attributes of the segment 0xf0000, in the upper half of PAM0.
fn pam0(a: &mut CodeAssembler, attributes: u8) -> Assembled {
    configure8(a, HOST, 0x59, attributes << 4)
}

/// Copies 64 KiB between segments.
fn copy_segment(a: &mut CodeAssembler, from: u32, to: u32) -> Assembled {
    a.mov(ax, from)?;
    a.mov(ds, ax)?;
    a.mov(ax, to)?;
    a.mov(es, ax)?;
    a.xor(si, si)?;
    a.xor(di, di)?;
    a.mov(cx, 0x4000)?;
    a.cld()?;
    a.rep().movsd()
}

/// Prints the marker as the segment 0xf0000 shows it.
fn print_marker(a: &mut CodeAssembler) -> Assembled {
    a.mov(ax, 0xf000)?;
    a.mov(ds, ax)?;
    a.mov(al, byte_ptr(MARKER))?;
    print_al(a)
}

#[test]
fn firmware_moves_to_shadow_ram_and_protects_it() {
    if no_kvm() {
        return;
    }
    // Out of its own way.
    let first = assemble(16, 0, |a| {
        copy_segment(a, 0xf000, 0x1000)?;
        a.jmp_far(0x1000, 0x100)
    });
    let second = assemble(16, 0x100, |a| {
        pam0(a, 3)?;
        copy_segment(a, 0x1000, 0xf000)?;
        a.mov(byte_ptr(MARKER).es(), u32::from(b'S'))?;
        pam0(a, 1)?;
        a.mov(byte_ptr(MARKER).es(), u32::from(b'X'))?;
        a.jmp_far(0xf000, 0x200)
    });
    let third = assemble(16, 0x200, |a| {
        print_marker(a)?;
        pam0(a, 0)?;
        print_marker(a)?;
        a.mov(byte_ptr(MARKER), u32::from(b'Y'))?;
        print_marker(a)?;
        pam0(a, 3)?;
        print_marker(a)?;
        exit(a, 1)
    });
    let parts = [(0, first), (0x100, second), (0x200, third), (MARKER as usize, b"R".to_vec())];
    let running = Running::new(firmware(&parts));
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.text(), "SRRS");
}

#[test]
fn where_nothing_is_on_the_bus_below_1_mib_ram_shows_through() {
    if no_kvm() {
        return;
    }
    let running = Running::new(small_firmware(|a| {
        // Video memory without a card; below 64 KiB of firmware; where option
        // ROMs would be, which is zeros that stay.
        for segment in [0xa000, 0xb800, 0xe000, 0xc000, 0xd800] {
            a.mov(ax, segment)?;
            a.mov(ds, ax)?;
            a.mov(byte_ptr(0x33a), u32::from(b'!'))?;
            a.mov(al, byte_ptr(0x33a))?;
            print_al(a)?;
        }
        exit(a, 1)
    }));
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.bytes(), b"!!!\0\0");
}

#[test]
fn base_addresses_move_under_a_running_guest() {
    if no_kvm() {
        return;
    }
    const ROUNDS: u8 = 50;
    const PORTS: [u16; 2] = [0xc000, 0xc100];
    const MEMORY: [u32; 2] = [0xf000_0000, 0xf100_0000];
    let boot = flat(|a| {
        let (mut again, mut wrong) = (a.create_label(), a.create_label());
        configure8(a, PLATFORM, 0x04, 0x03)?;
        a.mov(ebp, u32::from(ROUNDS))?;
        a.set_label(&mut again)?;
        for here in 0..2 {
            let there = 1 - here;
            configure32(a, PLATFORM, 0x10, u32::from(PORTS[here]))?;
            configure32(a, PLATFORM, 0x14, MEMORY[here])?;
            // Where it is not, and where it is.
            for (port, expected) in [(PORTS[there], 0xff), (PORTS[here], 0x00)] {
                a.mov(dx, u32::from(port))?;
                a.in_(al, dx)?;
                a.cmp(al, expected)?;
                a.jne(wrong)?;
            }
            // The memory reads as zeros, as nothing does.
            for address in MEMORY {
                a.cmp(dword_ptr(address + 0x10_0000), 0)?;
                a.jne(wrong)?;
            }
            // The guest's log.
            out8(a, PORTS[there] + 8, b'!')?;
            out8(a, PORTS[here] + 8, b'a' + here as u8)?;
        }
        a.dec(ebp)?;
        a.jnz(again)?;
        out8(a, PORTS[1] + 8, b'\n')?;
        exit(a, 1)?;
        a.set_label(&mut wrong)?;
        exit(a, 2)
    });
    let config = Config { devices: vec!["xen-platform"], ..Config::default() };
    let running = Running::with(config, boot);
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.xen_log.text(), "ab".repeat(ROUNDS.into()) + "\n");
    let mapped = running.guest.machine().memory().mappings();
    let own = mapped.iter().filter(|mapping| &**mapping.slot.name() == "xen-platform");
    let bases: Vec<_> = own.map(|mapping| mapping.base).collect();
    assert_eq!(bases, [u64::from(MEMORY[1])]);
}

#[test]
fn a_device_below_1_mib_hides_the_ram_while_it_is_there() {
    if no_kvm() {
        return;
    }
    let boot = flat(|a| {
        let (mut hidden, mut seen) = (a.create_label(), a.create_label());
        a.mov(byte_ptr(0xa_1234), u32::from(b'!'))?;
        print(a, b'1')?;
        a.set_label(&mut hidden)?;
        a.cmp(byte_ptr(0xa_1234), 0)?;
        a.jne(hidden)?;
        print(a, b'2')?;
        a.set_label(&mut seen)?;
        a.cmp(byte_ptr(0xa_1234), u32::from(b'!'))?;
        a.jne(seen)?;
        exit(a, 1)
    });
    let config = Config { devices: vec!["xen-platform"], ..Config::default() };
    let running = Running::with(config, boot);
    let machine = running.guest.machine();
    let slots = machine.status();
    let slot = slots.iter().position(|status| &*status.name == "xen-platform").unwrap();
    let regions = &slots[slot].image.description().regions;
    let region = regions.iter().position(|region| region.name == "xen-mmio").unwrap() as u32;
    // A place no base address register can have, as if the device asked for it:
    // all from there to 1 MiB, where its memory reads as zeros.
    let ask = |sequence, effect| {
        let slot = SlotId(slot as u32);
        machine.apply(&mut vec![Recorded { slot, sequence, effect }]);
    };
    running.wait_for("1");
    ask(1 << 32, Effect::Map { region, base: 0xa_1000, priority: 1 });
    running.wait_for("2");
    ask(1 << 33, Effect::Unmap { region });
    assert_eq!(running.outcome(), exited(1));
}

/// Ticks of the PM timer in a second (ACPI 4.8.3.3).
const PM_TIMER: u64 = 3_579_545;

#[test]
fn the_pm_timer_stands_still_while_the_guest_is_paused() {
    if no_kvm() {
        return;
    }
    // Fails if the timer moves by more than 0.9 s between two looks; the test
    // pauses for longer.
    let running = Running::new(small_firmware(|a| {
        let (mut again, mut wrong) = (a.create_label(), a.create_label());
        enable_pm(a)?;
        print(a, b'.')?;
        a.mov(dx, 0xb008)?;
        a.in_(eax, dx)?;
        a.mov(ebx, eax)?;
        a.set_label(&mut again)?;
        a.mov(dx, 0xb008)?;
        a.in_(eax, dx)?;
        a.mov(ecx, eax)?;
        a.sub(eax, ebx)?;
        a.and(eax, 0xff_ffff)?;
        a.cmp(eax, (PM_TIMER * 9 / 10) as u32)?;
        a.ja(wrong)?;
        a.mov(ebx, ecx)?;
        a.jmp(again)?;
        a.set_label(&mut wrong)?;
        exit(a, 2)
    }));
    running.wait_for(".");
    let (guest, machine) = (&running.guest, running.guest.machine());
    let timer = || machine.port_read(0xb008, 4, &mut Effects::new());
    for _ in 0..2 {
        guest.pause();
        assert_eq!(guest.state(), RunState::Paused);
        let (time, ticks, exits) = (machine.clock().now(), timer(), guest.exits());
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!((machine.clock().now(), timer(), guest.exits()), (time, ticks, exits));
        guest.resume().expect("it is paused");
        running.wait_until("the timer", || timer() != ticks);
        running.wait_until("the guest", || guest.exits() > exits + 100);
    }
    guest.quit(Cause::Quit);
    assert_eq!(running.outcome(), Outcome::Quit);
}

/// Where the processors of `hammer` count themselves, those that are done, and
/// what they found wrong.
const STARTED: u32 = 0x600;
const DONE: u32 = 0x604;
const WRONG: u32 = 0x608;

/// Where the processors but the first one start.
const SECONDARY: u32 = 0x8000;

/// Each processor writes to and reads from a register of its own in the SMBus
/// controller, all at the same time. The registers' number in `edx`.
fn hammer(a: &mut CodeAssembler) -> Assembled {
    let (mut again, mut right) = (a.create_label(), a.create_label());
    a.mov(cx, 2000)?;
    a.set_label(&mut again)?;
    a.mov(al, cl)?;
    a.out(dx, al)?;
    a.in_(al, dx)?;
    a.cmp(al, cl)?;
    a.je(right)?;
    a.lock().inc(dword_ptr(WRONG))?;
    a.set_label(&mut right)?;
    a.dec(cx)?;
    a.jnz(again)?;
    a.lock().inc(dword_ptr(DONE))
}

#[test]
fn processors_share_a_device() {
    if no_kvm() {
        return;
    }
    for cpus in [2, 4] {
        let secondary = assemble(16, 0, |a| {
            a.xor(ax, ax)?;
            a.mov(ds, ax)?;
            a.mov(edx, 1)?;
            a.lock().xadd(dword_ptr(STARTED), edx)?;
            a.add(dx, 0xb104)?;
            hammer(a)?;
            stop(a)
        });
        let boot = flat(|a| {
            let (mut wait, mut right) = (a.create_label(), a.create_label());
            for (at, &byte) in (SECONDARY..).zip(&secondary) {
                a.mov(byte_ptr(at), u32::from(byte))?;
            }
            // The SMBus controller's registers at 0xb100.
            configure32(a, 0x0b, 0x90, 0xb101)?;
            configure8(a, 0x0b, 0xd2, 0x09)?;
            configure8(a, 0x0b, 0x04, 0x01)?;
            // The local APIC on; INIT and SIPI to all others.
            a.mov(dword_ptr(0xfee0_00f0u32), 0x1ff)?;
            a.mov(dword_ptr(0xfee0_0300u32), 0xc_4500)?;
            a.mov(dword_ptr(0xfee0_0300u32), 0xc_4600 | SECONDARY >> 12)?;
            a.mov(dx, 0xb103)?;
            hammer(a)?;
            a.set_label(&mut wait)?;
            a.pause()?;
            a.cmp(dword_ptr(DONE), cpus)?;
            a.jb(wait)?;
            a.cmp(dword_ptr(WRONG), 0)?;
            a.je(right)?;
            exit(a, 2)?;
            a.set_label(&mut right)?;
            exit(a, 1)
        });
        let running = Running::with(Config { cpus, ..Config::default() }, boot);
        assert_eq!(running.outcome(), exited(1), "{cpus} processors");
        assert!(running.guest.exits() >= u64::from(cpus) * 2 * 2000);
    }
}

/// A 32-bit executable with one segment.
fn elf(code: &[u8]) -> Vec<u8> {
    const HEADERS: u32 = 52 + 32;
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let size = code.len() as u32;
    [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0".to_vec(),
        words(&[1, CODE, 52, 0, 0]),
        // Sizes of the headers: this one, and one for a program.
        words(&[52 | 32 << 16, 1, 0]),
        words(&[1, HEADERS, CODE, CODE, size, size, 7, 4]),
        code.to_vec(),
    ]
    .concat()
}

/// A multiboot image that says itself where it is to be loaded.
fn multiboot(code: impl FnOnce(&mut CodeAssembler) -> Assembled) -> Vec<u8> {
    const HEADER: u32 = 32;
    const MAGIC: u32 = 0x1bad_b002;
    const ADDRESSES: u32 = 1 << 16;
    let header = [MAGIC, ADDRESSES, 0u32.wrapping_sub(MAGIC + ADDRESSES), CODE, CODE, 0, 0];
    let header = header.into_iter().chain([CODE + HEADER]);
    let header: Vec<u8> = header.flat_map(u32::to_le_bytes).collect();
    [header, assemble(32, CODE + HEADER, code)].concat()
}

#[test]
fn kernels_of_each_format_reach_the_devices() {
    if no_kvm() {
        return;
    }
    let says = |what: u8| {
        move |a: &mut CodeAssembler| {
            print(a, what)?;
            exit(a, what)
        }
    };
    let loaded = |a: &mut CodeAssembler| {
        let mut wrong = a.create_label();
        a.cmp(eax, 0x2bad_b002u32 as i32)?;
        a.jne(wrong)?;
        says(b'm')(a)?;
        a.set_label(&mut wrong)?;
        exit(a, 0)
    };
    let kernels = [
        (b'f', Format::Flat, assemble(32, CODE, says(b'f'))),
        (b'e', Format::Auto, elf(&assemble(32, CODE, says(b'e')))),
        (b'm', Format::Auto, multiboot(loaded)),
    ];
    for (what, format, image) in kernels {
        let running = Running::new(kernel(format, image));
        assert_eq!(running.outcome(), exited(what));
        assert_eq!(running.console.bytes(), [what]);
    }
}

#[test]
fn a_kernel_that_resets_starts_anew() {
    if no_kvm() {
        return;
    }
    let running = Running::new(flat(|a| {
        let (mut done, mut data) = (a.create_label(), a.create_label());
        // Its own data is as in the file again; other RAM is as it was.
        a.mov(al, byte_ptr(CODE))?;
        a.mov(byte_ptr(CODE), 0)?;
        a.cmp(al, 0xa0)?;
        a.jne(data)?;
        a.inc(dword_ptr(BOOTS))?;
        a.cmp(dword_ptr(BOOTS), 3)?;
        a.je(done)?;
        print(a, b'.')?;
        out8(a, 0xcf9, 0x06)?;
        stop(a)?;
        a.set_label(&mut done)?;
        exit(a, 1)?;
        a.set_label(&mut data)?;
        exit(a, 2)
    }));
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.text(), "..");
}

#[test]
fn a_guest_without_interrupt_controllers_runs_and_halts() {
    if no_kvm() {
        return;
    }
    let config = || Config { interrupts: InterruptController::None, ..Config::default() };
    let boot = small_firmware(|a| {
        count_boot(a)?;
        exit(a, 1)
    });
    let running = Running::with(config(), boot);
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.text(), "1");

    // Nothing wakes it: the test ends it.
    let boot = small_firmware(|a| {
        print(a, b'h')?;
        stop(a)
    });
    let running = Running::with(config(), boot);
    running.wait_for("h");
    running.guest.quit(Cause::Quit);
    assert_eq!(running.outcome(), Outcome::Quit);
}

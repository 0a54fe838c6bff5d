use std::sync::Arc;
use std::sync::atomic::Ordering;

use iced_x86::code_asm::*;
use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend};

use super::*;
use crate::vm::testing::*;
use crate::vm::{Config, Platform};

fn parts(size: u64) -> Result<(u64, u64), Error> {
    RamLayout { size, below_4g_limit: 8 * MIB, below_4g_split: 4 * MIB }.parts()
}

#[test]
fn ram_is_split_from_the_limit_on() {
    assert_eq!(parts(7 * MIB).expect("fits"), (7 * MIB, 0));
    assert_eq!(parts(8 * MIB).expect("fits"), (4 * MIB, 4 * MIB));
}

#[test]
fn bad_sizes_are_refused() {
    assert_eq!(
        parts(0).expect_err("refused").to_string(),
        "memory size 0: expected at least 1 MiB"
    );
    assert!(matches!(parts(MIB + 1), Err(Error::RamNotInMebibytes(_))));
    let huge = 1 << 50;
    let message = parts(huge).expect_err("refused").to_string();
    assert!(message.starts_with("memory size of 1073741824 MiB: this host has "), "{message}");
    for (below_4g_limit, below_4g_split) in
        [(FOUR_GIB, MIB), (2 * MIB, 3 * MIB), (2 * MIB, 0), (3 * MIB, MIB + 1)]
    {
        let layout = RamLayout { size: MIB, below_4g_limit, below_4g_split };
        assert!(matches!(layout.parts(), Err(Error::RamLayout { .. })));
    }
}

#[test]
fn bad_roms_are_refused() {
    for size in [0, 1, 0x1_0000 + 1, (16 << 20) + 0x1_0000] {
        let image = crate::vm::Image::new("bios.bin", vec![0; size]);
        let message = Rom::new(image).expect_err("refused").to_string();
        assert!(message.starts_with("bios.bin: not a firmware image: "), "{message}");
    }
}

#[test]
fn memory_has_its_parts() {
    if no_kvm() {
        return;
    }
    let config = Config {
        ram: RamLayout { size: 8 * MIB, below_4g_limit: 4 * MIB, below_4g_split: 2 * MIB },
        ..config()
    };
    let platform = Platform::new(&config).expect("KVM makes machines");
    let memory = platform.memory();
    assert_eq!((memory.below_4g(), memory.above_4g()), (2 * MIB, 6 * MIB));
    assert!(memory.ram().address_in_range(GuestAddress(FOUR_GIB)));
    assert!(!memory.ram().address_in_range(GuestAddress(2 * MIB)));
}

#[test]
fn bad_windows_are_refused() {
    if no_kvm() {
        return;
    }
    let bad = [
        [(0xc_0001, 0x1000), (0xd_0000, 0x1000)],
        [(0xc_0000, 0), (0xd_0000, 0x1000)],
        [(0x9_f000, 0x1000), (0xd_0000, 0x1000)],
        [(0xf_f000, 0x2000), (0xd_0000, 0x1000)],
        [(0xc_0000, !0xfff), (0xd_0000, 0x1000)],
        [(0xc_0000, 0x2000), (0xc_1000, 0x1000)],
    ];
    for windows in bad {
        let config = Config {
            windows: windows.map(|(base, size)| RamWindow { base, size }).to_vec(),
            ..config()
        };
        let error = Platform::new(&config).err().expect("refused");
        assert!(matches!(error, Error::BadWindow { .. }), "{error}");
    }
    let platform = Platform::new(&config()).expect("KVM makes machines");
    let change = platform.memory().set_windows(&[(0, WindowMode::Ram)]);
    assert!(matches!(change, Err(Error::NoSuchWindow { index: 0, count: 0 })));
}

/// The window of 16 KiB at 0xe0000, in which the ROM lies too.
const WINDOW: usize = 9;
const ADDRESS: u32 = 0xe_0000;

#[test]
fn windows_show_ram_rom_or_the_bus_and_keep_the_ram() {
    if no_kvm() {
        return;
    }
    // For each mode the host sets during the port write: reads the window,
    // reports, writes to it.
    let code = assemble(32, CODE, |a| {
        for step in 0..6u32 {
            a.mov(eax, step)?;
            a.out(0x80, eax)?;
            a.mov(eax, dword_ptr(ADDRESS))?;
            a.out(0x84, eax)?;
            a.mov(dword_ptr(ADDRESS), 0x100 + step)?;
        }
        a.out(0x88, eax)?;
        a.hlt()
    });
    let machine = Machine::new(&Config { windows: pc_windows(), rom: Some(rom(&[])), ..config() });
    let memory = machine.vm.memory().clone();
    let modes = [
        WindowMode::Bus,
        WindowMode::Ram,
        WindowMode::RamReadOnly,
        WindowMode::Bus,
        WindowMode::RamReadOnly,
        WindowMode::Ram,
    ];
    let for_door = memory.clone();
    machine.door.on_port_write(move |port, data| {
        if port == 0x80 {
            let change = [(WINDOW, modes[usize::from(data[0])])];
            for_door.set_windows(&change).expect("the window exists");
        }
    });
    machine.run(&load_flat(&memory, code));
    machine.door.wait_for_writes(0x88, 1);
    let seen: Vec<u32> = machine
        .door
        .wait_for_writes(0x84, 6)
        .iter()
        .map(|data| u32::from_le_bytes(data[..].try_into().expect("4 bytes")))
        .collect();
    // ROM; fresh RAM; what step 1 wrote; ROM; the same RAM again, twice.
    assert_eq!(seen, [!0, 0, 0x101, !0, 0x101, 0x101]);
    // Those to the ROM; those to read-only RAM are nobody's.
    let dropped: Vec<Seen> = [0x100u32, 0x103]
        .map(|value| Seen::MemoryWrite(ADDRESS.into(), value.to_le_bytes().to_vec()))
        .to_vec();
    let is_memory = |access: &Seen| matches!(access, Seen::MemoryWrite(..));
    let mut writes = machine.door.accesses();
    writes.retain(is_memory);
    assert_eq!(writes, dropped);
    assert_eq!(memory.window(WINDOW).expect("exists"), WindowMode::Ram);
    let value: u32 = memory.ram().read_obj(GuestAddress(ADDRESS.into())).expect("RAM");
    assert_eq!(value, 0x105);
}

#[test]
fn claimed_video_memory_is_the_bus_unless_its_window_says_ram() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        a.mov(byte_ptr(0xa_0000), 1)?;
        a.out(0x80, al)?;
        a.mov(byte_ptr(0xa_0000), 2)?;
        a.out(0x84, al)?;
        a.hlt()
    });
    let machine = Machine::new(&Config { windows: pc_windows(), ..config() });
    let memory = machine.vm.memory().clone();
    let claim = 0xa_0000..0xc_0000;
    memory.set_claims(std::slice::from_ref(&claim)).expect("KVM changes slots");
    let for_door = memory.clone();
    machine.door.on_port_write(move |_, _| {
        for_door.set_windows(&[(0, WindowMode::Ram)]).expect("it exists");
    });
    machine.run(&load_flat(&memory, code));
    machine.door.wait_for_writes(0x84, 1);
    assert_eq!(machine.door.accesses()[0], Seen::MemoryWrite(0xa_0000, vec![1]));
    assert_eq!(machine.door.accesses().len(), 3);
    let value: u8 = memory.ram().read_obj(GuestAddress(0xa_0000)).expect("RAM");
    assert_eq!(value, 2);
}

#[test]
fn where_nothing_on_the_bus_answers_there_is_ram() {
    if no_kvm() {
        return;
    }
    // At each port write the host changes the claims.
    let code = assemble(32, CODE, |a| {
        for step in 0..4u32 {
            for address in [0xb_a000u32, 0xb_a33a, 0xb_b000, 0xc_0000, 0xe_3f0f] {
                a.mov(byte_ptr(address), 1 + step)?;
                a.mov(al, byte_ptr(address))?;
                a.out(0x84, al)?;
            }
            a.out(0x80, al)?;
        }
        a.hlt()
    });
    let machine = Machine::new(&Config {
        windows: pc_windows(),
        rom: Some(Rom::new(crate::vm::Image::new("64 KiB", vec![0; 64 << 10])).expect("a ROM")),
        ..config()
    });
    let memory = machine.vm.memory().clone();
    let (for_door, step) = (memory.clone(), std::sync::atomic::AtomicUsize::new(0));
    let (first, second) = (0xb_a300..0xb_a340, 0xc_0000..0xc_0001);
    let claims = [Vec::from([first.clone()]), Vec::from([first, second]), Vec::new()];
    machine.door.on_port_write(move |port, _| {
        if port == 0x80
            && let Some(claims) = claims.get(step.fetch_add(1, Ordering::Relaxed))
        {
            for_door.set_claims(claims).expect("KVM changes slots");
        }
    });
    machine.run(&load_flat(&memory, code));
    machine.door.wait_for_writes(0x80, 4);
    let seen: Vec<u8> = machine.door.wait_for_writes(0x84, 20).concat();
    // A claim takes whole pages; the door reads as 0x11. Where option ROMs would
    // be is a ROM of zeros, unless it is claimed. The RAM at 0xe3f0f is below
    // the smallest firmware.
    let expected =
        [[1, 1, 1, 0, 1], [0x11, 0x11, 2, 0, 2], [0x11, 0x11, 3, 0x11, 3], [4, 4, 4, 0, 4]];
    assert_eq!(seen, expected.concat());
    let writes = machine.door.accesses();
    let is_write_to = |address| {
        let writes = writes.iter().filter_map(move |access| match access {
            Seen::MemoryWrite(at, data) if *at == address => Some(data[0]),
            _ => None,
        });
        writes.collect::<Vec<_>>()
    };
    assert_eq!(is_write_to(0xb_a33a), [2, 3]);
    assert_eq!(is_write_to(0xc_0000), [1, 2, 3, 4]);
    assert_eq!(is_write_to(0xe_3f0f), [0; 0]);
}

#[test]
fn claims_that_come_and_go_use_no_more_slots() {
    if no_kvm() {
        return;
    }
    let platform = Platform::new(&Config { windows: pc_windows(), ..config() });
    let platform = platform.expect("KVM makes machines");
    let memory = platform.memory();
    let pages = (0xa_0000..0xc_0000).step_by(0x1000).map(|page| page..page + 1);
    let every_other: Vec<_> = pages.step_by(2).collect();
    memory.set_claims(&every_other).expect("there are slots");
    let most = memory.slots.count();
    for _ in 0..100 {
        memory.set_claims(&[]).expect("there are slots");
        memory.set_claims(&every_other).expect("there are slots");
    }
    assert_eq!(memory.slots.count(), most);
}

#[test]
fn no_processor_sees_a_window_change_half_done() {
    if no_kvm() {
        return;
    }
    const ROUNDS: usize = 100;
    // The other processor reads the window all the time, at 0xe000:0, and
    // reports what is wrong; the first one asks for changes.
    let reader = assemble(16, 0, |a| {
        let (mut again, mut wrong) = (a.create_label(), a.create_label());
        a.mov(ax, 0xe000)?;
        a.mov(ds, ax)?;
        a.out(0x81, al)?;
        a.set_label(&mut again)?;
        a.cmp(word_ptr(0), 0x5aa5)?;
        a.je(again)?;
        a.set_label(&mut wrong)?;
        a.out(0x82, al)?;
        a.jmp(again)
    });
    let code = assemble(32, CODE, |a| {
        let mut again = a.create_label();
        a.mov(eax, 0xfee0_00f0u32)?;
        a.mov(dword_ptr(eax), 0x1ff)?;
        a.mov(dword_ptr(0xfee0_0300u32), 0xc_4500)?;
        a.mov(dword_ptr(0xfee0_0300u32), 0xc_4608)?;
        a.set_label(&mut again)?;
        a.out(0x80, al)?;
        a.jmp(again)
    });
    let machine = Machine::new(&Config { windows: pc_windows(), ..config_smp(2) });
    let memory = machine.vm.memory().clone();
    let put = |bytes: &[u8], at| memory.ram().write_slice(bytes, GuestAddress(at)).expect("RAM");
    put(&reader, 0x8000);
    put(&[0xa5, 0x5a], ADDRESS.into());
    memory.set_windows(&[(WINDOW, WindowMode::Ram)]).expect("it exists");
    let entry = load_flat(&memory, code);
    let for_door = Arc::downgrade(&memory);
    machine.door.on_port_write(move |port, _| {
        if let (0x80, Some(memory)) = (port, for_door.upgrade()) {
            let mode = match memory.window(WINDOW) {
                Ok(WindowMode::Ram) => WindowMode::RamReadOnly,
                _ => WindowMode::Ram,
            };
            memory.set_windows(&[(WINDOW, mode)]).expect("it exists");
        }
    });
    machine.run(&entry);
    machine.door.wait_for_writes(0x81, 1);
    let before = machine.door.wait_for_writes(0x80, 1).len();
    machine.door.wait_for_writes(0x80, before + ROUNDS);
    // A change asked for from outside, and a pause, meanwhile.
    for _ in 0..ROUNDS {
        memory.set_windows(&[(0, WindowMode::Ram)]).expect("it exists");
        memory.set_windows(&[(0, WindowMode::Bus)]).expect("it exists");
        machine.vm.pause();
        machine.vm.resume();
    }
    machine.vm.pause();
    let wrong = machine
        .door
        .accesses()
        .into_iter()
        .find(|access| !matches!(access, Seen::PortWrite(0x80 | 0x81, _)));
    assert_eq!(wrong, None, "the reader saw something else than its RAM");
}

//! Images of each kind, built here and run.

mod hostile;

use iced_x86::code_asm::*;
use vm_memory::{Bytes, GuestAddress};

use super::*;
use crate::vm::testing::*;
use crate::vm::{Config, Platform};

/// Where the images' code is linked to run.
const LINKED: u64 = 0x12_0000;

/// Overwrites `bytes` at `offset`.
fn patch(bytes: &mut [u8], offset: usize, value: &[u8]) {
    bytes[offset..][..value.len()].copy_from_slice(value);
}

/// An ELF executable: header, two program headers (code at [`LINKED`] with
/// `bss` more bytes of memory; notes), code at 0x100, notes behind it.
fn elf(long: bool, code: &[u8], bss: u64, notes: &[u8]) -> Vec<u8> {
    let word = |value: u64| match long {
        true => value.to_le_bytes().to_vec(),
        false => (value as u32).to_le_bytes().to_vec(),
    };
    let (header, size, machine) = if long { (64, 56, 62) } else { (52, 32, 3) };
    let segment = |kind: u32, offset: u64, address: u64, length: u64, memory: u64| {
        let kind = kind.to_le_bytes();
        let flags = 7u32.to_le_bytes();
        let place = [offset, address, address, length, memory].map(word).concat();
        match long {
            true => [&kind[..], &flags, &place, &word(8)].concat(),
            false => [&kind[..], &place, &flags, &word(4)].concat(),
        }
    };
    let length = code.len() as u64;
    let notes_at = 0x100 + length;
    let identity = *b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0";
    let mut image = [
        &identity[..],
        &[2, 0, machine, 0, 1, 0, 0, 0],
        &word(LINKED),
        &word(header),
        &word(0),
        &[0, 0, 0, 0, header as u8, 0, size, 0, 2, 0, 0, 0, 0, 0, 0, 0],
        &segment(1, 0x100, LINKED, length, length + bss),
        &segment(4, notes_at, 0, notes.len() as u64, 0),
    ]
    .concat();
    image[4] = if long { 2 } else { 1 };
    image.resize(0x100, 0);
    [&image[..], code, notes].concat()
}

/// An ELF note that gives a 32-bit entry point.
fn pvh_note(entry: u64) -> Vec<u8> {
    let numbers = [4, 8, 18].map(u32::to_le_bytes).concat();
    [&numbers[..], b"Xen\0", &entry.to_le_bytes()].concat()
}

/// A multiboot header with these flags and addresses.
fn multiboot_header(flags: u32, addresses: &[u64]) -> Vec<u8> {
    let magic = 0x1bad_b002u32;
    let checksum = 0u32.wrapping_sub(magic).wrapping_sub(flags);
    [magic, flags, checksum]
        .into_iter()
        .chain(addresses.iter().map(|&address| address as u32))
        .flat_map(u32::to_le_bytes)
        .collect()
}

/// A multiboot kernel whose header has the addresses: header, then code.
fn multiboot_flat(code: &[u8]) -> Vec<u8> {
    let end = LINKED + 32 + code.len() as u64;
    let addresses = [LINKED, LINKED, end, end + 0x100, LINKED + 32];
    [&multiboot_header(1 << 16 | 3, &addresses), code].concat()
}

/// A Linux kernel whose 64-bit entry is `code`.
fn bzimage(code: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 0x400 + 0x200 + code.len().next_multiple_of(16)];
    let paragraphs = (image.len() - 0x400) / 16;
    patch(&mut image, 0x1f1, &[1]);
    patch(&mut image, 0x1f4, &(paragraphs as u32).to_le_bytes());
    patch(&mut image, 0x1fe, &[0x55, 0xaa]);
    patch(&mut image, 0x202, b"HdrS\x0f\x02");
    patch(&mut image, 0x211, &[1]); // loaded high
    patch(&mut image, 0x214, &0x10_0000u32.to_le_bytes());
    patch(&mut image, 0x22c, &0x37_ffffu32.to_le_bytes()); // last of the RAM disk
    patch(&mut image, 0x230, &0x20_0000u32.to_le_bytes()); // alignment
    patch(&mut image, 0x234, &[1, 0, 1, 0]); // relocatable, 64-bit entry
    patch(&mut image, 0x238, &63u32.to_le_bytes()); // longest command line
    patch(&mut image, 0x258, &0x20_0000u64.to_le_bytes()); // preferred address
    patch(&mut image, 0x260, &0x1_0000u32.to_le_bytes()); // memory to unpack
    patch(&mut image, 0x600, code);
    image
}

fn kernel(image: Vec<u8>) -> Kernel {
    Kernel::new(Image::new("kernel", image))
}

/// The same with an initial RAM disk and a command line.
fn kernel_with_both(image: Vec<u8>) -> Kernel {
    Kernel {
        initrd: Some(Image::new("initrd", b"disk and more".to_vec())),
        command_line: "quiet".to_owned(),
        ..kernel(image)
    }
}

/// Loads a kernel into a machine, runs it and returns the first `count` 32-bit
/// values it writes to port 0x80.
fn run(kernel: &Kernel, count: usize) -> Vec<u32> {
    let machine = Machine::new(&config());
    // What a reboot finds must not show through.
    let memory = machine.vm.memory();
    let dirt = [0xcc; 0x1000];
    memory.ram().write_slice(&dirt, GuestAddress(LINKED)).expect("RAM");
    machine.run(&load(kernel, memory, &()).expect("the kernel is good"));
    let writes = machine.door.wait_for_writes(0x80, count);
    let value = |data: &Vec<u8>| u32::from_le_bytes(data[..].try_into().expect("4 bytes"));
    writes.iter().map(value).collect()
}

fn text(bytes: &[u8; 4]) -> u32 {
    u32::from_le_bytes(*bytes)
}

#[test]
fn an_elf_32_starts_in_protected_mode_with_its_bss_zeroed() {
    if no_kvm() {
        return;
    }
    let code = |bss| {
        assemble(32, LINKED, |a| {
            a.mov(eax, dword_ptr(bss))?;
            a.out(0x80, eax)?;
            a.mov(eax, cr0)?;
            a.and(eax, 0x8000_0001u32)?;
            a.out(0x80, eax)?;
            a.hlt()
        })
    };
    let length = code(LINKED + 0x100).len() as u64;
    let image = elf(false, &code(LINKED + length), 4, &[]);
    assert_eq!(run(&kernel(image), 2), [0, 1]);
}

#[test]
fn an_elf_64_starts_in_long_mode_with_4_gib_mapped() {
    if no_kvm() {
        return;
    }
    let code = assemble(64, LINKED, |a| {
        a.mov(rax, 0x1234_5678_9abc_def0u64)?;
        a.shr(rax, 32)?;
        a.out(0x80, eax)?;
        a.mov(eax, 0x18)?;
        a.mov(ss, ax)?; // the descriptor table is there
        a.mov(ecx, 0xfff0_0000u32)?;
        a.mov(eax, dword_ptr(rcx))?;
        a.out(0x80, eax)?;
        a.hlt()
    });
    let seen = run(&kernel(elf(true, &code, 0, &[])), 2);
    assert_eq!(seen, [0x1234_5678, 0x4433_2211]);
}

#[test]
fn a_pvh_note_is_followed() {
    if no_kvm() {
        return;
    }
    // Magic, command line, first module, and type and end of the map's first
    // entry.
    let code = assemble(32, LINKED, |a| {
        a.ud2()?; // the ELF entry point, not the note's
        a.mov(eax, dword_ptr(ebx))?;
        a.out(0x80, eax)?;
        a.mov(ecx, dword_ptr(ebx + 24))?;
        a.mov(eax, dword_ptr(ecx))?;
        a.out(0x80, eax)?;
        a.mov(ecx, dword_ptr(ebx + 16))?;
        a.mov(ecx, dword_ptr(ecx))?;
        a.mov(eax, dword_ptr(ecx))?;
        a.out(0x80, eax)?;
        a.mov(ecx, dword_ptr(ebx + 40))?;
        a.mov(eax, dword_ptr(ecx + 8))?;
        a.out(0x80, eax)?;
        a.hlt()
    });
    for long in [false, true] {
        let image = elf(long, &code, 0, &pvh_note(LINKED + 2));
        let seen = run(&kernel_with_both(image), 4);
        assert_eq!(seen, [0x336e_c578, text(b"quie"), text(b"disk"), 0x9_fc00]);
    }
}

/// A multiboot kernel that reports EAX, its command line's end, its module's
/// first bytes and the memory from 1 MiB on.
fn multiboot_code(address: u64) -> Vec<u8> {
    assemble(32, address, |a| {
        a.out(0x80, eax)?;
        a.mov(ecx, dword_ptr(ebx + 16))?;
        a.mov(eax, dword_ptr(ecx + 7))?;
        a.out(0x80, eax)?;
        a.mov(ecx, dword_ptr(ebx + 24))?;
        a.mov(ecx, dword_ptr(ecx))?;
        a.mov(eax, dword_ptr(ecx))?;
        a.out(0x80, eax)?;
        a.mov(eax, dword_ptr(ebx + 8))?;
        a.out(0x80, eax)?;
        a.hlt()
    })
}

#[test]
fn multiboot_kernels_start_with_their_information() {
    if no_kvm() {
        return;
    }
    let expected = [0x2bad_b002, text(b"quie"), text(b"disk"), 3 * 1024];
    let flat = multiboot_flat(&multiboot_code(LINKED + 32));
    assert_eq!(run(&kernel_with_both(flat), 4), expected);
    // The same in an ELF image, the header behind the code.
    let code = [multiboot_code(LINKED), vec![0; 3]].concat();
    let code = [&code[..code.len() & !3], &multiboot_header(3, &[])].concat();
    for long in [false, true] {
        let image = elf(long, &code, 0, &[]);
        assert_eq!(run(&kernel_with_both(image), 4), expected);
    }
}

#[test]
fn a_64_bit_linux_kernel_starts_with_its_parameters() {
    if no_kvm() {
        return;
    }
    // Command line, RAM disk's place, first bytes and size, loader's type.
    let code = assemble(64, 0x10_0200, |a| {
        a.mov(ecx, dword_ptr(rsi + 0x228))?;
        a.mov(eax, dword_ptr(rcx))?;
        a.out(0x80, eax)?;
        a.mov(eax, dword_ptr(rsi + 0x218))?;
        a.out(0x80, eax)?;
        a.mov(ecx, eax)?;
        a.mov(eax, dword_ptr(rcx))?;
        a.out(0x80, eax)?;
        a.mov(eax, dword_ptr(rsi + 0x21c))?;
        a.out(0x80, eax)?;
        a.movzx(eax, byte_ptr(rsi + 0x210))?;
        a.out(0x80, eax)?;
        a.movzx(eax, byte_ptr(rsi + 0x1e8))?;
        a.out(0x80, eax)?;
        a.hlt()
    });
    let seen = run(&kernel_with_both(bzimage(&code)), 6);
    let expected = [text(b"quie"), 0x37_f000, text(b"disk"), 13, 0xff, 5];
    assert_eq!(seen, expected);
}

#[test]
fn formats_are_detected_and_named() {
    let found = |bytes: Vec<u8>| detect(&Image::new("file", bytes)).ok();
    assert_eq!(found(multiboot_flat(&[])), Some(Format::Multiboot));
    assert_eq!(found(bzimage(&[])), Some(Format::BzImage));
    assert_eq!(found(elf(true, &[0xf4], 0, &[])), Some(Format::Elf));
    // A header that does not lie whole in the first 8 KiB does not count.
    let late = |before| [vec![0; before], multiboot_header(0, &[])].concat();
    assert_eq!(found(late(8192 - 12)), Some(Format::Multiboot));
    assert_eq!(found(late(8192 - 8)), None);
    let error = detect(&Image::new("file", vec![0; 64])).expect_err("refused");
    assert_eq!(
        error.to_string(),
        "file: not a bootable image: no multiboot header in the first 8 KiB, no bzImage magic, \
         no ELF magic; use --format flat for a raw image"
    );
    for (name, format) in [
        ("auto", Format::Auto),
        ("flat", Format::Flat),
        ("elf", Format::Elf),
        ("multiboot", Format::Multiboot),
        ("bzimage", Format::BzImage),
    ] {
        assert_eq!(name.parse::<Format>().expect("known"), format);
    }
    assert!("a.out".parse::<Format>().is_err());
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let directory = tempfile::tempdir().expect("there is room");
    let path = directory.path().join("kernel");
    let message = |path| Image::read(path).expect_err("refused").to_string();
    assert!(message(&path).starts_with(&format!("cannot read {}: ", path.display())));
    assert!(message(directory.path()).contains("directory"));
    std::fs::write(&path, []).expect("written");
    assert!(message(&path).ends_with("kernel: the file is empty"));
    std::fs::write(&path, [1, 2]).expect("written");
    assert_eq!(Image::read(&path).expect("readable").bytes(), [1, 2]);
}

/// The message with which loading fails.
fn refusal(kernel: &Kernel) -> String {
    let platform = Platform::new(&Config { ..config() }).expect("KVM makes machines");
    let error = load(kernel, platform.memory(), &()).expect_err("refused");
    error.to_string()
}

#[test]
fn what_cannot_be_placed_or_handed_over_is_refused() {
    if no_kvm() {
        return;
    }
    let flat = |address, length| Kernel {
        format: Format::Flat,
        flat_address: address,
        ..kernel(vec![0x90; length])
    };
    for (kernel, expected) in [
        (flat(0x9_ffff, 2), "the image needs 0x2 bytes at address 0x9ffff"),
        (flat(0xf_f000, 0x2000), "where the machine has no RAM"),
        (flat(0x3f_ffff, 2), "(it has 0x0 to 0xa0000, 0x100000 to 0x400000)"),
        (flat(u32::MAX, 2), "where the machine has no RAM"),
        (flat(0x10_0000, 0), "the image is empty"),
        (
            Kernel { initrd: kernel_with_both(vec![]).initrd, ..flat(0x10_0000, 1) },
            "initrd: kernel is a flat image and takes no initial RAM disk",
        ),
        (
            Kernel { command_line: "x".into(), ..kernel(elf(true, &[0xf4], 0, &[])) },
            "an ELF image without a PVH note takes no command line, but was given \"x\"",
        ),
        (
            Kernel { command_line: "x".repeat(64), ..kernel(bzimage(&[0xf4])) },
            "a command line of 64 bytes: this kernel takes at most 63",
        ),
        (
            Kernel {
                initrd: Some(Image::new("initrd", vec![0; 0x20_0000])),
                ..kernel(bzimage(&[0xf4]))
            },
            "initrd: no room for 0x200000 bytes of the initial RAM disk in RAM from 0x100000 to \
             0x380000",
        ),
        (kernel(elf(true, &[0xf4], 8 * MIB, &[])), "ELF segment 0 needs 0x800001 bytes"),
    ] {
        let message = refusal(&kernel);
        assert!(message.contains(expected), "{message}\nexpected {expected}");
    }
}

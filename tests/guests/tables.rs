//! Kernels that look for the ACPI tables, as systems do.

use iced_x86::code_asm::*;
use southbridge::guest::Outcome;
use southbridge::vm::boot::Format;

use crate::common::guest::*;

/// Where a kernel counts its boots, and its stack.
const BOOTS: u32 = 0x600;
const STACK: u32 = 0x9_0000;

/// What the kernel ends with if the tables are wrong.
const WRONG: u8 = 0x7f;

/// An ELF executable that is entered by its PVH note.
fn pvh(code: &[u8]) -> Vec<u8> {
    const HEADERS: u32 = 52 + 2 * 32;
    let words =
        |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let size = code.len() as u32;
    let notes = [&words(&[4, 4, 18])[..], b"Xen\0", &CODE.to_le_bytes()].concat();
    let length = notes.len() as u32;
    [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0".to_vec(),
        words(&[1, CODE, 52, 0, 0, 52 | 32 << 16, 2, 0]),
        words(&[1, HEADERS, CODE, CODE, size, size, 7, 4]),
        words(&[4, HEADERS + size, 0, 0, length, length, 4, 4]),
        code.to_vec(),
        notes,
    ]
    .concat()
}

/// Sends `eax` to the debug console, the low byte first. Changes `dx` and `ecx`.
fn send(a: &mut CodeAssembler) -> Assembled {
    let mut again = a.create_label();
    a.mov(ecx, 4)?;
    a.mov(dx, 0x402)?;
    a.set_label(&mut again)?;
    a.out(dx, al)?;
    a.shr(eax, 8)?;
    a.dec(ecx)?;
    a.jnz(again)
}

/// Ends the kernel unless the `ecx` bytes at `esi` add up to zero. Changes `al`, `ecx`
/// and `edi`.
fn add_up(a: &mut CodeAssembler, wrong: CodeLabel) -> Assembled {
    let mut again = a.create_label();
    a.mov(edi, esi)?;
    a.mov(al, 0)?;
    a.set_label(&mut again)?;
    a.add(al, byte_ptr(edi))?;
    a.inc(edi)?;
    a.dec(ecx)?;
    a.jnz(again)?;
    a.test(al, al)?;
    a.jne(wrong)
}

/// Leaves the address of the root pointer in `esi`, found as ACPI says, or 0.
fn scan(a: &mut CodeAssembler) -> Assembled {
    let (mut again, mut next, mut found) = (a.create_label(), a.create_label(), a.create_label());
    a.mov(esi, 0xe_0000)?;
    a.set_label(&mut again)?;
    a.cmp(dword_ptr(esi), u32::from_le_bytes(*b"RSD ") as i32)?;
    a.jne(next)?;
    a.cmp(dword_ptr(esi + 4), u32::from_le_bytes(*b"PTR ") as i32)?;
    a.je(found)?;
    a.set_label(&mut next)?;
    a.add(esi, 16)?;
    a.cmp(esi, 0x10_0000)?;
    a.jb(again)?;
    a.xor(esi, esi)?;
    a.set_label(&mut found)?;
    // A label is of an instruction.
    a.nop()
}

/// Follows the root pointer to the table of fixed things; sends what that says of the
/// SCI and the timer, enables ACPI, and sends whether the SCI and the timer are on.
fn look(a: &mut CodeAssembler) -> Assembled {
    let (mut wrong, mut again, mut done) = (a.create_label(), a.create_label(), a.create_label());
    a.mov(esp, STACK)?;
    // From the start information, and found.
    a.mov(ebp, dword_ptr(ebx + 32))?;
    scan(a)?;
    a.cmp(esi, ebp)?;
    a.jne(wrong)?;
    a.mov(eax, ebp)?;
    send(a)?;
    a.mov(ecx, 20)?;
    add_up(a, wrong)?;
    // The root table, then the first it lists.
    a.mov(esi, dword_ptr(esi + 16))?;
    for pointer in [36, 40] {
        a.mov(ecx, dword_ptr(esi + 4))?;
        add_up(a, wrong)?;
        a.mov(ebp, esi)?;
        a.mov(esi, dword_ptr(esi + pointer))?;
    }
    // The one it points to, which is the program of the machine.
    a.cmp(dword_ptr(esi), u32::from_le_bytes(*b"DSDT") as i32)?;
    a.jne(wrong)?;
    a.mov(ecx, dword_ptr(esi + 4))?;
    add_up(a, wrong)?;
    a.mov(esi, ebp)?;
    a.cmp(dword_ptr(esi), u32::from_le_bytes(*b"FACP") as i32)?;
    a.jne(wrong)?;
    a.movzx(eax, word_ptr(esi + 46))?;
    send(a)?;
    a.mov(eax, dword_ptr(esi + 76))?;
    send(a)?;
    // SMI_CMD takes ACPI_ENABLE; PM1a_CNT has SCI_EN then.
    a.mov(edx, dword_ptr(esi + 48))?;
    a.mov(al, byte_ptr(esi + 52))?;
    a.out(dx, al)?;
    a.mov(edx, dword_ptr(esi + 64))?;
    a.in_(ax, dx)?;
    a.movzx(eax, ax)?;
    send(a)?;
    a.mov(edx, dword_ptr(esi + 76))?;
    a.in_(eax, dx)?;
    a.mov(ebx, eax)?;
    a.set_label(&mut again)?;
    a.in_(eax, dx)?;
    a.cmp(eax, ebx)?;
    a.je(again)?;
    // Spoils all of it, once, and starts anew.
    a.inc(dword_ptr(BOOTS))?;
    a.cmp(dword_ptr(BOOTS), 1)?;
    a.jne(done)?;
    a.mov(dword_ptr(esi), 0)?;
    scan(a)?;
    a.mov(dword_ptr(esi), 0)?;
    enable_pm(a)?;
    out8(a, 0xcf9, 0x06)?;
    stop(a)?;
    a.set_label(&mut done)?;
    exit(a, 1)?;
    a.set_label(&mut wrong)?;
    exit(a, WRONG)
}

#[test]
fn a_kernel_finds_the_power_management_timer_after_each_reset() {
    if no_kvm() {
        return;
    }
    for machine_type in ["pc", "pc-i440fx-7.2", "pc-i440fx-2.0"] {
        let boot = kernel(Format::Auto, pvh(&assemble(32, CODE, look)));
        let running = Running::with(Config { machine_type, cpus: 2, ..Config::default() }, boot);
        assert_eq!(running.outcome(), exited(1), "{machine_type}");
        let said = running.console.bytes();
        let said: Vec<_> =
            said.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        let (first, second) = said.split_at(4);
        assert_eq!(first, second, "{machine_type}");
        let [root, interrupt, timer, control] = *first else { panic!("{said:x?}") };
        assert!((0xe_0000..0x10_0000).contains(&root), "{machine_type}: {root:#x}");
        assert_eq!((interrupt, timer, control), (9, 0x608, 1), "{machine_type}");
    }
}

#[test]
fn a_machine_without_files_for_firmware_has_no_tables() {
    if no_kvm() {
        return;
    }
    let code = assemble(32, CODE, |a| {
        a.mov(eax, dword_ptr(ebx + 32))?;
        send(a)?;
        scan(a)?;
        a.mov(eax, esi)?;
        send(a)?;
        exit(a, 1)
    });
    let config = Config { machine_type: "xenfv-4.2", ..Config::default() };
    let running = Running::with(config, kernel(Format::Auto, pvh(&code)));
    assert_eq!(running.outcome(), exited(1));
    assert_eq!(running.console.bytes(), [0; 8]);
}

/// A 64-bit Linux kernel of these instructions.
fn bzimage(code: &[u8]) -> Vec<u8> {
    let mut image = vec![0; 0x600];
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    put(0x1f1, &[1]);
    put(0x1f4, &(0x200 + code.len().next_multiple_of(16) as u32).div_ceil(16).to_le_bytes());
    put(0x1fe, &[0x55, 0xaa]);
    put(0x202, b"HdrS\x0f\x02");
    put(0x211, &[1]); // loaded high
    put(0x214, &CODE.to_le_bytes());
    put(0x22c, &0x37ff_ffffu32.to_le_bytes());
    put(0x230, &0x20_0000u32.to_le_bytes());
    put(0x234, &[1, 0, 1, 0]); // relocatable, 64-bit entry
    put(0x258, &0x20_0000u64.to_le_bytes());
    put(0x260, &0x1_0000u32.to_le_bytes());
    image.extend(code);
    image.resize(image.len().next_multiple_of(16), 0);
    image
}

#[test]
fn a_linux_kernel_is_told_of_the_tables() {
    if no_kvm() {
        return;
    }
    // The root pointer's address in the boot parameters, and what is there; the ranges
    // that the memory map has of RAM with the root table in it.
    let code = assemble(64, CODE + 0x200, |a| {
        let (mut again, mut next) = (a.create_label(), a.create_label());
        a.mov(rbx, rsi)?;
        a.mov(eax, dword_ptr(rbx + 0x70))?;
        a.mov(esi, eax)?;
        send(a)?;
        a.mov(eax, dword_ptr(rsi))?;
        send(a)?;
        a.mov(esi, dword_ptr(rsi + 16))?;
        a.mov(eax, dword_ptr(rsi))?;
        send(a)?;
        a.movzx(ecx, byte_ptr(rbx + 0x1e8))?;
        a.lea(rdi, qword_ptr(rbx + 0x2d0))?;
        a.xor(ebp, ebp)?;
        a.set_label(&mut again)?;
        a.mov(rax, rsi)?;
        a.sub(rax, qword_ptr(rdi))?;
        a.cmp(rax, qword_ptr(rdi + 8))?;
        a.jae(next)?;
        a.shl(ebp, 8)?;
        a.or(ebp, dword_ptr(rdi + 16))?;
        a.set_label(&mut next)?;
        a.add(rdi, 20)?;
        a.dec(ecx)?;
        a.jnz(again)?;
        a.mov(eax, ebp)?;
        send(a)?;
        exit(a, 1)
    });
    let running = Running::new(kernel(Format::Auto, bzimage(&code)));
    assert_eq!(running.outcome(), Outcome::Exit(3));
    let said = running.console.bytes();
    assert_eq!(said[4..12], *b"RSD RSDT", "{said:x?}");
    let root = u32::from_le_bytes([said[0], said[1], said[2], said[3]]);
    assert!((0xf_0000..0x10_0000).contains(&root), "{root:#x}");
    // One range, which is reserved.
    assert_eq!(said[12..], [2, 0, 0, 0]);
}

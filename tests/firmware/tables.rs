//! What a kernel finds of the machine: the same whether firmware started it or the
//! host did.

use std::time::Duration;

use iced_x86::code_asm::*;

use super::images::sector::{self, Assembled};
use super::run::{Program, Run, no_kvm};

/// Where the code is that sends memory, in the boot sector and in the kernel.
const SEND_IN_SECTOR: u16 = sector::LOADED + 0x140;
const KERNEL: u32 = 0x10_0000;
const HEADER: u32 = 0x20;
const SEND_IN_KERNEL: u32 = KERNEL + 0x400;

/// The function of power management, and where the interrupt line, the place of the
/// registers and what enables them are.
const PM: u32 = 0x8000_0b00;
const PM_REGISTERS: [u32; 3] = [0x3c, 0x40, 0x80];

/// Sends `ecx` bytes from `esi` on to the debug console, each as two letters.
fn send(a: &mut CodeAssembler) -> Assembled {
    let mut again = a.create_label();
    a.set_label(&mut again)?;
    a.lodsb()?;
    a.mov(ah, al)?;
    a.shr(al, 4)?;
    a.add(al, u32::from(b'a'))?;
    a.out(0xe9, al)?;
    a.mov(al, ah)?;
    a.and(al, 0xf)?;
    a.add(al, u32::from(b'a'))?;
    a.out(0xe9, al)?;
    a.dec(ecx)?;
    a.jnz(again)?;
    a.ret()
}

/// Sends the table at `esi`, whose length is in it, with `send` in `ebx`.
fn send_table(a: &mut CodeAssembler) -> Assembled {
    a.mov(ecx, dword_ptr(esi + 4))?;
    a.call(ebx)
}

/// Looks for the root pointer and sends it; the root table; each table it lists,
/// behind the first those it points to; power management's registers. Then SMBIOS's
/// structures. `send` is at an address, and the stack is there.
fn find(a: &mut CodeAssembler, send: u32) -> Assembled {
    let (mut root, mut tables, mut smbios) = (a.create_label(), a.create_label(), a.create_label());
    a.cld()?;
    a.mov(ebx, send)?;
    a.mov(esi, 0xe_0000 - 16)?;
    a.set_label(&mut root)?;
    a.add(esi, 16)?;
    a.cmp(dword_ptr(esi), u32::from_le_bytes(*b"RSD ") as i32)?;
    a.jne(root)?;
    a.cmp(dword_ptr(esi + 4), u32::from_le_bytes(*b"PTR ") as i32)?;
    a.jne(root)?;
    a.mov(ebp, dword_ptr(esi + 16))?;
    a.mov(ecx, 20)?;
    a.call(ebx)?;
    a.mov(esi, ebp)?;
    send_table(a)?;
    a.mov(esi, dword_ptr(ebp + 36))?;
    for pointer in [36, 40] {
        a.push(esi)?;
        a.mov(esi, dword_ptr(esi + pointer))?;
        send_table(a)?;
        a.pop(esi)?;
    }
    // The end of the list.
    a.mov(edi, dword_ptr(ebp + 4))?;
    a.add(edi, ebp)?;
    a.add(ebp, 36)?;
    a.set_label(&mut tables)?;
    a.mov(esi, dword_ptr(ebp))?;
    send_table(a)?;
    a.add(ebp, 4)?;
    a.cmp(ebp, edi)?;
    a.jb(tables)?;
    for register in PM_REGISTERS {
        a.mov(dx, 0xcf8)?;
        a.mov(eax, PM + register)?;
        a.out(dx, eax)?;
        a.mov(dl, 0xfc)?;
        a.in_(eax, dx)?;
        a.push(eax)?;
        a.mov(esi, esp)?;
        a.mov(ecx, 4)?;
        a.call(ebx)?;
    }
    a.mov(esi, 0xf_0000 - 16)?;
    a.set_label(&mut smbios)?;
    a.add(esi, 16)?;
    a.cmp(dword_ptr(esi), u32::from_le_bytes(*b"_SM_") as i32)?;
    a.jne(smbios)?;
    a.movzx(ecx, word_ptr(esi + 0x16))?;
    a.mov(esi, dword_ptr(esi + 0x18))?;
    a.call(ebx)?;
    // S5, at the place of the registers.
    sector::out16(a, sector::PM + 4, 0x2000)?;
    sector::stop(a)
}

/// A multiboot kernel.
fn kernel() -> Vec<u8> {
    const MAGIC: u32 = 0x1bad_b002;
    const ADDRESSES: u32 = 1 << 16;
    let header = [MAGIC, ADDRESSES, 0u32.wrapping_sub(MAGIC + ADDRESSES), KERNEL, KERNEL, 0, 0];
    let header = header.into_iter().chain([KERNEL + HEADER]);
    let mut image: Vec<u8> = header.flat_map(u32::to_le_bytes).collect();
    let at = |address: u32, code: &dyn Fn(&mut CodeAssembler) -> Assembled| {
        let mut assembler = CodeAssembler::new(32).expect("bits are 32");
        code(&mut assembler).expect("the instructions exist");
        assembler.assemble(address.into()).expect("the code is valid")
    };
    image.extend(at(KERNEL + HEADER, &|a| {
        a.mov(esp, 0x9_0000)?;
        find(a, SEND_IN_KERNEL)
    }));
    image.resize((SEND_IN_KERNEL - KERNEL) as usize, 0x90);
    image.extend(at(SEND_IN_KERNEL, &send));
    image
}

/// What a guest sent.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    root: Vec<u8>,
    /// All tables, the root table first.
    tables: Vec<Vec<u8>>,
    pm: Vec<u8>,
    smbios: Vec<u8>,
}

impl Found {
    fn new(said: &str) -> Self {
        let letters = said.as_bytes().chunks_exact(2);
        let mut rest: Vec<u8> =
            letters.map(|pair| (pair[0] - b'a') << 4 | (pair[1] - b'a')).collect();
        let mut take = |length: usize| {
            let behind = rest.split_off(length);
            std::mem::replace(&mut rest, behind)
        };
        let root = take(20);
        let mut table = || {
            let head = take(8);
            let length = number(&head, 4) as usize;
            [head, take(length - 8)].concat()
        };
        let mut tables = vec![table()];
        let count = (tables[0].len() - 36) / 4;
        tables.extend((0..count + 2).map(|_| table()));
        let pm = take(4 * PM_REGISTERS.len());
        Self { root, tables, pm, smbios: rest }
    }

    fn table(&self, signature: &[u8]) -> &[u8] {
        let found = self.tables.iter().find(|table| table.starts_with(signature));
        found.expect("the table is there")
    }

    /// Without what depends on where the tables lie: pointers, and checksums of tables
    /// with pointers; and without the structures that SeaBIOS adds to SMBIOS.
    fn without_addresses(mut self) -> Self {
        self.root[16..20].fill(0);
        self.root[8] = 0;
        for table in &mut self.tables {
            let pointers = match &table[..4] {
                b"RSDT" => 36..table.len(),
                b"FACP" => 36..44,
                _ => continue,
            };
            table[pointers].fill(0);
            table[9] = 0;
        }
        self
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The structures of SMBIOS by their types, with the strings behind them.
fn structures(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while let [kind, length, ..] = *bytes {
        let strings = &bytes[length.into()..];
        let end = strings.windows(2).position(|pair| pair == [0, 0]).expect("they end");
        let (one, rest) = bytes.split_at(usize::from(length) + end + 2);
        found.push((kind, one));
        bytes = rest;
    }
    found
}

/// Runs a guest on a machine, started by firmware if it is a disk, and by the host if
/// it is a kernel.
fn run(machine: &[&str], start: &[&str], name: &str, image: Vec<u8>) -> Found {
    const ALWAYS: &str = "-accel kvm -m 64 -nodefaults -display none \
        -chardev file,path=serial,id=found -device isa-debugcon,iobase=0xe9,chardev=found";
    let always = ALWAYS.split_ascii_whitespace();
    let arguments = always.chain(machine.iter().copied()).chain(start.iter().copied());
    let arguments: Vec<_> = arguments.map(str::to_owned).collect();
    let ended = Run {
        program: Program::Southbridge,
        arguments: &arguments,
        files: &[(name.to_owned(), image)],
        timeout: Duration::from_secs(60),
    }
    .start()
    .end();
    assert_eq!(ended.code, Some(0), "{machine:?}: {ended}");
    Found::new(&ended.serial)
}

#[test]
fn a_kernel_finds_what_firmware_would_leave() {
    if no_kvm() {
        return;
    }
    // On the last, all is read without DMA, and the tables have another layout.
    for machine in [
        &["-machine", "pc-i440fx-7.2,smm=off"][..],
        &["-machine", "pc-i440fx-10.0,smm=off", "-smp", "3"],
        &["-machine", "pc-i440fx-2.1,smm=off", "-smp", "2"],
    ] {
        let sector =
            sector::flat((SEND_IN_SECTOR, sector::assemble(32, SEND_IN_SECTOR, send)), |a| {
                find(a, SEND_IN_SECTOR.into())
            });
        let disk = ["-drive", "file=image,format=raw,if=ide"];
        let by_firmware = run(machine, &disk, "image", sector);
        let by_host = run(machine, &["-kernel", "image"], "image", kernel());
        let sum = |bytes: &[u8]| bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        for found in [&by_firmware, &by_host] {
            assert_eq!(sum(&found.root), 0, "{machine:?}");
            for table in &found.tables {
                let name = table[..4].escape_ascii();
                assert!(table.starts_with(b"FACS") || sum(table) == 0, "{machine:?}: {name}");
            }
            let fadt = found.table(b"FACP");
            assert_eq!((fadt[46], number(fadt, 76)), (9, 0x608), "{machine:?}");
        }
        // SeaBIOS adds a structure about itself.
        let own: Vec<_> = structures(&by_host.smbios);
        let theirs = structures(&by_firmware.smbios);
        let theirs: Vec<_> = theirs.into_iter().filter(|(kind, _)| *kind != 0).collect();
        assert!(own.len() > 5, "{own:?}");
        assert_eq!(own, theirs, "{machine:?}");
        let same = |found: Found| Found { smbios: Vec::new(), ..found.without_addresses() };
        assert_eq!(same(by_host), same(by_firmware), "{machine:?}");
    }
}

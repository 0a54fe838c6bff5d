//! PCI configuration space through mechanism 1 (PCI specification 2.2, section 3.2.2.3.2).

use super::asm::{Emitted, Guest};
use super::vars::Var;
use iced_x86::code_asm::{ax, dx, eax, ebx, edx};

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

/// The address of bus 0, device 0, function 0: the enable bit alone.
const BUS_0: u32 = 0x8000_0000;
const BUS_1: u32 = BUS_0 + (1 << 16);
const DEVICE: u32 = 1 << 11;
const FUNCTION: u32 = 1 << 8;
const FUNCTION_MASK: u32 = 7 << 8;

const fn id(vendor: u32, device: u32) -> u32 {
    device << 16 | vendor
}
/// The PIIX4's power management function.
const PIIX4_PM: u32 = id(0x8086, 0x7113);
const XEN_PLATFORM: u32 = id(0x5853, 0x0001);

/// Selects the register that holds byte `offset` of the function at `ebx`, and gives the port on
/// which that byte is.
fn select(g: &mut Guest, offset: u8) -> Result<u16, super::AssembleError> {
    g.lea(eax, ebx + u32::from(offset & !3))?;
    g.mov(edx, u32::from(ADDRESS))?;
    g.out(dx, eax)?;
    Ok(DATA + u16::from(offset & 3))
}

/// `eax` = byte `offset` of the configuration space of the function at `ebx`.
pub(super) fn read_byte(g: &mut Guest, offset: u8) -> Emitted {
    let port = select(g, offset)?;
    g.inb(port)
}

/// `eax` = the 32-bit register at `offset` of the function at `ebx`.
pub(super) fn read_long(g: &mut Guest, offset: u8) -> Emitted {
    let port = select(g, offset)?;
    g.inl(port)
}

/// Byte `offset` of the function at `ebx` = `value`.
pub(super) fn write_byte(g: &mut Guest, offset: u8, value: u8) -> Emitted {
    let port = select(g, offset)?;
    g.outb(port, value)
}

/// The 16-bit word at `offset` of the function at `ebx` = `value`.
pub(super) fn write_word(g: &mut Guest, offset: u8, value: u16) -> Emitted {
    let port = select(g, offset)?;
    g.outw(port, value)
}

/// Lists the functions on bus 0 and remembers the two that later steps want. Without the power
/// management function there is nothing to go on with.
pub(super) fn scan(g: &mut Guest) -> Emitted {
    g.line(|g| {
        let (probe, present) = (g.create_label(), g.create_label());
        let (next_function, next_device) = (g.create_label(), g.create_label());
        let next = g.create_label();

        g.mov(ebx, BUS_0)?;
        g.place(probe)?;
        read_long(g, 0x00)?;
        g.cmp(ax, 0xffff)?;
        g.jne(present)?;
        g.test(ebx, FUNCTION_MASK)?;
        g.jz(next_device)?;
        g.jmp(next_function)?;

        g.place(present)?;
        g.inc(Var::PciFunctions.word())?;
        remember(g, PIIX4_PM, Var::PmFunction)?;
        remember(g, XEN_PLATFORM, Var::XenFunction)?;
        print_function(g)?;
        g.test(ebx, FUNCTION_MASK)?;
        g.jnz(next_function)?;
        const HEADER_TYPE: u8 = 0x0e;
        const MULTI_FUNCTION: u32 = 0x80;
        read_byte(g, HEADER_TYPE)?;
        g.test(eax, MULTI_FUNCTION)?;
        g.jnz(next_function)?;

        g.place(next_device)?;
        g.add(ebx, DEVICE)?;
        g.jmp(next)?;
        // Function 7 carries over into the next device.
        g.place(next_function)?;
        g.add(ebx, FUNCTION)?;
        g.place(next)?;
        g.cmp(ebx, BUS_1)?;
        g.jb(probe)?;

        g.say("PCI bus 0 scanned, functions: ")?;
        g.mov(eax, Var::PciFunctions.word())?;
        g.run(g.routines.print_decimal)
    })?;

    let found = g.create_label();
    g.mov(ebx, Var::PmFunction.word())?;
    g.test(ebx, ebx)?;
    g.jnz(found)?;
    g.line(|g| {
        g.say("PIIX4 power management")?;
        g.mov(eax, Var::PmFunction.word())?;
        g.check("function 8086:7113, its address", BUS_0 | DEVICE | (3 * FUNCTION))
    })?;
    g.go_to(g.routines.finish)?;
    g.place(found)
}

/// If the function at `ebx`, whose identity is in `eax`, is `wanted`, keeps its address.
fn remember(g: &mut Guest, wanted: u32, place: Var) -> Emitted {
    let other = g.create_label();
    g.cmp(eax, wanted)?;
    g.jne(other)?;
    g.mov(place.word(), ebx)?;
    g.place(other)
}

/// Prints the function at `ebx`, whose identity is in `eax`, as `00:01.3 8086:7113`.
fn print_function(g: &mut Guest) -> Emitted {
    g.push(eax)?;
    g.push(eax)?;
    g.say("00:")?;
    g.mov(eax, ebx)?;
    g.shr(eax, 11)?;
    g.say_hex(2)?;
    g.say(".")?;
    g.mov(eax, ebx)?;
    g.shr(eax, 8)?;
    g.and(eax, 7)?;
    g.say_hex(1)?;
    g.say(" ")?;
    g.pop(eax)?;
    g.say_hex(4)?;
    g.say(":")?;
    g.pop(eax)?;
    g.shr(eax, 16)?;
    g.say_hex(4)?;
    g.say("\n")
}

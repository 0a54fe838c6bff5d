//! The SMBus host controller and an EEPROM behind it (82371AB data sheet, section 7.3; System
//! Management Bus specification 2.0, section 5.5 for the protocols).

use super::asm::{Emitted, Guest};
use super::pci;
use super::vars::Var;
use iced_x86::code_asm::{al, dx, eax, ebx, ecx, edx};

/// Where QEMU has the controller, fixed; on hardware a firmware would choose.
const BASE: u16 = 0xb100;
const STATUS: u16 = BASE;
const CONTROL: u16 = BASE + 2;
const COMMAND: u16 = BASE + 3;
const ADDRESS: u16 = BASE + 4;
const DATA_0: u16 = BASE + 5;
const DATA_1: u16 = BASE + 6;
const BLOCK_DATA: u16 = BASE + 7;

/// SMBHSTSTS: the transaction is over, well (bit 1) or not (bits 2 to 4). Written to clear.
const DONE: u32 = 1 << 1;
const ENDED: u8 = 0x1e;

/// The first of the EEPROMs; all transactions go there.
const EEPROM: u8 = 0x50;

/// SMBHSTCNT: a protocol's code in bits 2 to 4, and the bit that starts it.
#[derive(Clone, Copy)]
enum Protocol {
    ByteData = 2,
    WordData = 3,
    Block = 5,
}
const START: u8 = 1 << 6;

#[derive(Clone, Copy)]
enum Direction {
    Write = 0,
    Read = 1,
}
use Direction::{Read, Write};

/// Places in the EEPROM and what is written there.
const BYTE: (u8, u8) = (0x10, 0x5a);
const WORD: (u8, u16) = (0x20, 0xbeef);
const BLOCK: (u8, [u8; 5]) = (0x30, *b"PIIX4");

/// What the registers hold while nothing is transferred, for [`super::watch`] to check.
pub(super) const PATTERN: [(&str, u16, u8); 4] = [
    ("SMBHSTCMD", COMMAND, 0x3c),
    ("SMBHSTADD", ADDRESS, EEPROM << 1),
    ("SMBHSTDAT0", DATA_0, 0xa5),
    ("SMBHSTDAT1", DATA_1, 0x96),
];

/// Enables the controller, and writes and reads the EEPROM by byte, word and block.
pub(super) fn try_eeprom(g: &mut Guest) -> Emitted {
    g.line(|g| {
        g.say("EEPROM on the SMBus at ")?;
        g.mov(eax, u32::from(EEPROM))?;
        g.say_hex(2)?;
        g.mov(ebx, Var::PmFunction.word())?;
        let [low, high] = BASE.to_le_bytes();
        for (offset, value) in [(0x90, low | 1), (0x91, high)] {
            pci::write_byte(g, offset, value)?;
        }
        const HOST_CONFIGURATION: u8 = 0xd2;
        pci::read_byte(g, HOST_CONFIGURATION)?;
        g.or(eax, 1)?;
        g.mov(edx, 0xcfc + u32::from(HOST_CONFIGURATION & 3))?;
        g.out(dx, al)?;

        g.say(" written and read by byte")?;
        g.outb(DATA_0, BYTE.1)?;
        transfer(g, Protocol::ByteData, Write, BYTE.0)?;
        g.outb(DATA_0, 0)?;
        read_byte_back(g)?;

        g.say(", word")?;
        let [low, high] = WORD.1.to_le_bytes();
        let word = [(DATA_0, low), (DATA_1, high)];
        for (port, value) in word {
            g.outb(port, value)?;
        }
        transfer(g, Protocol::WordData, Write, WORD.0)?;
        for (port, _) in word {
            g.outb(port, 0)?;
        }
        transfer(g, Protocol::WordData, Read, WORD.0)?;
        for (port, value) in word {
            g.inb(port)?;
            g.check("word read", u32::from(value))?;
        }

        g.say(", block")?;
        g.outb(DATA_0, BLOCK.1.len() as u8)?;
        g.inb(CONTROL)?; // Reading it goes back to the start of the block buffer.
        for byte in BLOCK.1 {
            g.outb(BLOCK_DATA, byte)?;
        }
        transfer(g, Protocol::Block, Write, BLOCK.0)?;
        g.outb(DATA_0, 0)?;
        transfer(g, Protocol::Block, Read, BLOCK.0)?;
        g.inb(DATA_0)?;
        g.check("block length", BLOCK.1.len() as u32)?;
        g.inb(CONTROL)?;
        for byte in BLOCK.1 {
            g.inb(BLOCK_DATA)?;
            g.check("block read", u32::from(byte))?;
        }
        write_pattern(g)
    })
}

/// Reads the EEPROM's byte that [`try_eeprom`] wrote, and puts the pattern back.
pub(super) fn read_again(g: &mut Guest) -> Emitted {
    read_byte_back(g)?;
    write_pattern(g)
}

fn read_byte_back(g: &mut Guest) -> Emitted {
    transfer(g, Protocol::ByteData, Read, BYTE.0)?;
    g.inb(DATA_0)?;
    g.check("EEPROM byte read", u32::from(BYTE.1))
}

fn write_pattern(g: &mut Guest) -> Emitted {
    for (_, port, value) in PATTERN {
        g.outb(port, value)?;
    }
    Ok(())
}

/// One transaction with the EEPROM that must end well; `command` is the place in the EEPROM.
fn transfer(g: &mut Guest, protocol: Protocol, direction: Direction, command: u8) -> Emitted {
    g.outb(ADDRESS, EEPROM << 1 | direction as u8)?;
    g.outb(COMMAND, command)?;
    g.mov(eax, u32::from(START | (protocol as u8) << 2))?;
    g.run(g.routines.smbus_run)?;
    g.check("SMBHSTSTS", DONE)
}

/// Starts the transaction that `al` says and returns how it ended.
///
/// It polls the status. QEMU runs a transaction without interrupt only when the status is read,
/// and shows the result at the reading after that.
pub(super) fn run(g: &mut Guest) -> Emitted {
    const POLLS: u32 = 1000;
    let (poll, ended) = (g.create_label(), g.create_label());
    g.place(g.routines.smbus_run)?;
    g.push(eax)?;
    g.outb(STATUS, ENDED)?;
    g.pop(eax)?;
    g.mov(edx, u32::from(CONTROL))?;
    g.out(dx, al)?;
    g.mov(ecx, POLLS)?;
    g.place(poll)?;
    g.inb(STATUS)?;
    g.test(eax, u32::from(ENDED))?;
    g.jnz(ended)?;
    g.loop_(poll)?;
    g.place(ended)?;
    g.push(eax)?;
    g.outb(STATUS, ENDED)?;
    g.pop(eax)?;
    g.ret()
}

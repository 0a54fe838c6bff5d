//! The display interface of Bochs (VBE DISPI), which sets modes beyond the VGA's.

use southbridge_sdk::Context;

use crate::core::Core;
use crate::description::{VRAM, VRAM_SIZE};

/// Registers.
pub(crate) mod index {
    pub(crate) const ID: u16 = 0;
    pub(crate) const XRES: u16 = 1;
    pub(crate) const YRES: u16 = 2;
    pub(crate) const BPP: u16 = 3;
    pub(crate) const ENABLE: u16 = 4;
    pub(crate) const BANK: u16 = 5;
    pub(crate) const VIRT_WIDTH: u16 = 6;
    pub(crate) const VIRT_HEIGHT: u16 = 7;
    pub(crate) const X_OFFSET: u16 = 8;
    pub(crate) const Y_OFFSET: u16 = 9;
    /// The video memory in units of 64 KiB; read-only and not saved.
    pub(crate) const VIDEO_MEMORY_64K: u16 = 10;
}

/// Registers that are saved.
pub(crate) const COUNT: usize = 10;

/// The ids of the interface's versions.
pub(crate) const IDS: std::ops::RangeInclusive<u16> = 0xb0c0..=0xb0c5;

/// Bits of the enable register.
pub(crate) const ENABLED: u16 = 0x01;
pub(crate) const GET_CAPABILITIES: u16 = 0x02;
pub(crate) const DAC_8_BIT: u16 = 0x20;
pub(crate) const NO_CLEAR: u16 = 0x80;

const MAX_WIDTH: u16 = 16000;
const MAX_HEIGHT: u16 = 12000;
const MAX_BITS: u16 = 32;

/// Bytes from one line to the next, at most.
pub(crate) const LONGEST_LINE: u32 = (MAX_WIDTH * (MAX_BITS / 8)) as u32;

/// The greatest number of a bank of 64 KiB.
pub(crate) const BANK_MASK: u16 = (VRAM_SIZE >> 16) as u16 - 1;

/// Zeros written to the video memory at once.
const PIECE: usize = 0x1_0000;

/// The interface's registers and what follows from them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dispi {
    pub(crate) index: u16,
    pub(crate) regs: [u16; COUNT],
    /// The first byte of the bank in the window at 0xa0000.
    pub(crate) bank_offset: u32,
    /// The first pixel's address, in units of 4 bytes.
    pub(crate) start: u32,
    /// Bytes from one line to the next.
    pub(crate) line_offset: u32,
}

impl Dispi {
    pub(crate) fn new() -> Self {
        let mut regs = [0; COUNT];
        regs[usize::from(index::ID)] = *IDS.end();
        Self { index: 0, regs, bank_offset: 0, start: 0, line_offset: 0 }
    }

    pub(crate) fn get(&self, index: u16) -> u16 {
        self.regs.get(usize::from(index)).copied().unwrap_or(0)
    }

    fn set(&mut self, index: u16, value: u16) {
        if let Some(register) = self.regs.get_mut(usize::from(index)) {
            *register = value;
        }
    }

    pub(crate) fn enabled(&self) -> bool {
        self.get(index::ENABLE) & ENABLED != 0
    }

    /// Whether the palette's colours have 8 bits rather than 6.
    pub(crate) fn dac_8_bit(&self) -> bool {
        self.get(index::ENABLE) & DAC_8_BIT != 0
    }

    pub(crate) fn width(&self) -> u16 {
        self.get(index::XRES)
    }

    pub(crate) fn height(&self) -> u16 {
        self.get(index::YRES)
    }

    pub(crate) fn bits_per_pixel(&self) -> u16 {
        self.get(index::BPP)
    }

    /// Reads the register that the index selects.
    pub(crate) fn read(&self) -> u16 {
        let capabilities = self.get(index::ENABLE) & GET_CAPABILITIES != 0;
        match self.index {
            index::XRES if capabilities => MAX_WIDTH,
            index::YRES if capabilities => MAX_HEIGHT,
            index::BPP if capabilities => MAX_BITS,
            index::VIDEO_MEMORY_64K => (VRAM_SIZE >> 16) as u16,
            index => self.get(index),
        }
    }

    /// Whether a loaded state is one in which the interface can be.
    ///
    /// # Errors
    /// Its registers are not those of a mode.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut settled = self.clone();
        settled.settle();
        let selected = u32::from(self.get(index::BANK)) << 16;
        if settled != *self {
            Err(format!("{self:x?} is no mode, {settled:x?} expected"))
        } else if ![0, selected].contains(&self.bank_offset) {
            Err(format!("bank_offset {:#x}: {selected:#x}, the bank, expected", self.bank_offset))
        } else {
            Ok(())
        }
    }

    /// Makes the registers a mode that exists, as QEMU does, and derives the
    /// rest.
    pub(crate) fn settle(&mut self) {
        if !self.enabled() {
            return;
        }
        let bits = match self.bits_per_pixel() {
            bits @ (4 | 8 | 16 | 24 | 32) => u32::from(bits),
            15 => 16,
            _ => {
                self.set(index::BPP, 8);
                8
            }
        };
        let width = (self.width() & !7).clamp(8, MAX_WIDTH);
        self.set(index::XRES, width);
        let virtual_width = (self.get(index::VIRT_WIDTH) & !7).min(MAX_WIDTH).max(width);
        self.set(index::VIRT_WIDTH, virtual_width);
        let line = u32::from(virtual_width) * bits / 8;
        let lines = VRAM_SIZE as u32 / line;
        let height = u32::from(self.height().clamp(1, MAX_HEIGHT)).min(lines);
        self.set(index::YRES, height as u16);
        let mut x = self.get(index::X_OFFSET).min(MAX_WIDTH);
        let mut y = self.get(index::Y_OFFSET).min(MAX_HEIGHT);
        let start = |x, y| u32::from(x) * bits / 8 + u32::from(y) * line;
        let fits = |x, y| u64::from(start(x, y) + height * line) <= VRAM_SIZE;
        if !fits(x, y) {
            y = 0;
            if !fits(x, y) {
                x = 0;
            }
        }
        self.set(index::X_OFFSET, x);
        self.set(index::Y_OFFSET, y);
        self.set(index::VIRT_HEIGHT, lines as u16);
        self.line_offset = line;
        self.start = start(x, y) / 4;
    }
}

impl Core {
    /// Writes the register that the index selects.
    pub(crate) fn dispi_write(&mut self, cx: &mut Context<'_>, value: u16) {
        let dispi = &mut self.dispi;
        match dispi.index {
            index::ID if IDS.contains(&value) => dispi.set(index::ID, value),
            index::XRES
            | index::YRES
            | index::BPP
            | index::VIRT_WIDTH
            | index::X_OFFSET
            | index::Y_OFFSET => {
                dispi.set(dispi.index, value);
                dispi.settle();
                self.hold_registers();
            }
            index::ENABLE => self.dispi_enable(cx, value),
            index::BANK => {
                let bank = value & BANK_MASK;
                dispi.set(index::BANK, bank);
                dispi.bank_offset = u32::from(bank) << 16;
                self.look_at_window();
            }
            _ => {}
        }
    }

    fn dispi_enable(&mut self, cx: &mut Context<'_>, value: u16) {
        let dispi = &mut self.dispi;
        if value & ENABLED != 0 && !dispi.enabled() {
            for offset in [index::VIRT_WIDTH, index::X_OFFSET, index::Y_OFFSET] {
                dispi.set(offset, 0);
            }
            dispi.set(index::ENABLE, dispi.get(index::ENABLE) | ENABLED);
            dispi.settle();
            let visible = u32::from(dispi.height()) * dispi.line_offset;
            self.hold_registers();
            if value & NO_CLEAR == 0 {
                clear(cx, visible.into());
            }
        } else {
            dispi.bank_offset = 0;
        }
        self.dispi.set(index::ENABLE, value);
        self.look_at_window();
    }
}

/// Clears the first `length` bytes of the video memory.
fn clear(cx: &mut Context<'_>, length: u64) {
    let zeros = vec![0; PIECE];
    let length = length.min(VRAM_SIZE);
    for at in (0..length).step_by(PIECE) {
        let piece = (length - at).min(PIECE as u64) as usize;
        cx.memory_write(VRAM, at, &zeros[..piece]);
    }
}

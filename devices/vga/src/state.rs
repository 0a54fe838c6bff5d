//! The saved state: QEMU's section `vga`.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::Vga;
use crate::core::{Core, Dac};
use crate::description::VRAM_SIZE;
use crate::dispi::{self, BANK_MASK, Dispi, index};
use crate::regs::{AttributeAddress, MiscellaneousOutput, RETRACE, attribute, graphics, sequencer};

const VGA: Shape = Shape::new("vga", 2, 2);
const ENDIAN: Shape = Shape::new("vga.endian", 1, 1);

impl Vga {
    pub(crate) fn declare(&mut self, sections: &mut Sections<'_>) {
        let Self { options: _, function, core } = self;
        sections.section_with_path(VGA, Condition::ALWAYS, |f| {
            function.state(f, "dev");
            f.structure("vga", VGA, |f| declare_core(f, core));
        });
    }
}

fn declare_core(f: &mut Fields<'_>, core: &mut Core) {
    f.u32("latch", &mut core.latch);
    at_most(f, "sr_index", &mut core.sr_index, 7);
    masked(f, "sr", &mut core.sr, |index| sequencer::WRITABLE[index]);
    at_most(f, "gr_index", &mut core.gr_index, 15);
    masked(f, "gr", &mut core.gr, |index| graphics::WRITABLE[index]);
    let mut address = core.ar_index.into_bits();
    at_most(f, "ar_index", &mut address, 0x3f);
    core.ar_index = AttributeAddress::from_bits(address);
    masked(f, "ar", &mut core.ar, attribute::writable);
    let mut flip_flop = i32::from(core.ar_flip_flop);
    f.i32("ar_flip_flop", &mut flip_flop);
    f.check(matches!(flip_flop, 0 | 1), || format!("{flip_flop} found, 0 or 1 expected"));
    core.ar_flip_flop = flip_flop == 1;
    f.u8("cr_index", &mut core.cr_index);
    f.buffer("cr", "buffer", &mut core.cr);
    let mut msr = core.msr.into_bits();
    bits(f, "msr", &mut msr, 0xef);
    core.msr = MiscellaneousOutput::from_bits(msr);
    bits(f, "fcr", &mut core.fcr, 0x10);
    bits(f, "st00", &mut core.st00, 0);
    bits(f, "st01", &mut core.st01, RETRACE);
    declare_dac(f, &mut core.dac);
    declare_dispi(f, &mut core.dispi);
    if f.is_loading() {
        core.hold_registers();
        core.look_at_window();
    }
    f.private(|f| {
        f.bool("sr_vbe", &mut core.overlay.byte_pixels);
        f.bool("has_chain4_alias", &mut core.plain);
    });
    f.subsection(ENDIAN, Condition::new("big endian", core.big_endian), |f| {
        f.bool("big_endian_fb", &mut core.big_endian);
    });
}

fn declare_dac(f: &mut Fields<'_>, dac: &mut Dac) {
    let Dac { state, sub_index, read_index, write_index, cache, palette } = dac;
    f.u8("dac_state", state);
    f.check(matches!(*state, Dac::READING | Dac::WRITING), || {
        format!("{state} found, {} or {} expected", Dac::WRITING, Dac::READING)
    });
    at_most(f, "dac_sub_index", sub_index, 2);
    f.u8("dac_read_index", read_index);
    f.u8("dac_write_index", write_index);
    f.buffer("dac_cache", "buffer", cache);
    f.buffer("palette", "buffer", palette);
}

fn declare_dispi(f: &mut Fields<'_>, dispi: &mut Dispi) {
    let Dispi { index, regs, bank_offset, start, line_offset } = dispi;
    let mut offset = *bank_offset as i32;
    f.i32("bank_offset", &mut offset);
    *bank_offset = offset as u32;
    f.check(*bank_offset & 0xffff == 0 && *bank_offset >> 16 <= u32::from(BANK_MASK), || {
        format!("{offset:#x} found, a multiple of 0x10000 up to {BANK_MASK:#x}0000 expected")
    });
    let mut present = 1;
    f.u8("is_vbe_vmstate", &mut present);
    f.check(present == 1, || format!("{present} found, 1 expected"));
    f.u16("vbe_index", index);
    f.u16s("vbe_regs", regs);
    f.check(dispi::IDS.contains(&regs[usize::from(index::ID)]), || {
        format!("id {:#06x} found, {:#06x?} expected", regs[0], dispi::IDS)
    });
    f.check(regs[usize::from(index::BANK)] <= BANK_MASK, || {
        format!("bank {:#x} found, at most {BANK_MASK:#x} expected", regs[5])
    });
    f.u32("vbe_start_addr", start);
    f.check(u64::from(*start) * 4 < VRAM_SIZE, || {
        format!("{start:#x} found, below {:#x} expected", VRAM_SIZE / 4)
    });
    f.u32("vbe_line_offset", line_offset);
    f.check(*line_offset <= dispi::LONGEST_LINE, || {
        format!("{line_offset} found, at most {} expected", dispi::LONGEST_LINE)
    });
    let mut mask = u32::from(BANK_MASK);
    f.u32("vbe_bank_mask", &mut mask);
    f.check(mask == u32::from(BANK_MASK), || {
        format!("{mask:#x} found, {BANK_MASK:#x} expected: video memory of another size")
    });
}

/// A byte up to a greatest value.
fn at_most(f: &mut Fields<'_>, name: &'static str, value: &mut u8, most: u8) {
    f.u8(name, value);
    f.check(*value <= most, || format!("{value:#x} found, at most {most:#x} expected"));
}

/// A byte of which only some bits can be set.
fn bits(f: &mut Fields<'_>, name: &'static str, value: &mut u8, writable: u8) {
    f.u8(name, value);
    f.check(*value & !writable == 0, || format!("{value:#x} found, bits {writable:#x} expected"));
}

/// Registers of each of which only some bits can be set.
fn masked(
    f: &mut Fields<'_>,
    name: &'static str,
    registers: &mut [u8],
    writable: impl Fn(usize) -> u8,
) {
    f.buffer(name, "buffer", registers);
    let wrong = (0..).zip(&*registers).find(|&(index, &value)| value & !writable(index) != 0);
    f.check(wrong.is_none(), || {
        let (index, value) = wrong.unwrap_or((0, &0));
        format!("register {index:#x} is {value:#x}, bits {:#x} expected", writable(index))
    });
}

//! The registers' contents.

use crate::dispi::Dispi;
use crate::regs::{
    AttributeAddress, AttributeMode, ClockingMode, CrtMode, GraphicsMode, MaxScan, MemoryMode,
    Miscellaneous, MiscellaneousOutput, attribute, crtc, graphics, sequencer,
};

/// A VGA, with names that QEMU's saved state has.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// A byte of each map, read last.
    pub(crate) latch: u32,
    pub(crate) sr_index: u8,
    pub(crate) sr: [u8; 8],
    pub(crate) overlay: Overlay,
    pub(crate) gr_index: u8,
    pub(crate) gr: [u8; 16],
    pub(crate) ar_index: AttributeAddress,
    pub(crate) ar: [u8; attribute::COUNT],
    pub(crate) ar_flip_flop: bool,
    pub(crate) cr_index: u8,
    pub(crate) cr: [u8; 256],
    pub(crate) msr: MiscellaneousOutput,
    pub(crate) fcr: u8,
    pub(crate) st00: u8,
    pub(crate) st01: u8,
    pub(crate) dac: Dac,
    pub(crate) dispi: Dispi,
    pub(crate) big_endian: bool,
    /// Whether the window is plain memory, as with chain 4 and all maps. As in
    /// QEMU, a change of the pixels' depth alone does not count before the next
    /// write to a register that does.
    pub(crate) plain: bool,
    /// Whether the window has the addresses QEMU has from 9.0 on.
    pub(crate) word_modes: bool,
}

/// Bits of the sequencer's registers that take their place while the display
/// interface is enabled. They accumulate, as in QEMU.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overlay {
    pub(crate) byte_pixels: bool,
}

/// The digital-to-analog converter and its palette.
#[derive(Clone, Debug)]
pub(crate) struct Dac {
    pub(crate) state: u8,
    pub(crate) sub_index: u8,
    pub(crate) read_index: u8,
    pub(crate) write_index: u8,
    pub(crate) cache: [u8; 3],
    pub(crate) palette: [u8; 768],
}

impl Core {
    /// After a reset: everything is zero, and the screen dark.
    pub(crate) fn new() -> Self {
        Self {
            latch: 0,
            sr_index: 0,
            sr: [0; 8],
            overlay: Overlay::default(),
            gr_index: 0,
            gr: [0; 16],
            ar_index: AttributeAddress::new(),
            ar: [0; attribute::COUNT],
            ar_flip_flop: false,
            cr_index: 0,
            cr: [0; 256],
            msr: MiscellaneousOutput::new(),
            fcr: 0,
            st00: 0,
            st01: 0,
            dac: Dac {
                state: 0,
                sub_index: 0,
                read_index: 0,
                write_index: 0,
                cache: [0; 3],
                palette: [0; 768],
            },
            dispi: Dispi::new(),
            big_endian: false,
            plain: false,
            word_modes: false,
        }
    }

    /// A sequencer register as it takes effect.
    fn sequencer(&self, index: usize) -> u8 {
        if !self.dispi.enabled() {
            return self.sr[index];
        }
        match index {
            sequencer::MAP_MASK if self.overlay.byte_pixels => sequencer::ALL_MAPS,
            sequencer::MEMORY_MODE if self.overlay.byte_pixels => {
                MemoryMode::new().with_chain_4(true).into_bits()
            }
            _ => 0,
        }
    }

    pub(crate) fn map_mask(&self) -> u8 {
        self.sequencer(sequencer::MAP_MASK)
    }

    pub(crate) fn clocking_mode(&self) -> ClockingMode {
        ClockingMode::from_bits(self.sequencer(sequencer::CLOCKING_MODE))
    }

    pub(crate) fn character_map(&self) -> u8 {
        self.sequencer(sequencer::CHARACTER_MAP)
    }

    pub(crate) fn memory_mode(&self) -> MemoryMode {
        MemoryMode::from_bits(self.sequencer(sequencer::MEMORY_MODE))
    }

    pub(crate) fn graphics_mode(&self) -> GraphicsMode {
        GraphicsMode::from_bits(self.gr[graphics::MODE])
    }

    pub(crate) fn miscellaneous(&self) -> Miscellaneous {
        Miscellaneous::from_bits(self.gr[graphics::MISCELLANEOUS])
    }

    pub(crate) fn attribute_mode(&self) -> AttributeMode {
        AttributeMode::from_bits(self.ar[attribute::MODE])
    }

    pub(crate) fn max_scan(&self) -> MaxScan {
        MaxScan::from_bits(self.cr[crtc::MAX_SCAN])
    }

    pub(crate) fn crt_mode(&self) -> CrtMode {
        CrtMode::from_bits(self.cr[crtc::MODE])
    }

    /// Notes whether the window is plain memory.
    pub(crate) fn look_at_window(&mut self) {
        let all = sequencer::ALL_MAPS;
        self.plain = self.memory_mode().chain_4() && self.map_mask() & all == all;
    }

    /// While the display interface is enabled it holds some registers at what
    /// its mode needs.
    pub(crate) fn hold_registers(&mut self) {
        if !self.dispi.enabled() {
            return;
        }
        let miscellaneous = self.miscellaneous().with_memory_map(1).with_graphics(true);
        self.gr[graphics::MISCELLANEOUS] = miscellaneous.into_bits();
        let mode = self.crt_mode().with_no_interleave_13(true).with_no_interleave_14(true);
        self.cr[crtc::MODE] = mode.into_bits();
        self.cr[crtc::OFFSET] = (self.dispi.line_offset >> 3) as u8;
        let last_line = self.dispi.height().wrapping_sub(1);
        self.cr[crtc::H_DISPLAY_END] = (self.dispi.width() >> 3).wrapping_sub(1) as u8;
        self.cr[crtc::V_DISPLAY_END] = last_line as u8;
        let high = (last_line >> 7 & 0x02 | last_line >> 3 & 0x40) as u8;
        self.cr[crtc::OVERFLOW] = self.cr[crtc::OVERFLOW] & !0x42 | high | crtc::LINE_COMPARE_8;
        self.cr[crtc::LINE_COMPARE] = 0xff;
        let scan = self.max_scan().with_lines(0).with_double_scan(false).with_line_compare_9(true);
        self.cr[crtc::MAX_SCAN] = scan.into_bits();
        let bytes = self.dispi.bits_per_pixel() != 4;
        self.overlay.byte_pixels |= bytes;
        let mode = self.graphics_mode().with_shift(if bytes { 2 } else { 0 });
        self.gr[graphics::MODE] = mode.into_bits();
    }
}

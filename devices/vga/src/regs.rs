//! The registers: their numbers and bits, with the names IBM's technical
//! reference of the VGA gives them.

use bitfield_struct::bitfield;

/// Sequencer registers.
pub(crate) mod sequencer {
    /// Clocking Mode.
    pub(crate) const CLOCKING_MODE: usize = 1;
    /// Map Mask.
    pub(crate) const MAP_MASK: usize = 2;
    /// Character Map Select.
    pub(crate) const CHARACTER_MAP: usize = 3;
    /// Memory Mode.
    pub(crate) const MEMORY_MODE: usize = 4;
    /// The bits that can be written. Number 7 is a scratch register.
    pub(crate) const WRITABLE: [u8; 8] = [0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0x00, 0x00, 0xff];
    /// All maps.
    pub(crate) const ALL_MAPS: u8 = 0x0f;
}

/// Clocking Mode.
#[bitfield(u8)]
pub(crate) struct ClockingMode {
    /// Characters are 8 dots wide rather than 9.
    pub(crate) eight_dots: bool,
    __: bool,
    /// SL: shift load.
    pub(crate) shift_load: bool,
    /// DC: the dot clock is halved.
    pub(crate) half_dot_clock: bool,
    /// S4: shift 4.
    pub(crate) shift_4: bool,
    /// SO: screen off.
    pub(crate) screen_off: bool,
    #[bits(2)]
    __: u8,
}

/// Memory Mode.
#[bitfield(u8)]
pub(crate) struct MemoryMode {
    __: bool,
    /// EM: extended memory.
    pub(crate) extended: bool,
    /// OE: system addresses select maps sequentially rather than by parity.
    pub(crate) sequential: bool,
    /// CH4: the two low bits of an address select the map.
    pub(crate) chain_4: bool,
    #[bits(4)]
    __: u8,
}

/// Graphics controller registers.
pub(crate) mod graphics {
    /// Set/Reset.
    pub(crate) const SET_RESET: usize = 0;
    /// Enable Set/Reset.
    pub(crate) const ENABLE_SET_RESET: usize = 1;
    /// Color Compare.
    pub(crate) const COLOR_COMPARE: usize = 2;
    /// Data Rotate.
    pub(crate) const DATA_ROTATE: usize = 3;
    /// Read Map Select.
    pub(crate) const READ_MAP: usize = 4;
    /// Graphics Mode.
    pub(crate) const MODE: usize = 5;
    /// Miscellaneous.
    pub(crate) const MISCELLANEOUS: usize = 6;
    /// Color Don't Care.
    pub(crate) const COLOR_CARE: usize = 7;
    /// Bit Mask.
    pub(crate) const BIT_MASK: usize = 8;
    /// The bits that can be written.
    pub(crate) const WRITABLE: [u8; 16] =
        [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff, 0, 0, 0, 0, 0, 0, 0];
}

/// Data Rotate.
#[bitfield(u8)]
pub(crate) struct DataRotate {
    /// Positions by which the processor's data is rotated to the right.
    #[bits(3)]
    pub(crate) count: u8,
    /// FS: what is done with the data and the latches: nothing, AND, OR, XOR.
    #[bits(2)]
    pub(crate) function: u8,
    #[bits(3)]
    __: u8,
}

/// Graphics Mode.
#[bitfield(u8)]
pub(crate) struct GraphicsMode {
    /// WM: write mode.
    #[bits(2)]
    pub(crate) write_mode: u8,
    __: bool,
    /// RM: reads compare colours.
    pub(crate) compare: bool,
    /// OE: odd/even addressing.
    pub(crate) odd_even: bool,
    /// SR and C256: how bits become pixels: 0 a bit from each map, 1 two bits
    /// from each pair of maps, above a byte.
    #[bits(2)]
    pub(crate) shift: u8,
    __: bool,
}

/// Miscellaneous (graphics controller).
#[bitfield(u8)]
pub(crate) struct Miscellaneous {
    /// GM: graphics mode.
    pub(crate) graphics: bool,
    /// OE: odd maps are chained to even ones.
    pub(crate) chain: bool,
    /// MM: memory map.
    #[bits(2)]
    pub(crate) memory_map: u8,
    #[bits(4)]
    __: u8,
}

/// Attribute controller registers.
pub(crate) mod attribute {
    /// The last of 16 Internal Palette registers.
    pub(crate) const PALETTE_LAST: usize = 0x0f;
    /// Attribute Mode Control.
    pub(crate) const MODE: usize = 0x10;
    /// Color Plane Enable.
    pub(crate) const PLANES: usize = 0x12;
    /// Color Select.
    pub(crate) const COLOR_SELECT: usize = 0x14;
    /// How many there are.
    pub(crate) const COUNT: usize = 0x15;
    /// The bits of each that can be written.
    pub(crate) const fn writable(index: usize) -> u8 {
        match index {
            0..=PALETTE_LAST | PLANES => 0x3f,
            MODE => 0xef,
            0x11 => 0xff,
            _ => 0x0f,
        }
    }
}

/// Attribute Mode Control.
#[bitfield(u8)]
pub(crate) struct AttributeMode {
    /// G: graphics mode.
    pub(crate) graphics: bool,
    /// ME: monochrome.
    pub(crate) mono: bool,
    /// ELG: the ninth dot of line graphics characters is as the eighth.
    pub(crate) line_graphics: bool,
    /// EB: blinking.
    pub(crate) blink: bool,
    __: bool,
    /// PP: pel panning compatibility.
    pub(crate) panning: bool,
    /// PW: pel width.
    pub(crate) wide: bool,
    /// PS: two bits of colours come from Color Select.
    pub(crate) palette_size: bool,
}

/// Attribute Address.
#[bitfield(u8)]
pub(crate) struct AttributeAddress {
    /// The register's number.
    #[bits(5)]
    pub(crate) index: usize,
    /// IPAS: the palette belongs to the display; the screen is dark else.
    pub(crate) display: bool,
    #[bits(2)]
    __: u8,
}

/// CRT controller registers.
pub(crate) mod crtc {
    /// Horizontal Display Enable End.
    pub(crate) const H_DISPLAY_END: usize = 0x01;
    /// Vertical Total.
    pub(crate) const V_TOTAL: usize = 0x06;
    /// Overflow.
    pub(crate) const OVERFLOW: usize = 0x07;
    /// Maximum Scan Line.
    pub(crate) const MAX_SCAN: usize = 0x09;
    /// Cursor Start.
    pub(crate) const CURSOR_START: usize = 0x0a;
    /// Cursor End.
    pub(crate) const CURSOR_END: usize = 0x0b;
    /// Start Address High; Low follows.
    pub(crate) const START: usize = 0x0c;
    /// Cursor Location High; Low follows.
    pub(crate) const CURSOR: usize = 0x0e;
    /// Vertical Retrace End.
    pub(crate) const V_RETRACE_END: usize = 0x11;
    /// Vertical Display Enable End.
    pub(crate) const V_DISPLAY_END: usize = 0x12;
    /// Offset.
    pub(crate) const OFFSET: usize = 0x13;
    /// Underline Location.
    pub(crate) const UNDERLINE: usize = 0x14;
    /// CRT Mode Control.
    pub(crate) const MODE: usize = 0x17;
    /// Line Compare.
    pub(crate) const LINE_COMPARE: usize = 0x18;
    /// Vertical Retrace End: registers 0 to 7 are protected.
    pub(crate) const PROTECT: u8 = 0x80;
    /// Underline Location: doubleword mode.
    pub(crate) const DOUBLEWORD: u8 = 0x40;
    /// Overflow: bit 8 of Line Compare.
    pub(crate) const LINE_COMPARE_8: u8 = 0x10;
}

/// Maximum Scan Line.
#[bitfield(u8)]
pub(crate) struct MaxScan {
    /// MSL: lines of a row, less one.
    #[bits(5)]
    pub(crate) lines: u8,
    /// VBS9: bit 9 of Start Vertical Blanking.
    pub(crate) blanking_9: bool,
    /// LC9: bit 9 of Line Compare.
    pub(crate) line_compare_9: bool,
    /// DSC: lines are shown twice.
    pub(crate) double_scan: bool,
}

/// CRT Mode Control.
#[bitfield(u8)]
pub(crate) struct CrtMode {
    /// CMS0: bit 13 of addresses is not bit 0 of the row scan counter.
    pub(crate) no_interleave_13: bool,
    /// CMS1: bit 14 of addresses is not bit 1 of the row scan counter.
    pub(crate) no_interleave_14: bool,
    #[bits(4)]
    __: u8,
    /// WB: byte mode.
    pub(crate) byte_mode: bool,
    __: bool,
}

/// Miscellaneous Output.
#[bitfield(u8)]
pub(crate) struct MiscellaneousOutput {
    /// IOS: colour addresses (3dx) rather than monochrome ones (3bx).
    pub(crate) colour: bool,
    /// ERAM: the processor reaches the memory.
    pub(crate) memory: bool,
    #[bits(2)]
    pub(crate) clock: u8,
    __: bool,
    /// Bit 5: page for odd/even addressing.
    pub(crate) page: bool,
    #[bits(2)]
    pub(crate) polarity: u8,
}

/// Input Status 1: display enable and vertical retrace, in QEMU's simple way
/// each inverted by every read.
pub(crate) const RETRACE: u8 = 0x09;

//! What the device is, and the numbers of its parts.

use southbridge_sdk::Properties;
use southbridge_sdk::describe::{
    aligned, backed, configuration, device, flag, memory, number, ports, ram, rom,
};
use southbridge_sdk::wit::{AccessSizes, Attachment, Description, Region};

/// Regions.
pub(crate) const CONFIGURATION: u32 = 0;
pub(crate) const FRAMEBUFFER: u32 = 1;
pub(crate) const MMIO: u32 = 2;
pub(crate) const FIRMWARE: u32 = 3;
pub(crate) const WINDOW: u32 = 4;
pub(crate) const MONO_CRTC: u32 = 5;
pub(crate) const MONO_STATUS: u32 = 6;
pub(crate) const REGISTERS: u32 = 7;
pub(crate) const COLOUR_CRTC: u32 = 8;
pub(crate) const COLOUR_STATUS: u32 = 9;
pub(crate) const DISPI: u32 = 10;

/// Blocks of memory.
pub(crate) const VRAM: u32 = 0;
pub(crate) const ROM: u32 = 1;

/// Bytes of video memory.
pub(crate) const VRAM_SIZE: u64 = VRAM_MIB << 20;
/// Bytes of the space for the video BIOS.
pub(crate) const ROM_SIZE: u64 = 0x1_0000;
/// Bytes of the registers in memory.
pub(crate) const MMIO_SIZE: u64 = 0x1000;

const VRAM_MIB: u64 = 16;

/// Groups of VGA ports: region and first port.
pub(crate) const VGA_PORTS: [(u32, u16); 5] = [
    (MONO_CRTC, 0x3b4),
    (MONO_STATUS, 0x3ba),
    (REGISTERS, 0x3c0),
    (COLOUR_CRTC, 0x3d4),
    (COLOUR_STATUS, 0x3da),
];

/// The number of VGA ports in a group.
pub(crate) const fn group_size(region: u32) -> u64 {
    match region {
        REGISTERS => 16,
        MONO_CRTC | COLOUR_CRTC => 2,
        _ => 1,
    }
}

pub(crate) fn describe() -> Description {
    Description {
        properties: vec![
            number("vgamem_mb", VRAM_MIB, "MiB of video memory; there are no other sizes"),
            flag("edid", true, "the monitor's data can be read, as on machines from 4.0 on"),
            flag(
                "qemu-extended-regs",
                true,
                "the byte order can be set, as on machines from 2.2 on",
            ),
            flag(
                "word-modes",
                true,
                "word modes and latches count for text, and more is as from QEMU 9.0 on",
            ),
            flag(
                "global-vmstate",
                false,
                "memory is saved without the device's path, as on machines up to 2.12",
            ),
        ],
        regions: regions(),
        memories: vec![ram("vram", VRAM_SIZE), rom("rom", ROM_SIZE)],
        ..device(
            "vga",
            env!("CARGO_PKG_VERSION"),
            "standard VGA with the Bochs display interface",
            Attachment::Pci,
        )
    }
}

/// The access sizes are QEMU's. Ports get accesses whole, as QEMU answers them
/// differently by their width.
fn regions() -> Vec<Region> {
    let whole = AccessSizes { unaligned: true, ..aligned(1, 4) };
    let vga_ports = |region, name| ports(name, group_size(region), whole, whole);
    vec![
        configuration(),
        backed("framebuffer", VRAM_SIZE, VRAM),
        memory("mmio", MMIO_SIZE, aligned(1, 4), aligned(1, 4)),
        backed("firmware", ROM_SIZE, ROM),
        memory("window", 0x2_0000, aligned(1, 8), aligned(1, 8)),
        vga_ports(MONO_CRTC, "mono-crtc"),
        vga_ports(MONO_STATUS, "mono-status"),
        vga_ports(REGISTERS, "registers"),
        vga_ports(COLOUR_CRTC, "colour-crtc"),
        vga_ports(COLOUR_STATUS, "colour-status"),
        ports("dispi", 4, whole, whole),
    ]
}

/// The values of the properties the device goes by. `global-vmstate` is for
/// whoever names the blocks of memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) edid: bool,
    pub(crate) extended: bool,
    pub(crate) word_modes: bool,
}

impl Options {
    pub(crate) fn new(properties: &Properties) -> Result<Self, String> {
        let mib: u64 = properties.number("vgamem_mb")?;
        if mib != VRAM_MIB {
            return Err(format!("property vgamem_mb: {mib}, {VRAM_MIB} expected"));
        }
        Ok(Self {
            edid: properties.flag("edid")?,
            extended: properties.flag("qemu-extended-regs")?,
            word_modes: properties.flag("word-modes")?,
        })
    }
}

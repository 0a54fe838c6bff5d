//! What the monitor says of itself (VESA E-EDID 1.4, with a CEA-861 extension):
//! the monitor QEMU has.

/// Bytes that are readable: base block, extension, and an empty block.
pub(crate) const SIZE: u16 = 384;

const BLOCK: usize = 128;

/// The data.
pub(crate) const BYTES: [u8; SIZE as usize] = build();

/// The base block, without checksum, up to its descriptors.
const HEADER: [u8; 54] = [
    // Header.
    0x00,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0xff,
    0x00,
    // Manufacturer "RHT", product, no serial number, week 42 of 2014, version 1.4.
    0x49,
    0x14,
    0x34,
    0x12,
    0,
    0,
    0,
    0,
    42,
    2014_u16.wrapping_sub(1990) as u8,
    1,
    4,
    // Digital, 8 bits a colour, DisplayPort; 32 cm by 20 cm; gamma 2.2; RGB 4:4:4,
    // the first timing is the native one.
    0xa5,
    32,
    20,
    120,
    0x06,
    // Chromaticities.
    0xee,
    0x91,
    0xa3,
    0x54,
    0x4c,
    0x99,
    0x26,
    0x0f,
    0x50,
    0x54,
    // Established timings: 640x480, 800x600, 1024x768, all at 60 Hz.
    0x21,
    0x08,
    0x00,
    // Standard timings at 60 Hz: 2048x1152, 1920x1080, 1920x1200, 1600x1200,
    // 1680x1050, 1440x900, 1280x1024, 1280x960.
    0xe1,
    0xc0,
    0xd1,
    0xc0,
    0xd1,
    0x00,
    0xa9,
    0x40,
    0xb3,
    0x00,
    0x95,
    0x00,
    0x81,
    0x80,
    0x81,
    0x40,
];

/// 1280x800 at 75 Hz: pixel clock, active and blank, sync, size in millimetres.
const NATIVE: [u8; 18] = [
    0xea, 0x29, 0x00, 0xc0, 0x51, 0x20, 0x1c, 0x30, 0x40, 0x26, 0x44, 0x40, 0x45, 0xcb, 0x10, 0x00,
    0x00, 0x18,
];

/// Established timings III: the sizes from 1152x864 to 1920x1440 at 60 Hz.
const TIMINGS: [u8; 18] =
    [0, 0, 0, 0xf7, 0, 0x0a, 0x00, 0x40, 0x82, 0x00, 0x28, 0x20, 0, 0, 0, 0, 0, 0];

/// Range limits: 50 to 125 Hz, 30 to 160 kHz, 2550 MHz.
const LIMITS: [u8; 18] =
    [0, 0, 0, 0xfd, 0, 50, 125, 30, 160, 0xff, 0x01, 0x0a, 0x20, 0x20, 0x20, 0x20, 0x20, 0x20];

/// Display product name.
const NAME: [u8; 18] = *b"\0\0\0\xfc\0QEMU Monitor\n";

/// CEA-861, version 3: the video modes 125, 101, 96, 89, 31 and 97; descriptors
/// without a use.
const EXTENSION: [u8; 11] = [0x02, 0x03, 11, 0x00, 0x46, 125, 101, 96, 89, 31, 97];
const UNUSED: [u8; 18] = [0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

const fn put(bytes: &mut [u8], at: usize, part: &[u8]) -> usize {
    let mut index = 0;
    while index < part.len() {
        bytes[at + index] = part[index];
        index += 1;
    }
    at + part.len()
}

/// Makes the sum of a block's bytes zero.
const fn seal(bytes: &mut [u8], block: usize) {
    let (mut sum, mut index) = (0_u8, block * BLOCK);
    while index < (block + 1) * BLOCK - 1 {
        sum = sum.wrapping_add(bytes[index]);
        index += 1;
    }
    bytes[index] = sum.wrapping_neg();
}

const fn build() -> [u8; SIZE as usize] {
    let mut bytes = [0; SIZE as usize];
    let at = put(&mut bytes, 0, &HEADER);
    let at = put(&mut bytes, at, &NATIVE);
    let at = put(&mut bytes, at, &TIMINGS);
    let at = put(&mut bytes, at, &LIMITS);
    let at = put(&mut bytes, at, &NAME);
    // One extension follows.
    bytes[at] = 1;
    seal(&mut bytes, 0);
    let mut at = put(&mut bytes, BLOCK, &EXTENSION);
    while at + UNUSED.len() < 2 * BLOCK {
        at = put(&mut bytes, at, &UNUSED);
    }
    seal(&mut bytes, 1);
    bytes
}

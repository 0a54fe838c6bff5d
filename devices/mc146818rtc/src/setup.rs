//! What the board writes into the memory for the firmware: sizes of memory,
//! equipment, the order of boot devices. The layout is IBM's for the AT, from
//! 0x30 on Bochs'.

use southbridge_sdk::Properties;

use crate::drives;

const EQUIPMENT: usize = 0x14;
/// An 80x87 and a mouse.
const FPU_AND_MOUSE: u8 = 0x06;
const BASE_MEMORY: usize = 0x15;
const EXTENDED_MEMORY: [usize; 2] = [0x17, 0x30];
const MEMORY_ABOVE_16M: usize = 0x34;
const BOOT_DEVICE_3: usize = 0x38;
const BOOT_DEVICES: usize = 0x3d;
const MEMORY_ABOVE_4G: usize = 0x5b;
/// The number of processors, less one.
const PROCESSORS: usize = 0x5f;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Writes it all.
///
/// # Errors
/// A property is out of range.
pub(crate) fn write(memory: &mut [u8; 128], properties: &Properties) -> Result<(), String> {
    let below: u64 = properties.number("ram-below-4g")?;
    let above: u64 = properties.number("ram-above-4g")?;
    let processors: u32 = properties.number("cpus")?;
    let most = u64::from(u16::MAX);
    let mut word = |at: usize, value: u64| {
        memory[at..at + 2].copy_from_slice(&(value as u16).to_le_bytes());
    };
    word(BASE_MEMORY, (below / KIB).min(640));
    for at in EXTENDED_MEMORY {
        word(at, (below.saturating_sub(MIB) / KIB).min(most));
    }
    word(MEMORY_ABOVE_16M, (below.saturating_sub(16 * MIB) / (64 * KIB)).min(most));
    let blocks = (above / (64 * KIB)).to_le_bytes();
    memory[MEMORY_ABOVE_4G..MEMORY_ABOVE_4G + 3].copy_from_slice(&blocks[..3]);
    memory[EQUIPMENT] = FPU_AND_MOUSE;
    // More than 256 processors are told another way.
    memory[PROCESSORS] = u8::try_from(processors.saturating_sub(1)).unwrap_or(0);
    let [first, second, third] = boot_devices(properties.text("boot-order")?)?;
    memory[BOOT_DEVICES] = second << 4 | first;
    // The lowest bit: a floppy that is booted from need not have a signature.
    memory[BOOT_DEVICE_3] = third << 4 | u8::from(!properties.flag("fd-bootchk")?);
    drives::write(memory, properties)
}

/// Up to three letters, as QEMU's `-boot order`.
fn boot_devices(order: &str) -> Result<[u8; 3], String> {
    let error = || format!("property boot-order: {order:?}, up to three of a, b, c, d, n expected");
    let mut devices = [0; 3];
    if order.chars().count() > devices.len() {
        return Err(error());
    }
    for (device, letter) in devices.iter_mut().zip(order.chars()) {
        *device = match letter {
            'a' | 'b' => 1,
            'c' => 2,
            'd' => 3,
            'n' => 4,
            _ => return Err(error()),
        };
    }
    Ok(devices)
}

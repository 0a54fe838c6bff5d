//! Resource templates, and the descriptors of fixed resources in them (ACPI
//! 6.4).

use super::{Term, buffer};

const IRQ: u8 = 0x22;
const DMA: u8 = 0x2a;
const IO: u8 = 0x47;
const END: u8 = 0x79;
const FIXED_MEMORY: u8 = 0x86;
const INTERRUPT: u8 = 0x89;

/// A template: the descriptors and the end tag, whose checksum of zero means
/// that there is none (ACPI 6.4.2.9).
pub(crate) fn template<const N: usize>(descriptors: [Vec<u8>; N]) -> Term {
    let end = vec![END, 0];
    buffer(&descriptors.into_iter().chain([end]).flatten().collect::<Vec<_>>())
}

/// Ports at one place, which the device decodes with 16 address bits (ACPI
/// 6.4.2.5).
pub(crate) fn io(base: u16, alignment: u8, length: u8) -> Vec<u8> {
    let [low, high] = base.to_le_bytes();
    vec![IO, 1, low, high, low, high, alignment, length]
}

/// An interrupt of an ISA device (ACPI 6.4.2.1).
pub(crate) fn irq(line: u8) -> Vec<u8> {
    let [low, high] = (1_u16 << (line & 0xf)).to_le_bytes();
    vec![IRQ, low, high]
}

/// A channel that moves bytes, in compatibility timing (ACPI 6.4.2.2).
pub(crate) fn dma(channel: u8) -> Vec<u8> {
    vec![DMA, 1 << (channel & 7), 0]
}

/// Read-only memory at one place (ACPI 6.4.3.4).
pub(crate) fn fixed_memory(base: u32, length: u32) -> Vec<u8> {
    [&[FIXED_MEMORY, 9, 0, 0], &base.to_le_bytes()[..], &length.to_le_bytes()].concat()
}

/// One of these interrupts: level, active high, shared, consumed (ACPI
/// 6.4.3.6).
pub(crate) fn interrupt<const N: usize>(lines: [u32; N]) -> Vec<u8> {
    const CONSUMER: u8 = 1 << 0;
    const SHARED: u8 = 1 << 3;
    let count = u8::try_from(N).unwrap_or(u8::MAX);
    let length = (2 + 4 * u16::from(count)).to_le_bytes();
    let mut bytes = vec![INTERRUPT, length[0], length[1], CONSUMER | SHARED, count];
    bytes.extend(lines.iter().take(count.into()).flat_map(|line| line.to_le_bytes()));
    bytes
}

//! The multiple APIC description table (5.2.12).

use crate::board::{Board, Processor};
use crate::header;

const LOCAL_APIC_ADDRESS: u32 = 0xfee0_0000;
/// There are two 8259s as well (5.2.12, `PCAT_COMPAT`).
const DUAL_PIC: u32 = 1;

/// Types of structures (5.2.12).
mod kind {
    pub(super) const LOCAL_APIC: u8 = 0;
    pub(super) const IO_APIC: u8 = 1;
    pub(super) const SOURCE_OVERRIDE: u8 = 2;
    pub(super) const LOCAL_NMI: u8 = 4;
    pub(super) const LOCAL_X2APIC: u8 = 9;
    pub(super) const X2APIC_NMI: u8 = 10;
}

/// The ISA interrupts that PCI uses.
const PCI_LINES: [u8; 4] = [5, 9, 10, 11];
/// Flags of an override (5.2.12.5): as the bus has it, or active high and level.
const AS_THE_BUS: u16 = 0;
const HIGH_LEVEL: u16 = 0b1101;
/// The local interrupt that NMIs arrive at.
const LINT: u8 = 1;

/// The table.
pub(crate) fn table(board: &Board) -> Vec<u8> {
    let mut body = [LOCAL_APIC_ADDRESS.to_le_bytes(), DUAL_PIC.to_le_bytes()].concat();
    for (index, processor) in board.processors.iter().enumerate() {
        body.extend(local_apic(index, *processor));
    }
    body.extend(io_apic());
    if board.timer_override {
        body.extend(source_override(0, 2, AS_THE_BUS));
    }
    for line in PCI_LINES {
        body.extend(source_override(line, line, HIGH_LEVEL));
    }
    let wide = board.processors.iter().any(|processor| narrow_id(*processor).is_none());
    body.extend(if wide { x2apic_nmi() } else { local_nmi() });
    header::table(*b"APIC", &body)
}

/// The APIC id, if a byte holds it and it does not mean every processor.
pub(crate) fn narrow_id(processor: Processor) -> Option<u8> {
    u8::try_from(processor.apic_id).ok().filter(|id| *id != u8::MAX)
}

/// The local APIC of a processor (5.2.12.2), or its x2APIC (5.2.12.12).
pub(crate) fn local_apic(index: usize, processor: Processor) -> Vec<u8> {
    match narrow_id(processor) {
        Some(id) => narrow_apic(index, id, processor.present).to_vec(),
        None => {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let numbers = [processor.apic_id, processor.present.into(), index];
            let head = [kind::LOCAL_X2APIC, 16, 0, 0];
            [&head[..], numbers.map(u32::to_le_bytes).as_flattened()].concat()
        }
    }
}

/// A local APIC structure: also what a processor's `_MAT` returns (6.2.10).
pub(crate) fn narrow_apic(index: usize, id: u8, enabled: bool) -> [u8; 8] {
    let index = u8::try_from(index).unwrap_or(u8::MAX);
    [kind::LOCAL_APIC, 8, index, id, enabled.into(), 0, 0, 0]
}

/// The I/O APIC (5.2.12.3).
fn io_apic() -> Vec<u8> {
    const ADDRESS: u32 = 0xfec0_0000;
    const FIRST_INPUT: u32 = 0;
    let head = [kind::IO_APIC, 12, 0, 0];
    [head, ADDRESS.to_le_bytes(), FIRST_INPUT.to_le_bytes()].concat()
}

/// An ISA interrupt that is at another input, or has another polarity (5.2.12.5).
fn source_override(line: u8, input: u8, flags: u16) -> Vec<u8> {
    let [low, high] = flags.to_le_bytes();
    vec![kind::SOURCE_OVERRIDE, 10, 0, line, input, 0, 0, 0, low, high]
}

/// Where NMIs arrive, at every processor (5.2.12.7).
fn local_nmi() -> Vec<u8> {
    vec![kind::LOCAL_NMI, 6, 0xff, 0, 0, LINT]
}

/// The same for x2APICs (5.2.12.13).
fn x2apic_nmi() -> Vec<u8> {
    vec![kind::X2APIC_NMI, 12, 0, 0, 0xff, 0xff, 0xff, 0xff, LINT, 0, 0, 0]
}

//! The fixed ACPI description table (5.2.9) in its first revision, and the
//! firmware control structure (5.2.10).

use crate::board::Board;
use crate::header;

/// Where the table points to the firmware control structure.
pub(crate) const FACS_POINTER: usize = 36;
/// Where it points to the DSDT.
pub(crate) const DSDT_POINTER: usize = 40;

/// Where in the PM1 registers the control register and the timer are (PIIX4 data
/// sheet, 7.2).
const CONTROL: u16 = 4;
const TIMER: u16 = 8;

/// An interrupt model of two 8259s; a field of the first revision only.
const DUAL_PIC: u8 = 1;
/// Too long to be used: the processor has no C2 and no C3.
const NO_C_STATE: u16 = 0xfff;
/// Where in the CMOS the century is.
const CENTURY: u8 = 0x32;

/// Fixed feature flags (5.2.9).
mod flag {
    pub(super) const WBINVD: u32 = 1 << 0;
    pub(super) const C1: u32 = 1 << 2;
    /// There is no sleep button in the fixed registers.
    pub(super) const SLEEP_BUTTON: u32 = 1 << 5;
    pub(super) const RTC_S4: u32 = 1 << 7;
    pub(super) const PLATFORM_CLOCK: u32 = 1 << 15;
    /// Logical destinations must be clusters: flat ones end at 8 processors.
    pub(super) const APIC_CLUSTER: u32 = 1 << 18;
}

/// The firmware control structure, which has no header and no checksum.
pub(crate) fn facs() -> Vec<u8> {
    const LENGTH: u8 = 64;
    let mut facs = vec![0; LENGTH.into()];
    facs[..4].copy_from_slice(b"FACS");
    facs[4] = LENGTH;
    facs
}

/// The table. Its two pointers are offsets in the blob of tables.
pub(crate) fn table(board: &Board, facs: u32, dsdt: u32) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(facs.to_le_bytes());
    body.extend(dsdt.to_le_bytes());
    body.extend([DUAL_PIC, 0]);
    body.extend(commands(board));
    body.extend(blocks(board));
    // GPE1_BASE and CST_CNT.
    body.extend([0; 2]);
    body.extend(NO_C_STATE.to_le_bytes());
    body.extend(NO_C_STATE.to_le_bytes());
    // FLUSH_SIZE to MON_ALRM.
    body.extend([0; 8]);
    // No flags for the boot architecture, which the first revision lacks.
    body.extend([CENTURY, 0, 0, 0]);
    body.extend(flags(board).to_le_bytes());
    header::table(*b"FACP", &body)
}

/// SCI_INT to PSTATE_CNT.
fn commands(board: &Board) -> [u8; 10] {
    let [low, high] = board.power.sci.to_le_bytes();
    let smi = board.power.smi;
    let (port, enable, disable) = smi.map_or((0, 0, 0), |smi| (smi.port, smi.enable, smi.disable));
    [low, high, port, 0, 0, 0, enable, disable, 0, 0]
}

/// Where the blocks of registers are, and how long.
fn blocks(board: &Board) -> Vec<u8> {
    let power = &board.power;
    let (control, timer) = (power.base.wrapping_add(CONTROL), power.base.wrapping_add(TIMER));
    // PM1a and PM1b events, PM1a and PM1b control, PM2 control, timer, GPE0 and
    // GPE1.
    let ports = [power.base, 0, control, 0, 0, timer, power.gpe0, 0];
    let lengths = [4, 2, 0, 4, power.gpe0_length, 0];
    ports.into_iter().flat_map(|port| u32::from(port).to_le_bytes()).chain(lengths).collect()
}

fn flags(board: &Board) -> u32 {
    const FLAT_LIMIT: usize = 8;
    let crowded = board.processors.len() > FLAT_LIMIT;
    flag::WBINVD
        | flag::C1
        | flag::SLEEP_BUTTON
        | flag::RTC_S4
        | flag::PLATFORM_CLOCK
        | if crowded { flag::APIC_CLUSTER } else { 0 }
}

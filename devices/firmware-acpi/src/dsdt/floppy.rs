//! The floppy disk controller and its drives (ACPI, "Floppy
//! Controller Device Objects").

use crate::aml::{Term, buffer, device, dma, eisa_id, ints, io, irq, name, package, template};
use crate::pci_board::FloppyDrive;

/// How many drives `_FDE` speaks of.
const CONNECTORS: usize = 4;

/// The controller: all its ports but the one that IDE has.
pub(super) fn controller(drives: &[Option<FloppyDrive>; 2]) -> Term {
    const REGISTERS: u16 = 0x3f2;
    const DIRECTION: u16 = 0x3f7;
    let resources = template([io(REGISTERS, 0, 4), io(DIRECTION, 0, 1), irq(6), dma(2)]);
    let mut terms = vec![name("_HID", eisa_id("PNP0700")), name("_CRS", resources)];
    for (number, drive) in (0..).zip(drives) {
        terms.extend(drive.as_ref().map(|drive| describe(number, drive)));
    }
    terms.push(name("_FDE", enumerate(drives)));
    device("FDC0", terms)
}

/// Which drives there are, and that tapes are not (`_FDE`).
fn enumerate(drives: &[Option<FloppyDrive>; 2]) -> Term {
    const NO_TAPE: u32 = 2;
    let mut words = [0; CONNECTORS + 1];
    words[CONNECTORS] = NO_TAPE;
    words.iter_mut().zip(drives).for_each(|(word, drive)| *word = drive.is_some().into());
    buffer(words.map(u32::to_le_bytes).as_flattened())
}

/// A drive, with what the BIOS would return about it (`_FDI`).
fn describe(number: u8, drive: &FloppyDrive) -> Term {
    /// Step rate, motor time, sector size, sectors, gaps, fill byte, head and
    /// motor settle times: the usual parameters, whatever the drive.
    const PARAMETERS: [u8; 11] = [0xaf, 0x02, 0x25, 0x02, 0x12, 0x1b, 0xff, 0x6c, 0xf6, 0x0f, 0x08];
    let FloppyDrive { kind, last_cylinder, sectors, last_head } = *drive;
    let values = [number, kind, last_cylinder, sectors, last_head];
    let values: Vec<_> = values.into_iter().chain(PARAMETERS).map(u64::from).collect();
    let path = if number == 0 { "FLPA" } else { "FLPB" };
    let information = package(values.len(), ints(values));
    device(path, [name("_ADR", u64::from(number)), name("_FDI", information)])
}

//! SMBIOS (DMTF DSP0134): structures, and the entry point that guests look for at
//! multiples of 16 from 0xf0000 on.

use super::FirmwareFiles;
use crate::vm::Error;
use crate::vm::boot::place::Place;

const ANCHOR: &str = "etc/smbios/smbios-anchor";
const TABLES: &str = "etc/smbios/smbios-tables";

/// The longest file: an entry point of version 2.1 counts the structures' bytes in 16
/// bits, and all is to lie between 0xf0000 and 0xfffff.
const LONGEST: u32 = 0xffff;

const ALIGNMENT: u64 = 16;

/// An entry point's layout: where it has its length, its checksum, that of its second
/// part and the structures' address.
struct Layout {
    signature: &'static [u8],
    least: usize,
    length: usize,
    checksum: usize,
    second: Option<(usize, usize)>,
    address: usize,
}

/// 5.2.1 and 5.2.2.
const LAYOUTS: [Layout; 2] = [
    Layout {
        signature: b"_SM_",
        least: 0x1f,
        length: 0x05,
        checksum: 0x04,
        second: Some((0x10, 0x15)),
        address: 0x18,
    },
    Layout {
        signature: b"_SM3_",
        least: 0x18,
        length: 0x06,
        checksum: 0x05,
        second: None,
        address: 0x10,
    },
];

/// Puts both into memory, if the machine has them.
pub(super) fn put(files: &dyn FirmwareFiles, place: &mut Place<'_>) -> Result<(), Error> {
    let (Some(mut anchor), Some(tables)) =
        (files.read(ANCHOR, LONGEST), files.read(TABLES, LONGEST))
    else {
        return Ok(());
    };
    let wrong = |problem| Error::FirmwareFile { file: ANCHOR.to_owned(), problem };
    let address = place.reserve_bios(TABLES, tables.len() as u64, ALIGNMENT).map_err(wrong)?;
    point(&mut anchor, address as u32).map_err(wrong)?;
    let entry = place.reserve_bios(ANCHOR, anchor.len() as u64, ALIGNMENT).map_err(wrong)?;
    place.fill(address, &tables).and_then(|()| place.fill(entry, &anchor)).map_err(wrong)
}

/// Fills in the structures' address, which is below 1 MiB, and what follows from it.
pub(super) fn point(anchor: &mut [u8], address: u32) -> Result<(), String> {
    let layout = LAYOUTS.iter().find(|layout| anchor.starts_with(layout.signature));
    let layout = layout.ok_or("expected an entry point that begins with _SM_ or _SM3_")?;
    let whole = anchor.len();
    let length = anchor.get(layout.length).map_or(0, |length| usize::from(*length));
    if length < layout.least || length > whole {
        return Err(format!(
            "an entry point of {length:#x} bytes in {whole:#x}: expected at least {:#x}",
            layout.least
        ));
    }
    let anchor = &mut anchor[..length];
    anchor[layout.address..layout.address + 4].copy_from_slice(&address.to_le_bytes());
    if let Some((start, checksum)) = layout.second {
        add_up(&mut anchor[start..layout.least], checksum - start);
    }
    add_up(anchor, layout.checksum);
    Ok(())
}

/// Has bytes add up to zero by the one at `checksum`.
fn add_up(bytes: &mut [u8], checksum: usize) {
    bytes[checksum] = 0;
    bytes[checksum] = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_sub(*byte));
}

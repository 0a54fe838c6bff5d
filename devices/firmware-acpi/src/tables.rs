//! Puts the tables behind each other, and writes the script that loads them.

use crate::board::{Board, Format};
use crate::loader::{POINTER, Script, TABLES, Zone};
use crate::{Tables, dsdt, fadt, header, hpet, madt, root, srat, waet};

/// The blob that the guest sees, and what becomes of it.
#[derive(Default)]
struct Blob {
    bytes: Vec<u8>,
    script: Script,
}

pub(crate) fn build(board: &Board) -> Tables {
    let mut blob = Blob::default();
    blob.script.allocate(POINTER, 16, Zone::LowBios);
    blob.script.allocate(TABLES, 64, Zone::High);

    let facs = blob.append(&fadt::facs());
    let aml = dsdt::table(board);
    let dsdt = blob.add(&aml);
    let fadt = fadt::table(board, facs, dsdt);
    let mut listed = vec![blob.add_fadt(&fadt)];
    listed.push(blob.add(&madt::table(board)));
    if board.hpet {
        listed.push(blob.add(&hpet::table()));
    }
    if let Some(numa) = &board.numa {
        listed.push(blob.add(&srat::affinity(board, numa)));
        listed.extend(srat::distances(numa).map(|table| blob.add(&table)));
    }
    listed.push(blob.add(&waet::table()));
    let root = blob.add_root(&listed);

    blob.finish(board, root, aml.len() + fadt.len())
}

impl Blob {
    /// Appends bytes, and says where they are.
    fn append(&mut self, bytes: &[u8]) -> u32 {
        let offset = self.bytes.len();
        self.bytes.extend(bytes);
        u32::try_from(offset).unwrap_or(u32::MAX)
    }

    /// Appends a table with a header.
    fn add(&mut self, table: &[u8]) -> u32 {
        self.script.checksum_table(self.bytes.len(), table.len());
        self.append(table)
    }

    /// Appends the table that points to two others.
    fn add_fadt(&mut self, table: &[u8]) -> u32 {
        for pointer in [fadt::FACS_POINTER, fadt::DSDT_POINTER] {
            self.script.add_pointer(TABLES, self.bytes.len() + pointer);
        }
        self.add(table)
    }

    /// Appends the table that points to all in `listed`.
    fn add_root(&mut self, listed: &[u32]) -> u32 {
        for index in 0..listed.len() {
            self.script.add_pointer(TABLES, self.bytes.len() + header::LENGTH + 4 * index);
        }
        self.add(&root::table(listed))
    }

    fn finish(mut self, board: &Board, root: u32, variable: usize) -> Tables {
        let mut rsdp = root::pointer(root);
        self.script.add_pointer(POINTER, root::ADDRESS);
        self.script.add_checksum(POINTER, root::CHECKSUM, 0, root::POINTER_LENGTH);
        if board.format != Format::Current {
            rsdp.resize(root::LONG_POINTER_LENGTH, 0);
        }
        self.bytes.resize(padded(board, self.bytes.len(), variable), 0);
        Tables { tables: self.bytes, rsdp, loader: self.script.into_bytes() }
    }
}

/// How long the blob is. It has room to spare, so that a guest that comes from
/// elsewhere finds one of the same length. Tables that outgrow an old machine's
/// length are cut, as they are in QEMU.
///
/// `variable` is the length of what an old machine counts as its AML: the DSDT,
/// and the FADT behind it.
fn padded(board: &Board, length: usize, variable: usize) -> usize {
    const ROUNDED: usize = 128 << 10;
    const LEGACY_ROUNDED: usize = 4 << 10;
    const LEGACY_AML_PER_APIC_ID: usize = 97;
    match board.format {
        Format::Legacy { aml: legacy } => {
            let ids = usize::try_from(board.apic_id_limit()).unwrap_or(0).min(u16::MAX.into());
            let legacy = usize::try_from(legacy).unwrap_or(0) + LEGACY_AML_PER_APIC_ID * ids;
            (length - variable + legacy).next_multiple_of(LEGACY_ROUNDED)
        }
        Format::LongPointer | Format::Current => length.next_multiple_of(ROUNDED),
    }
}

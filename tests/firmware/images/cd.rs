//! A CD that boots without emulation of another medium: ISO 9660 with El Torito,
//! and no files.

use super::grub;

/// Size of a sector, and of a logical block.
const SECTOR: usize = 2048;

/// Where what is: ISO 9660 begins with 16 sectors for others.
const VOLUME: usize = 16;
const BOOT_RECORD: usize = 17;
const TERMINATOR: usize = 18;
const ROOT: usize = 19;
const CATALOG: usize = 20;
const IMAGE: usize = 21;

/// How many 512 bytes the firmware loads; GRUB's code in them loads the rest.
const LOADED: u16 = 4;

/// Where the image learns where it is (`-boot-info-table` of other tools), and
/// where what it has a sum of begins.
const INFO: usize = 8;
const SUMMED: usize = 64;

/// A CD that boots GRUB.
pub(crate) fn with_grub() -> Vec<u8> {
    let mut image = grub::core("i386-pc-eltorito");
    image.resize(image.len().next_multiple_of(SECTOR), 0);
    let words = image[SUMMED..].chunks_exact(4);
    let sum = words.fold(0u32, |sum, word| {
        sum.wrapping_add(u32::from_le_bytes(word.try_into().expect("words have 4 bytes")))
    });
    let info = [VOLUME as u32, IMAGE as u32, image.len() as u32, sum];
    for (at, value) in info.iter().enumerate() {
        put(&mut image, INFO + 4 * at, &value.to_le_bytes());
    }
    let mut cd = vec![0; IMAGE * SECTOR];
    let sectors = u32::try_from(IMAGE + image.len() / SECTOR + 1).expect("it is small");
    put(&mut cd, VOLUME * SECTOR, &volume(sectors));
    put(&mut cd, BOOT_RECORD * SECTOR, &boot_record());
    put(&mut cd, TERMINATOR * SECTOR, b"\xffCD001\x01");
    put(&mut cd, ROOT * SECTOR, &[directory(0), directory(1)].concat());
    put(&mut cd, CATALOG * SECTOR, &catalog());
    cd.append(&mut image);
    // GRUB reads a sector more than there are, its first being loaded already.
    cd.resize(cd.len() + SECTOR, 0);
    cd
}

fn put(image: &mut [u8], at: usize, bytes: &[u8]) {
    image[at..][..bytes.len()].copy_from_slice(bytes);
}

/// Numbers in both orders of bytes, as ISO 9660 has them.
fn both32(value: u32) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&value.to_le_bytes());
    bytes[4..].copy_from_slice(&value.to_be_bytes());
    bytes
}

fn both16(value: u16) -> [u8; 4] {
    let mut bytes = [0; 4];
    bytes[..2].copy_from_slice(&value.to_le_bytes());
    bytes[2..].copy_from_slice(&value.to_be_bytes());
    bytes
}

/// The root directory's record of itself (0), or of what is above it (1).
fn directory(name: u8) -> Vec<u8> {
    let mut record = vec![0; 34];
    record[0] = 34;
    put(&mut record, 2, &both32(ROOT as u32));
    put(&mut record, 10, &both32(SECTOR as u32));
    // A directory.
    record[25] = 2;
    put(&mut record, 28, &both16(1));
    put(&mut record, 32, &[1, name]);
    record
}

/// The primary volume descriptor.
fn volume(sectors: u32) -> Vec<u8> {
    let mut volume = vec![0; SECTOR];
    put(&mut volume, 0, b"\x01CD001\x01");
    volume[8..72].fill(b' ');
    put(&mut volume, 40, b"GRUB");
    put(&mut volume, 80, &both32(sectors));
    // One volume, the first.
    put(&mut volume, 120, &both16(1));
    put(&mut volume, 124, &both16(1));
    put(&mut volume, 128, &both16(SECTOR as u16));
    put(&mut volume, 156, &directory(0));
    volume[881] = 1;
    volume
}

fn boot_record() -> Vec<u8> {
    let mut record = vec![0; SECTOR];
    put(&mut record, 0, b"\x00CD001\x01EL TORITO SPECIFICATION");
    put(&mut record, 71, &(CATALOG as u32).to_le_bytes());
    record
}

/// The entry that validates the catalog, whose words add up to 0, and the one
/// for the image.
fn catalog() -> Vec<u8> {
    let mut entries = vec![0; 64];
    entries[0] = 1;
    put(&mut entries, 28, &[0xaa, 0x55, 0x55, 0xaa]);
    // Bootable, no emulation, to the usual segment.
    entries[32] = 0x88;
    put(&mut entries, 38, &LOADED.to_le_bytes());
    put(&mut entries, 40, &(IMAGE as u32).to_le_bytes());
    entries
}

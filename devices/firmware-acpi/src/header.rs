//! The header that nearly every table begins with (5.2.6).

/// The length of the header.
pub(crate) const LENGTH: usize = 36;
/// Where in it the checksum is.
pub(crate) const CHECKSUM: usize = 9;

/// Also what the root pointer names.
pub(crate) const OEM_ID: [u8; 6] = *b"BOCHS ";
const OEM_TABLE_ID: [u8; 8] = *b"BXPC    ";
const CREATOR_ID: [u8; 4] = *b"BXPC";

/// A table: the header and what follows. The checksum is zero; the loader
/// script has firmware fill it in.
pub(crate) fn table(signature: [u8; 4], body: &[u8]) -> Vec<u8> {
    const REVISION: u8 = 1;
    let length = u32::try_from(LENGTH + body.len()).unwrap_or(u32::MAX);
    let one = 1_u32.to_le_bytes();
    [
        &signature[..],
        &length.to_le_bytes(),
        &[REVISION, 0],
        &OEM_ID,
        &OEM_TABLE_ID,
        &one,
        &CREATOR_ID,
        &one,
        body,
    ]
    .concat()
}

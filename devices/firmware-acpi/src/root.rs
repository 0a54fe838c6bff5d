//! The root system description table (5.2.7), and the pointer to it (5.2.5.3).

use crate::header;

/// Where the pointer's checksum is.
pub(crate) const CHECKSUM: usize = 8;
/// Where in it the root table's address is.
pub(crate) const ADDRESS: usize = 16;
/// How long the pointer is in its first revision.
pub(crate) const POINTER_LENGTH: usize = 20;
/// How long its file is on old machines.
pub(crate) const LONG_POINTER_LENGTH: usize = 36;

/// The root table of tables at these offsets.
pub(crate) fn table(offsets: &[u32]) -> Vec<u8> {
    let body: Vec<u8> = offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect();
    header::table(*b"RSDT", &body)
}

/// The pointer to the root table at this offset.
pub(crate) fn pointer(offset: u32) -> Vec<u8> {
    const CHECKSUM_AND_OEM: usize = 7;
    let mut pointer = b"RSD PTR ".to_vec();
    let mut head = [0; CHECKSUM_AND_OEM];
    head[1..].copy_from_slice(&header::OEM_ID);
    pointer.extend(head);
    const REVISION: u8 = 0;
    pointer.push(REVISION);
    pointer.extend(offset.to_le_bytes());
    pointer
}

//! A hard disk.

use super::grub;

/// Size of a sector.
pub(crate) const SECTOR: usize = 512;

/// Size of the disks: enough for a core, and little to read.
const SIZE: usize = 1 << 20;

/// Where a boot sector has the table of partitions, and its size.
const PARTITIONS: (usize, usize) = (0x1be, 64);

/// A disk without partitions that boots GRUB.
pub(crate) fn with_grub() -> Vec<u8> {
    let mut image = grub::at_the_beginning();
    // There is code for floppy disks.
    image[PARTITIONS.0..][..PARTITIONS.1].fill(0);
    of(image)
}

/// A disk that begins with this.
pub(crate) fn of(mut beginning: Vec<u8>) -> Vec<u8> {
    assert!(beginning.len() <= SIZE);
    beginning.resize(SIZE, 0);
    beginning
}

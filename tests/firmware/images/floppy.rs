//! A floppy disk of 1.44 MB.

use super::grub;

/// Cylinders, heads, sectors of a track, bytes of a sector.
const SIZE: usize = 80 * 2 * 18 * 512;

/// A floppy disk without a file system that boots GRUB.
pub(crate) fn with_grub() -> Vec<u8> {
    let mut image = grub::at_the_beginning();
    assert!(image.len() <= SIZE);
    image.resize(SIZE, 0);
    image
}

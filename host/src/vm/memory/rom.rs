//! The firmware's ROM.

use crate::vm::{Error, Image};

const GRANULE: u64 = 64 << 10;
const LARGEST: u64 = 16 << 20;

/// A firmware image that can be a ROM. It ends at 4 GiB, where the processor
/// finds its reset vector, and its last 128 KiB appear again below 1 MiB, as on
/// QEMU's PC machines.
#[derive(Clone, Debug)]
pub struct Rom(Image);

impl Rom {
    /// Takes a firmware image.
    ///
    /// # Errors
    ///
    /// Its size is not a multiple of 64 KiB from 64 KiB to 16 MiB.
    pub fn new(image: Image) -> Result<Self, Error> {
        let size = image.len();
        if size.is_multiple_of(GRANULE) && (GRANULE..=LARGEST).contains(&size) {
            Ok(Self(image))
        } else {
            Err(image.problem(format!(
                "not a firmware image: its size is {size} bytes, expected a multiple of 64 KiB \
                 up to 16 MiB"
            )))
        }
    }

    /// The image's content.
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

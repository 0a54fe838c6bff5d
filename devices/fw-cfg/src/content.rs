//! What an entry holds.

use southbridge_sdk::Context;

/// The longest run of zeros that is sent as bytes.
const SHORT: u32 = 0x1_0000;

/// The data of an entry: made here, or a part of a file that stays with the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    File { file: u32, offset: u64, size: u32 },
}

impl Content {
    pub(crate) fn len(&self) -> u32 {
        match self {
            Self::Bytes(bytes) => u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            Self::File { size, .. } => *size,
        }
    }

    /// The byte at `at`, which is below `len`.
    pub(crate) fn byte(&self, cx: &mut Context<'_>, at: u32) -> u8 {
        match *self {
            Self::Bytes(ref bytes) => bytes.get(at as usize).copied().unwrap_or(0),
            Self::File { file, offset, .. } => {
                cx.file_load(file, offset.saturating_add(at.into()), 1) as u8
            }
        }
    }

    /// All of it.
    pub(crate) fn bytes(&self, cx: &mut Context<'_>) -> Vec<u8> {
        match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::File { .. } => (0..self.len()).map(|at| self.byte(cx, at)).collect(),
        }
    }

    /// Copies `length` bytes from `at` on, all of them below `len`, to the guest.
    pub(crate) fn copy(&self, cx: &mut Context<'_>, at: u32, address: u64, length: u32) {
        match *self {
            Self::Bytes(ref bytes) => {
                let part = bytes.get(at as usize..).unwrap_or_default();
                cx.dma_write(address, &part[..part.len().min(length as usize)]);
            }
            Self::File { file, offset, .. } => {
                cx.file_to_memory(file, offset.saturating_add(at.into()), address, length);
            }
        }
    }
}

/// Writes zeros to the guest's memory. A long run is what lies beyond the end of
/// the first file, so that gigabytes are one effect and no bytes.
pub(crate) fn clear(cx: &mut Context<'_>, address: u64, length: u32) {
    if length <= SHORT {
        cx.dma_write(address, &vec![0; length as usize]);
    } else {
        cx.file_to_memory(0, 1 << 62, address, length);
    }
}

//! Files a guest starts from: kernels, initial RAM disks, firmware.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Error;

/// The largest file that is read, 4 GiB: a larger one is a mistake, and nothing
/// can load it below 4 GiB.
const LARGEST: u64 = 1 << 32;

/// The content of a file, with the name it has in messages.
#[derive(Clone, Debug)]
pub struct Image {
    name: String,
    bytes: Vec<u8>,
}

impl Image {
    /// An image with this name and content.
    pub fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes }
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be opened or read, is empty, or is larger than 4 GiB.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
            .map_err(|source| Error::ReadImage { file: name.clone(), source })?;
        let image = Self { name, bytes };
        match image.len() {
            0 => Err(image.problem("the file is empty")),
            length if length > LARGEST => Err(image.problem("larger than 4 GiB")),
            _ => Ok(image),
        }
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// An error about this image.
    pub(super) fn problem(&self, problem: impl Into<String>) -> Error {
        Error::Image { file: self.name.clone(), problem: problem.into() }
    }

    /// `length` bytes at `offset`, which hold `what`.
    pub(super) fn slice(&self, offset: u64, length: u64, what: &str) -> Result<&[u8], Error> {
        usize::try_from(offset)
            .ok()
            .zip(usize::try_from(length).ok())
            .and_then(|(start, length)| self.bytes.get(start..start.checked_add(length)?))
            .ok_or_else(|| {
                self.problem(format!(
                    "truncated: expected {length:#x} bytes of {what} at offset {offset:#x}, but \
                     the file has {:#x} bytes",
                    self.bytes.len()
                ))
            })
    }

    /// `N` bytes at `offset`, which hold `what`.
    fn array<const N: usize>(&self, offset: u64, what: &str) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(offset, N as u64, what)?);
        Ok(array)
    }

    /// The little-endian 16-bit number at `offset`.
    pub(super) fn u16_at(&self, offset: u64, what: &str) -> Result<u16, Error> {
        self.array(offset, what).map(u16::from_le_bytes)
    }

    /// The little-endian 32-bit number at `offset`.
    pub(super) fn u32_at(&self, offset: u64, what: &str) -> Result<u32, Error> {
        self.array(offset, what).map(u32::from_le_bytes)
    }

    /// The little-endian 64-bit number at `offset`.
    pub(super) fn u64_at(&self, offset: u64, what: &str) -> Result<u64, Error> {
        self.array(offset, what).map(u64::from_le_bytes)
    }
}

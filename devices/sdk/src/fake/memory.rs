//! Memory of any kind: the guest's, a device's block, a file.

/// Bytes that can be reached at any offset; zeros are read where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// What is there.
    pub data: Vec<u8>,
}

impl Bytes {
    /// `size` zeros.
    #[must_use]
    pub fn zeros(size: usize) -> Self {
        Self { data: vec![0; size] }
    }

    /// Reads `length` bytes.
    #[must_use]
    pub fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let at = |index: u64| usize::try_from(offset.checked_add(index)?).ok();
        let byte = |index: u64| at(index).and_then(|at| self.data.get(at)).copied();
        (0..length as u64).map(|index| byte(index).unwrap_or(0)).collect()
    }

    /// Writes bytes; what lies beyond the end is dropped.
    pub fn write(&mut self, offset: u64, data: &[u8]) {
        for (index, byte) in (0..).zip(data) {
            let at = offset.checked_add(index).and_then(|at| usize::try_from(at).ok());
            if let Some(place) = at.and_then(|at| self.data.get_mut(at)) {
                *place = *byte;
            }
        }
    }

    /// Reads `size` (1 to 8) bytes, little-endian.
    #[must_use]
    pub fn load(&self, offset: u64, size: u8) -> u64 {
        let bytes = self.read(offset, size.into());
        bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
    }
}

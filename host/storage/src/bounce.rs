//! Memory of our own for data on its way, aligned as direct I/O wants it.

/// What every device and file system is content with, in bytes.
const ALIGNMENT: usize = 4096;

/// A buffer that starts at a multiple of 4096.
pub(crate) struct Bounce {
    bytes: Vec<u8>,
    start: usize,
}

impl Bounce {
    pub(crate) fn new(length: usize) -> Self {
        let bytes = vec![0; length + ALIGNMENT];
        let start = bytes.as_ptr().align_offset(ALIGNMENT).min(ALIGNMENT);
        Self { bytes, start }
    }

    /// The first `length` bytes, or all if there are fewer.
    pub(crate) fn first(&mut self, length: usize) -> &mut [u8] {
        let end = self.bytes.len().min(self.start + length);
        &mut self.bytes[self.start..end]
    }
}

impl std::fmt::Debug for Bounce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bounce").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_aligned_and_long_enough() {
        for length in [0, 1, 4096, 1 << 20] {
            let mut bounce = Bounce::new(length);
            let all = bounce.first(length);
            assert_eq!((all.len(), all.as_ptr() as usize % ALIGNMENT), (length, 0));
        }
    }
}

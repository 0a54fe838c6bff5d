//! The general purpose event block, which QEMU puts at fixed ports.

/// GPSTS and GPEN: two bytes each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gpe {
    pub(crate) sts: u16,
    pub(crate) en: u16,
}

impl Gpe {
    /// Whether an enabled event is set. As in QEMU, the second byte of each
    /// register raises nothing.
    pub(crate) const fn asserts_sci(self) -> bool {
        self.sts & self.en & 0xff != 0
    }

    /// Reads a byte.
    pub(crate) fn read(self, offset: u64) -> u8 {
        self.bytes().get(offset as usize).copied().unwrap_or(0)
    }

    /// Writes a byte: ones clear a status, an enable is stored.
    pub(crate) fn write(&mut self, offset: u64, value: u8) {
        let shift = (offset & 1) * 8;
        let mask = 0xff_u16 << shift;
        let value = u16::from(value) << shift;
        match offset {
            0 | 1 => self.sts &= !value,
            2 | 3 => self.en = self.en & !mask | value,
            _ => {}
        }
    }

    fn bytes(self) -> [u8; 4] {
        let ([s0, s1], [e0, e1]) = (self.sts.to_le_bytes(), self.en.to_le_bytes());
        [s0, s1, e0, e1]
    }
}

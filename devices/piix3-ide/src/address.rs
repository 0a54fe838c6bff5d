//! Which sector the registers name (ATA-4, 6.2; ATA-6 for 48-bit addresses).

use crate::drive::Drive;

/// Device/head: the address is a number rather than cylinder, head and sector.
const LBA: u8 = 0x40;
/// Device/head: head, or bits 27 to 24 of a 28-bit address.
const HEAD: u8 = 0x0f;

/// A disk's shape.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Geometry {
    pub(crate) cylinders: u32,
    pub(crate) heads: u32,
    pub(crate) sectors: u32,
}

impl Geometry {
    /// QEMU's guess for a disk of so many sectors.
    pub(crate) fn guess(total: u64) -> Self {
        let cylinders = (total / (16 * 63)).clamp(2, 16383) as u32;
        Self { cylinders, heads: 16, sectors: 63 }
    }

    fn cylinder_size(self) -> i64 {
        i64::from(self.heads) * i64::from(self.sectors)
    }
}

impl Drive {
    /// The sector the registers name; below 0 for sector 0 of the first track.
    pub(crate) fn address(&self) -> i64 {
        let wide = |low: u8, middle: u8, high: u8| {
            i64::from(high) << 16 | i64::from(middle) << 8 | i64::from(low)
        };
        let (low, middle, high) = (self.sector, self.cylinder_low, self.cylinder_high);
        let current = wide(low.current, middle.current, high.current);
        if self.select & LBA == 0 {
            let cylinder = i64::from(high.current) << 8 | i64::from(middle.current);
            let track = i64::from(self.select & HEAD) * i64::from(self.current.sectors);
            cylinder * self.current.cylinder_size() + track + i64::from(low.current) - 1
        } else if self.lba48 {
            wide(low.previous, middle.previous, high.previous) << 24 | current
        } else {
            i64::from(self.select & HEAD) << 24 | current
        }
    }

    /// Makes the registers name a sector. A shape without sectors names none.
    pub(crate) fn set_address(&mut self, address: i64) {
        let [b0, b1, b2, b3, b4, b5, ..] = address.to_le_bytes();
        if self.select & LBA == 0 {
            let per_track = i64::from(self.current.sectors);
            let (cylinder, rest) = match self.current.cylinder_size() {
                0 => return,
                size => (address / size, address % size),
            };
            let [low, high, ..] = cylinder.to_le_bytes();
            (self.cylinder_low.current, self.cylinder_high.current) = (low, high);
            self.select = self.select & !HEAD | (rest / per_track) as u8 & HEAD;
            self.sector.current = (rest % per_track + 1) as u8;
            return;
        }
        self.sector.current = b0;
        self.cylinder_low.current = b1;
        self.cylinder_high.current = b2;
        if self.lba48 {
            self.sector.previous = b3;
            self.cylinder_low.previous = b4;
            self.cylinder_high.previous = b5;
        } else {
            self.select = self.select & !HEAD | b3 & HEAD;
        }
    }

    /// The sector the registers name, if it and the `count - 1` after it are on the
    /// medium.
    pub(crate) fn on_medium(&self, count: u64) -> Option<u64> {
        let sector = u64::try_from(self.address()).ok()?;
        let left = self.total().checked_sub(sector)?;
        (count <= left).then_some(sector)
    }

    /// Takes the sector count as the command means it: 0 is the most.
    pub(crate) fn widen(&mut self, lba48: bool) {
        self.lba48 = lba48;
        if !lba48 {
            self.sectors = if self.sectors == 0 { 0x100 } else { self.sectors };
        } else {
            let count = u32::from(self.previous_sectors) << 8 | self.sectors;
            self.sectors = if count == 0 { 0x1_0000 } else { count };
        }
    }
}

//! Memory as a device on the bus sees it: RAM, the firmware's ROM, and what
//! devices answer.
//!
//! QEMU's qtest reaches memory like a device that is bus master. The windows
//! below 1 MiB hold for it, but not their write protection, which QEMU applies
//! to processors only.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use vm_memory::{Bytes as _, GuestAddress, GuestMemoryBackend as _, GuestMemoryMmap};
use vm_memory::{GuestMemoryError, GuestMemoryRegion as _};

use crate::component::Mode;
use crate::machine::WINDOW_RANGE;
use crate::vm::{Error, OPTION_ROMS, RamLayout, Rom, Roms};

const FOUR_GIB: u64 = 1 << 32;

/// How much of the ROM's end is seen below 1 MiB, as on QEMU's PC machines.
const ROM_SHADOW: u64 = 128 << 10;

/// RAM, ROM and the windows between 640 KiB and 1 MiB.
pub(super) struct Memory {
    ram: GuestMemoryMmap,
    roms: Roms,
    below_1m: Mutex<Below1M>,
}

/// Who answers in the range of the windows.
#[derive(Default)]
struct Below1M {
    windows: Vec<(Range<u64>, Mode)>,
    claims: Vec<Range<u64>>,
}

/// Who answers an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Ram,
    /// The firmware, at this address of its own.
    Firmware(u64),
    OptionRoms,
    Bus,
}

impl Memory {
    pub(super) fn new(
        layout: &RamLayout,
        rom: Option<&Rom>,
        windows: impl Iterator<Item = Range<u64>>,
    ) -> Result<Self, Error> {
        let windows = windows.map(|window| (window, Mode::Bus)).collect();
        let below_1m = Mutex::new(Below1M { windows, claims: Vec::new() });
        Ok(Self { ram: layout.allocate()?, roms: Roms::new(rom)?, below_1m })
    }

    /// RAM by guest physical address.
    pub(super) const fn ram(&self) -> &GuestMemoryMmap {
        &self.ram
    }

    /// The ROMs.
    pub(super) const fn roms(&self) -> &Roms {
        &self.roms
    }

    pub(super) fn set_windows(&self, changes: &[(usize, Mode)]) {
        let mut below_1m = self.below_1m();
        for &(window, mode) in changes {
            if let Some(place) = below_1m.windows.get_mut(window) {
                place.1 = mode;
            }
        }
    }

    pub(super) fn set_claims(&self, claims: &[Range<u64>]) {
        self.below_1m().claims = claims.to_vec();
    }

    /// Reads from `address` on. `bus` reads where devices are or nothing is.
    pub(super) fn read(&self, address: u64, data: &mut [u8], bus: impl FnMut(u64, &mut [u8])) {
        let mut bus = bus;
        let mut done = 0;
        while done < data.len() {
            let at = address.wrapping_add(done as u64);
            let (place, run) = self.run(at, data.len() - done);
            let part = &mut data[done..done + run];
            match place {
                Place::Ram => check(at, self.ram.read_slice(part, GuestAddress(at))),
                Place::Firmware(address) => {
                    let rom = self.roms.firmware();
                    let read = rom.map(|rom| rom.read_slice(part, GuestAddress(address)));
                    check(at, read.unwrap_or(Ok(())));
                }
                Place::OptionRoms => {
                    check(at, self.roms.options().read_slice(part, GuestAddress(at)));
                }
                Place::Bus => bus(at, part),
            }
            done += run;
        }
    }

    /// Writes from `address` on. `bus` writes where devices are or nothing is.
    pub(super) fn write(&self, address: u64, data: &[u8], bus: impl FnMut(u64, &[u8])) {
        let mut bus = bus;
        let mut done = 0;
        while done < data.len() {
            let at = address.wrapping_add(done as u64);
            let (place, run) = self.run(at, data.len() - done);
            let part = &data[done..done + run];
            match place {
                Place::Ram => check(at, self.ram.write_slice(part, GuestAddress(at))),
                Place::Firmware(_) | Place::OptionRoms => {}
                Place::Bus => bus(at, part),
            }
            done += run;
        }
    }

    /// Who answers an address, and for how many of the next `most` bytes.
    fn run(&self, address: u64, most: usize) -> (Place, usize) {
        let (place, end) = if WINDOW_RANGE.contains(&address) {
            self.below_1m().run(address, self.roms.firmware_len())
        } else {
            self.elsewhere(address)
        };
        // After the last address comes address 0.
        let length = match end {
            Some(end) => end - address,
            None => (u64::MAX - address).saturating_add(1),
        };
        (place, usize::try_from(length).map_or(most, |length| most.min(length)))
    }

    /// Outside the range of the windows: who answers, and the first address for
    /// which that may be different.
    fn elsewhere(&self, address: u64) -> (Place, Option<u64>) {
        let rom = FOUR_GIB - self.roms.firmware_len();
        if let Some(region) = self.ram.find_region(GuestAddress(address)) {
            let windows = Some(WINDOW_RANGE.start).filter(|start| address < *start);
            return (Place::Ram, windows.or(Some(region.last_addr().0 + 1)));
        }
        match address {
            _ if (rom..FOUR_GIB).contains(&address) => (Place::Firmware(address), Some(FOUR_GIB)),
            0..FOUR_GIB => (Place::Bus, Some(rom)),
            _ => (Place::Bus, None),
        }
    }

    fn below_1m(&self) -> MutexGuard<'_, Below1M> {
        self.below_1m.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Below1M {
    /// Who answers an address in the range, and the first address for which that
    /// may be different.
    fn run(&self, address: u64, rom_len: u64) -> (Place, Option<u64>) {
        let rom = WINDOW_RANGE.end - rom_len.min(ROM_SHADOW);
        let window = self.windows.iter().find(|(window, _)| window.contains(&address));
        let is_claimed = self.claims.iter().any(|claim| claim.contains(&address));
        let place = match window.map_or(Mode::Bus, |(_, mode)| *mode) {
            Mode::Ram | Mode::RamReadOnly => Place::Ram,
            Mode::Bus if is_claimed => Place::Bus,
            Mode::Bus if address >= rom => Place::Firmware(FOUR_GIB - (WINDOW_RANGE.end - address)),
            Mode::Bus if OPTION_ROMS.contains(&address) => Place::OptionRoms,
            Mode::Bus => Place::Ram,
        };
        let windows = self.windows.iter().map(|(window, _)| window);
        let ranges = windows.chain(&self.claims).chain([&OPTION_ROMS, &WINDOW_RANGE]);
        let edges = ranges.flat_map(|range| [range.start, range.end]).chain([rom]);
        (place, edges.filter(|edge| *edge > address).min())
    }
}

/// The addresses are those of RAM, so this cannot fail.
fn check(address: u64, result: Result<(), GuestMemoryError>) {
    if let Err(error) = result {
        tracing::error!(address, %error, "guest memory");
    }
}

#[cfg(test)]
mod tests;

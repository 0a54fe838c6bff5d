//! What lies below the devices of a recording's machine.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;

use southbridge::component::Mode;
use southbridge::machine::file::CpuPin;
use southbridge::machine::{Board, WINDOW_RANGE};
use southbridge_sdk::fake::trace::Interrupt;

/// Where the recordings' machines had ROMs, which were all zeros: room for
/// option ROMs, and 64 KiB of firmware.
const ROMS: [Range<u64>; 2] = [0xc_0000..0xe_0000, 0xf_0000..0x10_0000];

/// Interrupt lines and RAM below the devices.
pub(crate) struct Ground(Mutex<Levels>);

struct Levels {
    gsis: BTreeMap<u32, bool>,
    changes: Vec<Interrupt>,
    windows: Vec<(Range<u64>, Mode)>,
    /// RAM in the range of the windows.
    ram: Vec<u8>,
}

impl Ground {
    pub(crate) fn new(windows: Vec<Range<u64>>) -> Self {
        Self(Mutex::new(Levels {
            gsis: BTreeMap::new(),
            changes: Vec::new(),
            windows: windows.into_iter().map(|window| (window, Mode::Bus)).collect(),
            ram: vec![0; (WINDOW_RANGE.end - WINDOW_RANGE.start) as usize],
        }))
    }

    /// Begins to note the changes of interrupt lines, which count as low until then.
    pub(crate) fn listen(&self) {
        let mut levels = self.0.lock().unwrap();
        levels.gsis.clear();
        levels.changes.clear();
    }

    /// The changes of interrupt lines since the last call.
    pub(crate) fn take_changes(&self) -> Vec<Interrupt> {
        std::mem::take(&mut self.0.lock().unwrap().changes)
    }

    pub(crate) fn read(&self, address: u64) -> u8 {
        let mut levels = self.0.lock().unwrap();
        levels.ram(address).map_or(0, |byte| *byte)
    }

    /// QEMU applies write protection to processors; qtest writes as a device
    /// does, which it does not stop.
    pub(crate) fn write(&self, address: u64, value: u8) {
        let mut levels = self.0.lock().unwrap();
        if let Some(byte) = levels.ram(address) {
            *byte = value;
        }
    }
}

impl Levels {
    /// The byte of RAM that is seen at an address; none where it is a ROM's.
    fn ram(&mut self, address: u64) -> Option<&mut u8> {
        let window = self.windows.iter().find(|(window, _)| window.contains(&address));
        let is_bus = window.is_none_or(|(_, mode)| *mode == Mode::Bus);
        let is_rom = is_bus && ROMS.iter().any(|rom| rom.contains(&address));
        let at = (address - WINDOW_RANGE.start) as usize;
        if is_rom { None } else { self.ram.get_mut(at) }
    }
}

impl Board for Ground {
    /// As in a recording only changes count.
    fn set_gsi(&self, gsi: u32, level: bool) {
        let mut levels = self.0.lock().unwrap();
        if levels.gsis.insert(gsi, level).unwrap_or(false) != level {
            levels.changes.push(Interrupt { pin: gsi as u8, level });
        }
    }

    fn set_cpu_pin(&self, _pin: CpuPin, _level: bool) {}

    fn set_windows(&self, changes: &[(usize, Mode)]) {
        let mut levels = self.0.lock().unwrap();
        for &(window, mode) in changes {
            levels.windows[window].1 = mode;
        }
    }

    fn set_claims(&self, claims: &[Range<u64>]) {
        assert_eq!(claims, [], "these machines have no device there");
    }
}

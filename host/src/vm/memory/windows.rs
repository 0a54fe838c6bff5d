//! The addresses from 640 KiB to 1 MiB, where RAM, the ROM or the bus answers.

use super::slots::{Access, Backing, Slot, Slots};
use super::{HIGH_RAM_START, LOW_RAM_END};
use crate::vm::Error;

const PAGE: u64 = 4096;

/// How much of the ROM's end is seen below 1 MiB, as on QEMU's PC machines.
const ROM_SHADOW: u64 = 128 << 10;

/// A window in which a device (the host bridge) decides who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RamWindow {
    /// Its first address, a multiple of 4096 from 0xa0000 on.
    pub base: u64,
    /// Its length in bytes, a multiple of 4096. It ends at 0x100000 at most.
    pub size: u64,
}

/// Who answers in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowMode {
    /// The bus: the ROM where there is one, else the door.
    #[default]
    Bus,
    /// RAM answers reads; writes go to the door.
    RamReadOnly,
    /// RAM answers.
    Ram,
}

/// What a piece is mapped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Door,
    Rom,
    RamReadOnly,
    Ram,
}

/// A range in which one window, or none, and the ROM, or nothing, lie: what one
/// memory slot can serve.
struct Piece {
    base: u64,
    window: Option<usize>,
    rom: Option<Backing>,
    ram: Backing,
    slot: Slot,
    shown: Answer,
}

/// The pieces and the modes of the windows.
pub(super) struct Windows {
    modes: Vec<WindowMode>,
    pieces: Vec<Piece>,
}

impl Windows {
    /// Cuts the range into pieces. None is mapped yet. `ram` is the part of RAM
    /// that starts at address 0.
    pub(super) fn new(
        windows: &[RamWindow],
        ram: &Backing,
        rom: Option<&Backing>,
        slots: &Slots,
    ) -> Result<Self, Error> {
        check(windows)?;
        let shadow = rom.map(|rom| rom.part(rom.len().saturating_sub(ROM_SHADOW), ROM_SHADOW));
        let shadow_base = shadow.as_ref().map(|rom| HIGH_RAM_START - rom.len());
        let mut cuts: Vec<u64> = windows
            .iter()
            .flat_map(|window| [window.base, window.base + window.size])
            .chain(shadow_base)
            .chain([LOW_RAM_END, HIGH_RAM_START])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        let pieces = cuts
            .windows(2)
            .map(|ends| {
                let (base, len) = (ends[0], ends[1] - ends[0]);
                let rom = shadow.as_ref().zip(shadow_base);
                Piece {
                    base,
                    window: windows.iter().position(|window| window.contains(base)),
                    rom: rom
                        .filter(|&(_, shadow_base)| base >= shadow_base)
                        .map(|(rom, shadow_base)| rom.part(base - shadow_base, len)),
                    ram: ram.part(base, len),
                    slot: slots.reserve(),
                    shown: Answer::Door,
                }
            })
            .collect();
        Ok(Self {
            modes: vec![WindowMode::Bus; windows.len()],
            pieces,
        })
    }

    /// The mode of window `index`.
    pub(super) fn mode(&self, index: usize) -> Result<WindowMode, Error> {
        self.modes
            .get(index)
            .copied()
            .ok_or_else(|| self.no_window(index))
    }

    /// The modes of all windows.
    pub(super) fn modes(&self) -> &[WindowMode] {
        &self.modes
    }

    /// What the modes would be after some changes.
    pub(super) fn modes_after(
        &self,
        changes: &[(usize, WindowMode)],
    ) -> Result<Vec<WindowMode>, Error> {
        let mut modes = self.modes.clone();
        for &(index, mode) in changes {
            *modes.get_mut(index).ok_or_else(|| self.no_window(index))? = mode;
        }
        Ok(modes)
    }

    /// Maps every piece as these modes of the windows say.
    pub(super) fn show(&mut self, slots: &Slots, modes: Vec<WindowMode>) -> Result<(), Error> {
        for piece in &mut self.pieces {
            let mode = piece.window.map_or(WindowMode::Bus, |window| modes[window]);
            piece.show(slots, mode)?;
        }
        self.modes = modes;
        Ok(())
    }

    fn no_window(&self, index: usize) -> Error {
        Error::NoSuchWindow {
            index,
            count: self.modes.len(),
        }
    }
}

impl Piece {
    fn show(&mut self, slots: &Slots, mode: WindowMode) -> Result<(), Error> {
        let answer = match (mode, &self.rom) {
            (WindowMode::Bus, None) => Answer::Door,
            (WindowMode::Bus, Some(_)) => Answer::Rom,
            (WindowMode::RamReadOnly, _) => Answer::RamReadOnly,
            (WindowMode::Ram, _) => Answer::Ram,
        };
        if answer == self.shown {
            return Ok(());
        }
        slots.delete(self.slot)?;
        self.shown = Answer::Door;
        let mapped = match answer {
            Answer::Door => None,
            Answer::Rom => self.rom.as_ref().map(|rom| (rom, Access::ReadOnly)),
            Answer::RamReadOnly => Some((&self.ram, Access::ReadOnly)),
            Answer::Ram => Some((&self.ram, Access::ReadWrite)),
        };
        if let Some((backing, access)) = mapped {
            slots.set(self.slot, self.base, backing, access)?;
        }
        self.shown = answer;
        Ok(())
    }
}

impl RamWindow {
    fn contains(&self, address: u64) -> bool {
        (self.base..self.base + self.size).contains(&address)
    }
}

fn check(windows: &[RamWindow]) -> Result<(), Error> {
    for (index, window) in windows.iter().enumerate() {
        let &RamWindow { base, size } = window;
        let bad = |expected| {
            Err(Error::BadWindow {
                index,
                base,
                size,
                expected,
            })
        };
        if !base.is_multiple_of(PAGE) || !size.is_multiple_of(PAGE) || size == 0 {
            return bad("multiples of 4096, and a size that is not 0");
        }
        if !(LOW_RAM_END..=HIGH_RAM_START).contains(&base) || size > HIGH_RAM_START - base {
            return bad("a place between 0xa0000 and 0x100000");
        }
        let overlaps =
            |other: &RamWindow| base < other.base + other.size && other.base < base + size;
        if windows[..index].iter().any(overlaps) {
            return bad("no overlap with the windows before it");
        }
    }
    Ok(())
}

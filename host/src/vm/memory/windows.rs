//! The addresses from 640 KiB to 1 MiB, where RAM, a ROM or the bus answers.

use std::ops::Range;

use super::slots::{Access, Backing, Slot, Slots};
use super::{HIGH_RAM_START, LOW_RAM_END, OPTION_ROMS};
use crate::vm::{Error, PAGE};

pub(super) const PAGES: usize = ((HIGH_RAM_START - LOW_RAM_END) / PAGE) as usize;

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
    /// The bus: the door where a device claims the page, else a ROM if there is
    /// one, else RAM. QEMU's view of the bus has holes, too, and RAM below it.
    #[default]
    Bus,
    /// RAM answers reads; writes are dropped.
    RamReadOnly,
    /// RAM answers.
    Ram,
}

/// Who answers in a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Door,
    Rom,
    OptionRoms,
    RamReadOnly,
    Ram,
}

/// Neighbouring pages that one memory slot serves.
struct Run {
    pages: Range<u64>,
    answer: Answer,
    slot: Slot,
}

/// The pages and all that decides who answers in them.
pub(super) struct Windows {
    windows: Vec<RamWindow>,
    modes: Vec<WindowMode>,
    claims: Vec<Range<u64>>,
    ram: Backing,
    /// The ROM's end, which ends at 1 MiB.
    rom: Option<Backing>,
    option_roms: Backing,
    shown: Vec<Run>,
    spare: Vec<Slot>,
}

impl Windows {
    /// Windows in mode [`Bus`](WindowMode::Bus), of which nothing is shown yet.
    /// `ram` is the part of RAM that starts at address 0, `option_roms` what the guest
    /// finds at [`OPTION_ROMS`].
    pub(super) fn new(
        windows: &[RamWindow],
        ram: &Backing,
        rom: Option<&Backing>,
        option_roms: Backing,
    ) -> Result<Self, Error> {
        check(windows)?;
        Ok(Self {
            windows: windows.to_vec(),
            modes: vec![WindowMode::Bus; windows.len()],
            claims: Vec::new(),
            ram: ram.clone(),
            rom: rom.map(|rom| rom.part(rom.len().saturating_sub(ROM_SHADOW), ROM_SHADOW)),
            option_roms,
            shown: Vec::new(),
            spare: Vec::new(),
        })
    }

    /// The mode of window `index`.
    pub(super) fn mode(&self, index: usize) -> Result<WindowMode, Error> {
        self.modes.get(index).copied().ok_or_else(|| self.no_window(index))
    }

    /// Sets modes, and returns whether one of them is new. What is shown stays.
    pub(super) fn set_modes(&mut self, changes: &[(usize, WindowMode)]) -> Result<bool, Error> {
        let mut modes = self.modes.clone();
        for &(index, mode) in changes {
            *modes.get_mut(index).ok_or_else(|| self.no_window(index))? = mode;
        }
        let changed = modes != self.modes;
        self.modes = modes;
        Ok(changed)
    }

    /// Sets the claims, and returns whether they are new. What is shown stays.
    pub(super) fn set_claims(&mut self, claims: &[Range<u64>]) -> bool {
        let changed = claims != self.claims;
        self.claims = claims.to_vec();
        changed
    }

    /// Whether read-only RAM answers at an address in the range.
    pub(super) fn is_read_only(&self, address: u64) -> bool {
        self.answer(address - address % PAGE) == Answer::RamReadOnly
    }

    /// Maps every page as modes and claims say. Pages that do not change keep
    /// their slots.
    pub(super) fn show(&mut self, slots: &Slots) -> Result<(), Error> {
        let wanted = self.wanted();
        let mut kept = Vec::with_capacity(wanted.len());
        while let Some(run) = self.shown.pop() {
            if wanted.contains(&(run.pages.clone(), run.answer)) {
                kept.push(run);
            } else if let Err(error) = slots.delete(run.slot) {
                self.shown.push(run);
                self.shown.append(&mut kept);
                return Err(error);
            } else {
                self.spare.push(run.slot);
            }
        }
        self.shown = kept;
        for (pages, answer) in wanted {
            let Some((backing, access)) = self.backing(&pages, answer) else { continue };
            if self.shown.iter().any(|run| run.pages == pages) {
                continue;
            }
            let slot = self.spare.pop().unwrap_or_else(|| slots.reserve());
            slots.set(slot, pages.start, &backing, access)?;
            self.shown.push(Run { pages, answer, slot });
        }
        Ok(())
    }

    /// Who is to answer, with neighbours of one kind together.
    fn wanted(&self) -> Vec<(Range<u64>, Answer)> {
        let mut runs: Vec<(Range<u64>, Answer)> = Vec::with_capacity(PAGES);
        for page in (LOW_RAM_END..HIGH_RAM_START).step_by(PAGE as usize) {
            let answer = self.answer(page);
            match runs.last_mut() {
                Some((pages, before)) if *before == answer => pages.end += PAGE,
                _ => runs.push((page..page + PAGE, answer)),
            }
        }
        runs
    }

    fn answer(&self, page: u64) -> Answer {
        let window = self.windows.iter().position(|window| window.contains(page));
        let claimed = |claim: &Range<u64>| claim.start < page + PAGE && page < claim.end;
        match window.map_or(WindowMode::Bus, |window| self.modes[window]) {
            WindowMode::Ram => Answer::Ram,
            WindowMode::RamReadOnly => Answer::RamReadOnly,
            WindowMode::Bus if self.claims.iter().any(claimed) => Answer::Door,
            WindowMode::Bus if page >= self.rom_base() => Answer::Rom,
            WindowMode::Bus if OPTION_ROMS.contains(&page) => Answer::OptionRoms,
            WindowMode::Bus => Answer::Ram,
        }
    }

    fn backing(&self, pages: &Range<u64>, answer: Answer) -> Option<(Backing, Access)> {
        let len = pages.end - pages.start;
        let part = |backing: &Backing, base| backing.part(pages.start - base, len);
        match answer {
            Answer::Door => None,
            Answer::Rom => {
                self.rom.as_ref().map(|rom| (part(rom, self.rom_base()), Access::ReadOnly))
            }
            Answer::OptionRoms => {
                Some((part(&self.option_roms, OPTION_ROMS.start), Access::ReadOnly))
            }
            Answer::RamReadOnly => Some((part(&self.ram, 0), Access::ReadOnly)),
            Answer::Ram => Some((part(&self.ram, 0), Access::ReadWrite)),
        }
    }

    fn rom_base(&self) -> u64 {
        HIGH_RAM_START - self.rom.as_ref().map_or(0, Backing::len)
    }

    fn no_window(&self, index: usize) -> Error {
        Error::NoSuchWindow { index, count: self.modes.len() }
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
        let bad = |expected| Err(Error::BadWindow { index, base, size, expected });
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

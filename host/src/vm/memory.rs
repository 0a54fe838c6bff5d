//! Guest memory: RAM, the firmware's ROM, and the windows below 1 MiB in which
//! either may answer, or a device.

mod blocks;
mod host;
mod ram;
mod rom;
mod roms;
mod slots;
mod windows;

use std::ops::Range;
use std::sync::{Arc, Mutex};

use vm_memory::{GuestAddress, GuestMemoryBackend, GuestMemoryMmap, GuestMemoryRegion, MmapRegion};

pub use ram::RamLayout;
pub use rom::Rom;
pub use roms::{OPTION_ROMS, Roms};
pub use windows::{RamWindow, WindowMode};

use super::Error;
use super::gate::Gate;
use super::sync::lock;
use blocks::Blocks;
use slots::{Access, Backing, Slots};
use windows::Windows;

/// Where RAM below 640 KiB ends, and video memory and ROMs begin.
pub(super) const LOW_RAM_END: u64 = 0xa_0000;

/// Where RAM continues.
pub(super) const HIGH_RAM_START: u64 = 0x10_0000;

/// Where RAM that does not fit below continues again.
pub(super) const FOUR_GIB: u64 = 1 << 32;

/// The memory of one machine.
pub struct Memory {
    ram: GuestMemoryMmap,
    roms: Roms,
    windows: Mutex<Windows>,
    blocks: Blocks,
    slots: Slots,
    gate: Arc<Gate>,
}

impl Memory {
    /// Allocates RAM and gives it and the ROM to KVM, with all windows in mode
    /// [`Bus`](WindowMode::Bus) and no claims.
    pub(super) fn new(
        vm: Arc<kvm_ioctls::VmFd>,
        gate: Arc<Gate>,
        layout: &RamLayout,
        windows: &[RamWindow],
        rom: Option<&Rom>,
    ) -> Result<Self, Error> {
        let ram = layout.allocate()?;
        let slots = Slots::new(vm);
        let backing = |memory: &GuestMemoryMmap, start| {
            let region = memory.find_region(GuestAddress(start))?;
            Some(Backing::new(region.get_mmap()))
        };
        let low_ram = backing(&ram, 0).ok_or(Error::NoRam)?;
        let high_ram = low_ram.part(HIGH_RAM_START, low_ram.len());
        slots.add(0, &low_ram.part(0, LOW_RAM_END), Access::ReadWrite)?;
        slots.add(HIGH_RAM_START, &high_ram, Access::ReadWrite)?;
        if let Some(ram) = backing(&ram, FOUR_GIB) {
            slots.add(FOUR_GIB, &ram, Access::ReadWrite)?;
        }
        let roms = Roms::new(rom)?;
        let rom = roms.firmware().and_then(|rom| backing(rom, FOUR_GIB - roms.firmware_len()));
        if let Some(rom) = &rom {
            slots.add(FOUR_GIB - rom.len(), rom, Access::ReadOnly)?;
        }
        let options = backing(roms.options(), OPTION_ROMS.start).ok_or(Error::NoRam)?;
        let mut windows = Windows::new(windows, &low_ram, rom.as_ref(), options)?;
        windows.show(&slots)?;
        Ok(Self { ram, roms, windows: Mutex::new(windows), blocks: Blocks::default(), slots, gate })
    }

    /// The RAM, by guest physical address. What lies behind windows and ROMs is
    /// part of it, whoever answers there.
    pub fn ram(&self) -> &GuestMemoryMmap {
        &self.ram
    }

    /// The ROMs.
    pub const fn roms(&self) -> &Roms {
        &self.roms
    }

    /// The size of the part of RAM that starts at address 0, in bytes.
    pub fn below_4g(&self) -> u64 {
        self.region_len(0)
    }

    /// The size of the part of RAM that starts at 4 GiB, in bytes; may be 0.
    pub fn above_4g(&self) -> u64 {
        self.region_len(FOUR_GIB)
    }

    fn region_len(&self, start: u64) -> u64 {
        self.ram.find_region(GuestAddress(start)).map_or(0, GuestMemoryRegion::len)
    }

    /// The mode of a window, by its position in the machine's list.
    ///
    /// # Errors
    ///
    /// There is no such window.
    pub fn window(&self, index: usize) -> Result<WindowMode, Error> {
        lock(&self.windows).mode(index)
    }

    /// Sets the modes of windows, each given by its position in the machine's
    /// list. Windows that are in their mode already cost nothing.
    ///
    /// May be called by any thread, also by a vCPU's while it serves an exit,
    /// and takes effect before the guest's next access. While the memory slots
    /// change no vCPU is in the guest: a slot can only be deleted and made
    /// anew, and in between the guest would find nothing there.
    ///
    /// # Errors
    ///
    /// There is no such window (nothing is changed then), or KVM refuses.
    pub fn set_windows(&self, changes: &[(usize, WindowMode)]) -> Result<(), Error> {
        self.change(|windows| windows.set_modes(changes))
    }

    /// Says at which addresses between 0xa0000 and 0x100000 devices answer: all
    /// of them, those said before included. Where a window is in mode
    /// [`Bus`](WindowMode::Bus) the pages they touch go to the door; in the
    /// others a ROM answers, or RAM.
    ///
    /// May be called like [`set_windows`](Self::set_windows).
    ///
    /// # Errors
    ///
    /// KVM refuses.
    pub fn set_claims(&self, claims: &[Range<u64>]) -> Result<(), Error> {
        self.change(|windows| Ok(windows.set_claims(claims)))
    }

    /// Has memory of a device answer from `base` on, or nowhere; the guest can write to
    /// it unless it is `read_only`. `number` tells such blocks apart.
    ///
    /// May be called by any thread.
    ///
    /// # Errors
    ///
    /// KVM refuses.
    pub fn map_block(
        &self,
        number: usize,
        memory: &Arc<MmapRegion>,
        read_only: bool,
        base: Option<u64>,
    ) -> Result<(), Error> {
        let access = if read_only { Access::ReadOnly } else { Access::ReadWrite };
        self.blocks.map(&self.slots, number, memory, access, base)
    }

    /// Whether RAM answers at an address and must not be written. KVM leaves such
    /// a write to the host; it is nobody's, also if a device claims the page.
    pub(super) fn drops_write(&self, address: u64) -> bool {
        (LOW_RAM_END..HIGH_RAM_START).contains(&address)
            && lock(&self.windows).is_read_only(address)
    }

    /// Makes a change, and shows it with no vCPU in the guest if it is one.
    fn change(
        &self,
        change: impl FnOnce(&mut Windows) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut windows = lock(&self.windows);
        match change(&mut windows)? {
            true => self.gate.with_guest_out(|| windows.show(&self.slots)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;

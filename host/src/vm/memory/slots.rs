//! KVM's memory slots: which of this process's memory answers which of the
//! guest's addresses.

#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::{Arc, Mutex};

use kvm_bindings::{KVM_MEM_READONLY, kvm_userspace_memory_region};
use kvm_ioctls::VmFd;
use vm_memory::MmapRegion;

use crate::vm::Error;
use crate::vm::sync::lock;

/// What the guest may do with a slot. A write to a slot that is read only
/// arrives at the door instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    ReadOnly,
    ReadWrite,
}

/// A page-aligned part of a mapping of this process. It keeps the mapping.
#[derive(Clone)]
pub(super) struct Backing {
    mapping: Arc<MmapRegion>,
    offset: u64,
    len: u64,
}

impl Backing {
    /// The whole of `mapping`.
    pub(super) fn new(mapping: Arc<MmapRegion>) -> Self {
        let len = mapping.size() as u64;
        Self { mapping, offset: 0, len }
    }

    /// The length in bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// `len` bytes of it at `offset`, cut off at its end.
    pub(super) fn part(&self, offset: u64, len: u64) -> Self {
        let offset = offset.min(self.len);
        Self {
            mapping: self.mapping.clone(),
            offset: self.offset + offset,
            len: len.min(self.len - offset),
        }
    }
}

/// The number of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// What KVM uses of this process's memory, and where.
struct Used {
    _mapping: Arc<MmapRegion>,
    addresses: Range<u64>,
}

/// The slots of one machine.
pub(super) struct Slots {
    vm: Arc<VmFd>,
    /// By slot number, what KVM uses; none if there is no such slot now.
    mappings: Mutex<Vec<Option<Used>>>,
}

impl Slots {
    /// No slots yet.
    pub(super) fn new(vm: Arc<VmFd>) -> Self {
        Self { vm, mappings: Mutex::default() }
    }

    /// Reserves a slot's number.
    pub(super) fn reserve(&self) -> Slot {
        let mut mappings = lock(&self.mappings);
        let slot = Slot(mappings.len() as u32);
        mappings.push(None);
        slot
    }

    /// How many slots' numbers have been reserved.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        lock(&self.mappings).len()
    }

    /// Makes a new slot for good, unless `backing` is empty.
    pub(super) fn add(&self, base: u64, backing: &Backing, access: Access) -> Result<(), Error> {
        match backing.len {
            0 => Ok(()),
            _ => self.set(self.reserve(), base, backing, access),
        }
    }

    /// Makes a slot, which must not exist now and must not overlap another.
    pub(super) fn set(
        &self,
        slot: Slot,
        base: u64,
        backing: &Backing,
        access: Access,
    ) -> Result<(), Error> {
        let mut mappings = lock(&self.mappings);
        let region = kvm_userspace_memory_region {
            slot: slot.0,
            flags: match access {
                Access::ReadOnly => KVM_MEM_READONLY,
                Access::ReadWrite => 0,
            },
            guest_phys_addr: base,
            memory_size: backing.len,
            userspace_addr: backing.mapping.as_ptr() as u64 + backing.offset,
        };
        // SAFETY: the range is inside `backing.mapping` (`Backing::part` cuts
        // it off there), and the mapping is kept until the slot is deleted. The
        // rest of the program touches it only by volatile accesses, as it must
        // while a guest may write to it. KVM refuses slots that overlap.
        unsafe { self.vm.set_user_memory_region(region) }
            .map_err(Error::kvm(format!("map {:#x} bytes of memory at {base:#x}", backing.len)))?;
        let addresses = base..base.saturating_add(backing.len);
        mappings[slot.0 as usize] = Some(Used { _mapping: backing.mapping.clone(), addresses });
        Ok(())
    }

    /// Whether a slot answers somewhere among `len` bytes from `base` on.
    pub(super) fn overlap(&self, base: u64, len: u64) -> bool {
        let mappings = lock(&self.mappings);
        let end = base.saturating_add(len);
        let mut used = mappings.iter().flatten().map(|used| &used.addresses);
        used.any(|used| base < used.end && used.start < end)
    }

    /// Deletes a slot, if it exists.
    pub(super) fn delete(&self, slot: Slot) -> Result<(), Error> {
        let mut mappings = lock(&self.mappings);
        let mapping = &mut mappings[slot.0 as usize];
        if mapping.is_none() {
            return Ok(());
        }
        let region = kvm_userspace_memory_region { slot: slot.0, ..Default::default() };
        // SAFETY: a size of 0 deletes the slot; KVM then uses no memory for it.
        unsafe { self.vm.set_user_memory_region(region) }
            .map_err(Error::kvm("unmap guest memory"))?;
        *mapping = None;
        Ok(())
    }
}

impl Drop for Slots {
    /// Takes the memory from KVM before it is unmapped here: others may hold
    /// the machine's file descriptor for longer.
    fn drop(&mut self) {
        let count = lock(&self.mappings).len() as u32;
        for slot in 0..count {
            if self.delete(Slot(slot)).is_err() {
                // KVM may still use it, so it must stay mapped for good.
                std::mem::forget(lock(&self.mappings)[slot as usize].take());
            }
        }
    }
}

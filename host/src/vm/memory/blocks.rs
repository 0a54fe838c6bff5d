//! Memory of devices that answers in their place.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use vm_memory::MmapRegion;

use super::slots::{Access, Backing, Slot, Slots};
use crate::vm::Error;
use crate::vm::sync::lock;

/// The slot of each block that has ever been mapped.
#[derive(Default)]
pub(super) struct Blocks(Mutex<BTreeMap<usize, Slot>>);

impl Blocks {
    /// Has `memory` answer from `base` on, or nowhere. Where a slot cannot be, because
    /// RAM answers there or the address is no page's, the guest's accesses go to the
    /// door, as they do while the slot moves.
    ///
    /// # Errors
    ///
    /// KVM refuses.
    pub(super) fn map(
        &self,
        slots: &Slots,
        number: usize,
        memory: &Arc<MmapRegion>,
        access: Access,
        base: Option<u64>,
    ) -> Result<(), Error> {
        let mut blocks = lock(&self.0);
        let slot = *blocks.entry(number).or_insert_with(|| slots.reserve());
        slots.delete(slot)?;
        let Some(base) = base.filter(|base| base.is_multiple_of(crate::vm::PAGE)) else {
            return Ok(());
        };
        let backing = Backing::new(memory.clone());
        match slots.overlap(base, backing.len()) {
            true => Ok(()),
            false => slots.set(slot, base, &backing, access),
        }
    }
}

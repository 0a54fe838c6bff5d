//! Another version in a slot, and before that beside its device.

use std::time::Duration;

use super::{DeviceEvent, Error, Machine};
use crate::component::{Effects, Image};
use crate::slot::{ShadowStatus, Slot, SwapError, Swapped};

impl Machine {
    /// Replaces the device in a slot. The guest may run meanwhile. If the old one
    /// has failed, the new one starts from the checkpoint if there is one, else
    /// as after a reset.
    ///
    /// # Errors
    /// There is no such slot, or the new version does not fit; the old one is in
    /// place then.
    pub fn swap(&self, slot: &str, image: &Image) -> Result<Swapped, Error> {
        self.exchange(slot, |slot, effects| slot.swap(image, effects))
    }

    /// Replaces the device in a slot, and keeps the old one as a guard for `time`: if
    /// the new one fails, the old one answers in its place
    /// ([`Slot::swap_guarded`]).
    ///
    /// # Errors
    /// As [`swap`](Self::swap), or there cannot be two of the device.
    pub fn swap_guarded(
        &self,
        slot: &str,
        image: &Image,
        time: Duration,
    ) -> Result<Swapped, Error> {
        self.exchange(slot, |slot, effects| slot.swap_guarded(image, time, effects))
    }

    /// Has another version run beside the device in a slot, until `accesses` of the
    /// guest's have agreed or something has not ([`Slot::shadow`]).
    ///
    /// # Errors
    /// There is no such slot, or the version cannot be the device's shadow.
    pub fn shadow(&self, name: &str, image: &Image, accesses: u64) -> Result<(), Error> {
        self.change(name, |slot, effects| slot.shadow(image, accesses, effects))
    }

    /// What is known of the last shadow of a slot; none if there was none.
    ///
    /// # Errors
    /// There is no such slot.
    pub fn shadow_status(&self, name: &str) -> Result<Option<ShadowStatus>, Error> {
        Ok(self.slot(name)?.shadow_status())
    }

    /// Replaces the device in a slot by the shadow that has agreed. With a time the old
    /// one is kept as a guard.
    ///
    /// # Errors
    /// There is no such slot, or no shadow of it has agreed, or as
    /// [`swap`](Self::swap).
    pub fn commit(&self, name: &str, guarded: Option<Duration>) -> Result<Swapped, Error> {
        let slot = self.slot(name)?;
        let image = slot.agreed_shadow().map_err(|source| not_swapped(name, source))?;
        let swapped = match guarded {
            Some(time) => self.swap_guarded(name, &image, time),
            None => self.swap(name, &image),
        };
        if swapped.is_ok() {
            slot.end_shadow();
        }
        swapped
    }

    /// Ends the shadow of a slot. Returns whether there was one.
    ///
    /// # Errors
    /// There is no such slot.
    pub fn end_shadow(&self, name: &str) -> Result<bool, Error> {
        Ok(self.slot(name)?.end_shadow())
    }

    /// Goes back to the version that the last swap of a slot replaced.
    ///
    /// # Errors
    /// There is no such slot, no earlier version, or it does not fit.
    pub fn roll_back(&self, slot: &str) -> Result<Swapped, Error> {
        self.exchange(slot, Slot::roll_back)
    }

    fn exchange(
        &self,
        name: &str,
        exchange: impl FnOnce(&Slot, &mut Effects) -> Result<Swapped, SwapError>,
    ) -> Result<Swapped, Error> {
        let swapped = self.change(name, exchange)?;
        let slot = self.slot(name)?.name().clone();
        self.tell_listeners(&DeviceEvent::Replaced { slot, swapped: swapped.clone() });
        Ok(swapped)
    }

    /// Changes what is in a slot while nobody else does.
    fn change<R>(
        &self,
        name: &str,
        change: impl FnOnce(&Slot, &mut Effects) -> Result<R, SwapError>,
    ) -> Result<R, Error> {
        let slot = self.slot(name)?;
        let _exchanging = self.exchanging();
        let mut effects = Effects::new();
        let result = change(slot, &mut effects);
        self.apply(&mut effects);
        result.map_err(|source| not_swapped(name, source))
    }
}

fn not_swapped(slot: &str, source: SwapError) -> Error {
    Error::Swap { slot: slot.into(), source: Box::new(source) }
}

//! What a machine consists of, for whoever looks at it.

use super::file::{DeviceEntry, PropertyPath};
use super::plan::Planned;
use super::{DeviceRequest, Machine};
use crate::component::{Description, Image, Mode, Property, PropertyValue, RamWindow, Space};
use crate::slot::Slot;

/// Why a device is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The machine type has it.
    Machine,
    /// It was asked for.
    Request,
    /// It was asked for and given an id.
    NamedRequest,
}

impl Reason {
    pub(super) fn of(entry: &DeviceEntry, requests: &[DeviceRequest]) -> Self {
        let id = |request: &DeviceRequest| request.id.clone();
        let asked = |request: &&DeviceRequest| request.id() == entry.id;
        match requests.iter().find(asked).map(id) {
            None => Self::Machine,
            Some(None) => Self::Request,
            Some(Some(_)) => Self::NamedRequest,
        }
    }
}

/// A device of a machine.
#[derive(Clone, Copy)]
pub struct Part<'m> {
    /// Its number: its position among the devices.
    pub index: usize,
    /// What the machine file says of it, with its address.
    pub entry: &'m DeviceEntry,
    /// Why it is there.
    pub reason: Reason,
    slot: &'m Slot,
    machine: &'m Machine,
}

impl Part<'_> {
    /// The image that is plugged.
    #[must_use]
    pub fn image(&self) -> Image {
        self.slot.image()
    }

    /// Its properties, in the order in which it declares them.
    #[must_use]
    pub fn properties(&self) -> Vec<Property> {
        self.slot.properties()
    }

    /// Its regions of memory: size, and where each is mapped, if it is.
    #[must_use]
    pub fn memory_regions(&self) -> Vec<(u64, Option<u64>)> {
        let mapped = self.machine.memory.mappings();
        let place = |region: u32| {
            let here = mapped.iter().find(|mapping| mapping.is(self.slot, region));
            here.map(|mapping| mapping.base)
        };
        let image = self.image();
        let regions = (0..).zip(&image.description().regions);
        let memory = regions.filter(|(_, region)| region.space == Space::Memory);
        memory.map(|(number, region)| (region.size, place(number))).collect()
    }
}

/// A window in which a device decides whether RAM answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its name in the device.
    pub name: String,
    /// Its first address.
    pub base: u64,
    /// Its length in bytes.
    pub size: u64,
    /// What answers.
    pub mode: Mode,
}

impl Machine {
    /// The devices, in the order in which they were created.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let planned = self.planned.iter().zip(&self.slots).enumerate();
        planned.map(|(index, (Planned { entry, reason, .. }, slot))| Part {
            index,
            entry,
            reason: *reason,
            slot,
            machine: self,
        })
    }

    /// The options of the machine in QEMU that are properties of devices, with their
    /// values. What QEMU has in a structure (`boot.order`) is not among them.
    #[must_use]
    pub fn options(&self) -> Vec<(&str, PropertyValue)> {
        let plain = self.options.iter().filter(|(name, _)| !name.contains('.'));
        let value = |path: &PropertyPath| {
            let properties = self.slot(&path.device).ok()?.properties().into_iter();
            let property = properties.into_iter().find(|known| known.name == path.property);
            property.map(|property| property.value)
        };
        plain.filter_map(|(name, path)| Some((name.as_str(), value(path)?))).collect()
    }

    /// All RAM windows, by device and then as each declares them.
    #[must_use]
    pub fn ram_windows(&self) -> Vec<Window> {
        let of_slot = |(planned, driven): (&Planned, &super::Driven)| {
            let Description { windows, .. } = planned.image.description();
            let driven = driven.lock();
            let window = |(declared, applied): (&RamWindow, &super::driven::Applied<Mode>)| {
                let RamWindow { name, base, size } = declared.clone();
                Window { name, base, size, mode: applied.value }
            };
            windows.iter().zip(&driven.windows).map(window).collect::<Vec<_>>()
        };
        self.planned.iter().zip(&self.driven).flat_map(of_slot).collect()
    }
}

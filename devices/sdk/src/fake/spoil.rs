//! States in which something is not as it was saved.

use vmstate::{Layouts, Structure};

use super::Bench;
use crate::Device;
use crate::wit::{PropertyValue, Scope, Section, Space};

/// What says which PCI function a configuration space is of and what it decodes, by
/// offset and bits: ids, class, header type and base addresses, of which a guest can
/// write a part.
const FIXED: [(u16, u32); 9] = [
    (0x00, u32::MAX),
    (0x08, u32::MAX),
    (0x0c, 0xff_0000),
    (0x10, u32::MAX),
    (0x14, u32::MAX),
    (0x18, u32::MAX),
    (0x1c, u32::MAX),
    (0x20, u32::MAX),
    (0x24, u32::MAX),
];
const BASE_ADDRESSES: std::ops::Range<u16> = 0x10..0x28;

/// How many spoilt states a device has taken, and how many it has refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoilt {
    /// Taken for what they are.
    pub taken: usize,
    /// Refused.
    pub refused: usize,
}

impl<D: Device> Bench<D> {
    /// The device's sections in QEMU's stream, decoded. Their fields have values that
    /// QEMU could have saved: those that the layouts of crate `vmstate` let pass, and
    /// in a configuration space, what no guest can change is as the device made it.
    ///
    /// # Panics
    /// They have not. `properties` are those of this device.
    pub fn legal_state(
        &mut self,
        properties: &[(&str, PropertyValue)],
    ) -> Vec<(String, Structure)> {
        self.assert_same_function(properties);
        let decode = |Section { name, version, data }| {
            let (id, instance, offset) = (0, 0, 0);
            let section = vmstate::Section { id, name, instance, version, payload: data, offset };
            match Layouts::builtin().decode(&section) {
                Ok(reading) => (section.name, reading.structure),
                Err(error) => panic!("{} has a value that cannot be: {error}", section.name),
            }
        };
        self.save(Scope::Stream).into_iter().map(decode).collect()
    }

    /// Loads a state with each of its bytes spoilt in turn, in three ways. Each time
    /// the device refuses it, or the state it has then is legal, passes `legal`, which
    /// gets each section's name and content, and is what the device saves and loads
    /// from then on.
    ///
    /// # Panics
    /// It is not so, or the device refuses the state as it is given.
    pub fn spoil(
        properties: &[(&str, PropertyValue)],
        scope: Scope,
        sections: &[Section],
        mut legal: impl FnMut(&str, &Structure),
    ) -> Spoilt {
        let load = |sections: Vec<Section>| {
            let mut bench = Self::configured(properties);
            bench.load(scope, sections).map(|()| bench)
        };
        if let Err(refusal) = load(sections.to_vec()) {
            panic!("refused as it is: {refusal:?}");
        }
        let mut spoilt = Spoilt::default();
        let places = sections.iter().enumerate();
        let places = places.flat_map(|(index, s)| (0..s.data.len()).map(move |at| (index, at)));
        for ((index, at), mask) in places.flat_map(|place| [0x01, 0x80, 0xff].map(|m| (place, m))) {
            let mut sections = sections.to_vec();
            sections[index].data[at] ^= mask;
            let Ok(mut bench) = load(sections) else {
                spoilt.refused += 1;
                continue;
            };
            spoilt.taken += 1;
            for (name, structure) in bench.legal_state(properties) {
                legal(&name, &structure);
            }
            bench.assert_settled(properties, scope);
        }
        spoilt
    }

    /// Checks that the device loads what it saves, and then saves the same.
    ///
    /// # Panics
    /// It does not.
    pub fn assert_settled(&mut self, properties: &[(&str, PropertyValue)], scope: Scope) {
        let saved = self.save(scope);
        let mut again = Self::configured(properties);
        again.fake.now = self.fake.now;
        if let Err(refusal) = again.load(scope, saved.clone()) {
            panic!("the device refuses what it has saved: {refusal:?}");
        }
        for (again, saved) in again.save(scope).iter().zip(&saved) {
            assert_eq!((&again.name, &again.data), (&saved.name, &saved.data), "not settled");
        }
    }

    fn assert_same_function(&mut self, properties: &[(&str, PropertyValue)]) {
        let regions = &self.description.regions;
        if !regions.iter().any(|region| matches!(region.space, Space::Configuration)) {
            return;
        }
        let mut fresh = Self::with(properties);
        for (at, bits) in FIXED {
            let (found, own) = (self.configuration_read(at, 4), fresh.configuration_read(at, 4));
            fresh.configuration_write(at, 4, !own);
            let writable = own ^ fresh.configuration_read(at, 4);
            // As QEMU does, take anything for a base address the function does not have.
            if writable != 0 || !BASE_ADDRESSES.contains(&at) {
                let differs = (found ^ own) & bits & !writable;
                assert_eq!(differs, 0, "configuration register {at:#04x} is {found:#x}");
            }
        }
    }
}

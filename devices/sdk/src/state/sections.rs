//! The sections of a device, and the three walks over them.

use vmstate::Writer;

use super::fields::{Loading, Mistake, Walk};
use super::table::Table;
use super::{Condition, Fields, Shape};
use crate::wit::{Nanoseconds, Refusal, Scope, Section, SectionDescription, StateDescription};
use crate::{Context, Device};

/// Takes a device's declaration of its sections.
pub struct Sections<'w> {
    walk: Walking<'w>,
    scope: Scope,
    now: Nanoseconds,
}

enum Walking<'w> {
    Save(&'w mut Vec<Section>),
    Load(&'w mut Given),
    Describe(&'w mut StateDescription),
}

/// The sections that are to be loaded; each is taken by its declaration.
struct Given {
    sections: Vec<Section>,
    refusal: Option<Refusal>,
}

impl Sections<'_> {
    /// The time of the save or load; 0 when the state is described.
    #[must_use]
    pub const fn now(&self) -> Nanoseconds {
        self.now
    }

    /// Whether the state is for a stream rather than for another version of the
    /// device in the same slot.
    #[must_use]
    pub const fn is_stream(&self) -> bool {
        matches!(self.scope, Scope::Stream)
    }

    /// A section whose name stands alone in QEMU's stream, or is told apart by
    /// a running number (`smbus-eeprom`). A device may have several of one name
    /// itself: they are saved and loaded in the order of their declaration.
    pub fn section(&mut self, shape: Shape, needed: Condition, body: impl FnOnce(&mut Fields<'_>)) {
        self.walk(shape, false, needed, body);
    }

    /// A section whose name follows the path of the device on its bus
    /// (`0000:00:01.3/piix4_pm`).
    pub fn section_with_path(
        &mut self,
        shape: Shape,
        needed: Condition,
        body: impl FnOnce(&mut Fields<'_>),
    ) {
        self.walk(shape, true, needed, body);
    }

    fn walk(
        &mut self,
        shape: Shape,
        has_path: bool,
        needed: Condition,
        body: impl FnOnce(&mut Fields<'_>),
    ) {
        let Shape { name, version, .. } = shape;
        match &mut self.walk {
            Walking::Save(sections) => {
                if !needed.holds && !matches!(self.scope, Scope::Whole) {
                    return;
                }
                let mut writer = Writer::new();
                body(&mut Fields::new(Walk::Save(&mut writer), self.scope, shape, version));
                sections.push(Section { name: name.into(), version, data: writer.into_bytes() });
            }
            Walking::Load(given) => given.load(self.scope, shape, body),
            Walking::Describe(description) => {
                let mut table = Table::default();
                table.structures = std::mem::take(&mut description.structures);
                table.open(shape);
                body(&mut Fields::new(Walk::Describe(&mut table), self.scope, shape, version));
                let (structure, _) = table.close();
                description.structures = table.structures;
                let (name, condition) = (name.into(), needed.described());
                let section = SectionDescription { name, has_path, condition, structure };
                description.sections.push(section);
            }
        }
    }
}

impl Given {
    fn load(&mut self, scope: Scope, shape: Shape, body: impl FnOnce(&mut Fields<'_>)) {
        let found = self.sections.iter().position(|section| section.name == shape.name);
        let Some(index) = found.filter(|_| self.refusal.is_none()) else { return };
        let Section { name, version, data } = self.sections.remove(index);
        let result = match shape.rejects(version) {
            Some(reason) => Err(Mistake { field: String::new(), offset: 0, reason }),
            None => {
                let mut loading = Loading::new(data);
                body(&mut Fields::new(Walk::Load(&mut loading), scope, shape, version));
                loading.finish()
            }
        };
        self.refusal = result.err().map(|Mistake { field, offset, reason }| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            Refusal { section: name, field, offset, reason }
        });
    }
}

/// Saves the state of a device: the contract's `save`.
pub fn save(device: &mut impl Device, scope: Scope, now: Nanoseconds) -> Vec<Section> {
    let mut sections = Vec::new();
    device.state(&mut Sections { walk: Walking::Save(&mut sections), scope, now });
    sections
}

/// Describes the state of a device: the contract's `describe-state`.
pub fn describe(device: &mut impl Device) -> StateDescription {
    let mut description = StateDescription { sections: Vec::new(), structures: Vec::new() };
    let walk = Walking::Describe(&mut description);
    device.state(&mut Sections { walk, scope: Scope::Stream, now: 0 });
    description
}

/// Loads a state into a device that has just been configured: the contract's
/// `load`. What the sections do not say is as after a reset.
///
/// # Errors
/// The first thing that is wrong: an unknown or repeated section, a version
/// out of range, data that is too short or too long, or a field that the
/// device's declaration does not allow. The device is not usable then.
pub fn load(
    device: &mut impl Device,
    scope: Scope,
    sections: Vec<Section>,
    cx: &mut Context<'_>,
) -> Result<(), Refusal> {
    device.reset(cx);
    let mut given = Given { sections, refusal: None };
    device.state(&mut Sections { walk: Walking::Load(&mut given), scope, now: cx.now });
    if let Some(refusal) = given.refusal {
        return Err(refusal);
    }
    let whole_section = |section: String, reason: String| Refusal {
        section,
        field: String::new(),
        offset: 0,
        reason,
    };
    if let Some(Section { name, .. }) = given.sections.pop() {
        let reason = "unknown section, or the section is there twice".into();
        return Err(whole_section(name, reason));
    }
    device.loaded(cx).map_err(|reason| whole_section(String::new(), reason))
}

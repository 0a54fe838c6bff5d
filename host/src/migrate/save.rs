//! A machine's devices to a stream.

use vmstate::{Configuration, Devices, Live, Section, Stream};

use super::names::Names;
use super::run_state::{self, RunStateName};
use super::{Stopped, clock, processors};
use crate::component::Scope;
use crate::machine::{Error, Machine};
use crate::vm::VmState;

impl Machine {
    /// The state of all devices as a stream of this machine type, without guest
    /// memory. What a stream that was loaded held besides is in it again, also what
    /// the machine did then; one that was not loaded is paused. The processors must
    /// be stopped.
    ///
    /// # Errors
    /// A device is out of service, or fails while it is saved.
    pub fn save_stream(&self) -> Result<Stream, Error> {
        self.save_with(None)
    }

    /// The same with the state of processors, if there are any.
    pub(super) fn save_with(&self, processors: Option<&VmState>) -> Result<Stream, Error> {
        let names = Names::of(self);
        let origin = self.origin();
        let now = self.clock().now();
        let migration = self.migration();
        let no_room = || Error::Host("a processor's state has no room in its section".to_owned());
        let cores = processors.map(|state| {
            processors::write(state, origin.as_deref(), migration, now).ok_or_else(no_room)
        });
        let mut own = cores.transpose()?.unwrap_or_default();
        own.extend(own_sections(self, &names)?);
        let sections = match &origin {
            Some(origin) => {
                let mut sections = merge(&origin.devices.sections, own, &names, now);
                // The machine it was loaded from may have been of another type.
                match sections.iter().position(|section| section.name == run_state::NAME) {
                    Some(place) if !migration.store_global_state => {
                        drop(sections.remove(place));
                    }
                    None if migration.store_global_state => {
                        let id = free_id(&sections);
                        sections.push(Section { id, ..RunStateName::PAUSED.section() });
                    }
                    _ => {}
                }
                sections
            }
            None => {
                let state = migration.store_global_state.then(|| RunStateName::PAUSED.section());
                let sections = std::iter::once(clock::write(now)).chain(own).chain(state);
                let number = |(id, section)| Section { id, ..section };
                (0..).zip(sections).map(number).collect()
            }
        };
        let configuration = migration.send_configuration.then(|| Configuration {
            machine: self.name().to_owned(),
            ..origin.as_ref().and_then(|origin| origin.configuration.clone()).unwrap_or_default()
        });
        let described = !migration.suppress_vmdesc;
        let description = described.then(|| {
            let machine = configuration.as_ref().map(|own| own.machine.as_str());
            let known = origin.as_ref().and_then(|origin| origin.devices.description.as_deref());
            vmstate::describe(machine, &sections, known)
        });
        let description =
            description.transpose().map_err(|error| Error::Host(error.to_string()))?;
        let footers = migration.send_section_footer;
        let devices = Devices { footers, sections, description };
        Ok(Stream { configuration, live: Live::default(), devices })
    }
}

impl Machine {
    /// The same with what the machine does, or did before it was stopped, and with the
    /// state of its processors, if it has any.
    ///
    /// # Errors
    /// As [`save_stream`](Self::save_stream).
    pub fn save_stream_as(&self, stopped: &Stopped) -> Result<Stream, Error> {
        let mut stream = self.save_with(stopped.processors.as_ref())?;
        stopped.run_state.update(&mut stream.devices.sections);
        Ok(stream)
    }
}

/// The sections of the machine's devices, in the machine's order.
fn own_sections(machine: &Machine, names: &Names) -> Result<Vec<Section>, Error> {
    let mut sections = Vec::new();
    for (slot, saved) in machine.save(Scope::Stream)?.into_iter().enumerate() {
        let mut seen = Vec::new();
        for section in saved.sections {
            // Several of one kind are in the order of their instances.
            let before = seen.iter().filter(|kind| **kind == section.name).count();
            seen.push(section.name.clone());
            let mut named =
                names.iter().filter(|name| name.slot == slot && name.kind == section.name);
            let Some(name) = named.nth(before) else {
                let reason =
                    format!("the device saves a section {:?} it does not describe", section.name);
                return Err(Error::State { slot: saved.slot, reason });
            };
            sections.push(Section {
                id: 0,
                name: name.name.clone(),
                instance: name.instance,
                version: section.version,
                payload: section.data,
                offset: 0,
            });
        }
    }
    Ok(sections)
}

/// The sections of the devices among those of the stream they were loaded from:
/// what was there stays where it was, with its id, and what is new follows what
/// comes before it in the machine.
fn merge(origin: &[Section], own: Vec<Section>, names: &Names, now: u64) -> Vec<Section> {
    let same = |a: &Section, b: &Section| a.name == b.name && a.instance == b.instance;
    let kept = origin.iter().filter_map(|section| {
        if section.name == clock::NAME {
            let mut section = section.clone();
            clock::update(&mut section, now);
            return Some(section);
        }
        let Some(new) = own.iter().find(|new| same(new, section)) else {
            return names.find(section).is_none().then(|| section.clone());
        };
        let (version, payload) = (new.version, new.payload.clone());
        Some(Section { version, payload, ..section.clone() })
    });
    let mut sections: Vec<_> = kept.collect();
    let mut place = 0;
    for section in own {
        match sections.iter().position(|kept| same(kept, &section)) {
            Some(there) => place = there + 1,
            None => {
                let id = free_id(&sections);
                sections.insert(place, Section { id, ..section });
                place += 1;
            }
        }
    }
    sections
}

/// An id that no section has.
pub(super) fn free_id(sections: &[Section]) -> u32 {
    let is_free = |id: &u32| !sections.iter().any(|section| section.id == *id);
    // Behind the others, where there is room.
    let last = sections.iter().map(|section| section.id).max();
    let next = last.map_or(0, |id| id.wrapping_add(1));
    (next..=u32::MAX).find(is_free).unwrap_or(0)
}

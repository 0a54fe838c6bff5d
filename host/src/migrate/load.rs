//! A stream to a machine's devices.

use std::sync::Arc;

use vmstate::{Section, Stream};

use super::names::{Name, Names};
use super::processors::{self, ProcessorForm};
use super::{Fault, Format, Problem, clock, frame, pins};
use crate::component::{self, Scope};
use crate::machine::{Loading, Machine, NotLoaded};
use crate::slot::LoadError;
use crate::vm::VmState;

/// A stream that was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The sections of devices that the machine does not have: name and
    /// instance. They are kept, and written back when the machine is saved.
    pub kept: Vec<(String, u32)>,
    /// What the processors hold, if the machine has some and the stream says it. It is
    /// for whoever has them.
    pub processors: Option<VmState>,
}

/// What a stream holds for a machine.
struct Parts<'s> {
    names: Names,
    /// For each slot its sections.
    states: Vec<Vec<component::Section>>,
    kept: Vec<&'s Section>,
    now: u64,
}

impl Machine {
    /// Everything in a stream that does not fit this machine: nothing, if it can
    /// be loaded. The machine is not touched.
    #[must_use]
    pub fn check_stream(&self, stream: &Stream) -> Vec<Problem> {
        self.begin(stream).err().unwrap_or_default()
    }

    /// Loads a stream into the devices. The processors must be stopped.
    ///
    /// # Errors
    /// Everything that does not fit; the machine is untouched then.
    pub fn load_stream(&self, stream: &Stream) -> Result<Loaded, Vec<Problem>> {
        self.load_with(stream, None)
    }

    /// The same with processors of this form.
    pub(super) fn load_with(
        &self,
        stream: &Stream,
        form: Option<ProcessorForm>,
    ) -> Result<Loaded, Vec<Problem>> {
        let processors = form.map_or(Ok(None), |form| processors::read(stream, form));
        let ((loading, kept), processors) = match (self.begin(stream), processors) {
            (Ok(begun), Ok(processors)) => (begun, processors),
            (begun, processors) => {
                let problems = [begun.err(), processors.err()];
                return Err(problems.into_iter().flatten().flatten().collect());
            }
        };
        let held: Vec<_> = kept.iter().flat_map(|section| pins::high(section)).collect();
        let form = form.filter(|_| processors.is_some());
        let kept = kept.iter().filter(|section| !form.is_some_and(|form| form.has(section)));
        let kept = kept.map(|section| (section.name.clone(), section.instance)).collect();
        loading.finish(Some(Arc::new(stream.clone())), &held);
        Ok(Loaded { kept, processors })
    }

    fn begin<'m, 's>(
        &'m self,
        stream: &'s Stream,
    ) -> Result<(Loading<'m>, Vec<&'s Section>), Vec<Problem>> {
        let mut problems = frame::check(self, stream);
        let parts = take_apart(self, stream, &mut problems);
        // The devices are asked even so: all that does not fit is to be said.
        match self.load(Scope::Stream, &parts.states, parts.now) {
            Ok(loading) if problems.is_empty() => return Ok((loading, parts.kept)),
            Ok(_) => {}
            Err(refused) => {
                problems.extend(explain(self, refused, &parts.names, stream));
                problems.sort_by_key(|problem| problem.offset);
            }
        }
        Err(problems)
    }
}

/// Why devices do not take their state: because it is in another format, or what
/// they say themselves.
fn explain(
    machine: &Machine,
    refused: Vec<NotLoaded>,
    names: &Names,
    stream: &Stream,
) -> Vec<Problem> {
    let formats = other_formats(machine, names, stream);
    let own_words = refused
        .into_iter()
        .filter(|refused| !formats.iter().any(|(slot, _)| *slot == refused.slot))
        .map(|refused| refusal(refused, names, stream))
        .collect::<Vec<_>>();
    formats.into_iter().map(|(_, problem)| problem).chain(own_words).collect()
}

/// Gives each section to its slot.
fn take_apart<'s>(machine: &Machine, stream: &'s Stream, problems: &mut Vec<Problem>) -> Parts<'s> {
    let names = Names::of(machine);
    let count = names.iter().map(|name| name.slot + 1).max().unwrap_or(0);
    let mut parts = Parts {
        states: vec![Vec::new(); count],
        kept: Vec::new(),
        now: machine.clock().now(),
        names,
    };
    let mut states: Vec<Vec<(u32, component::Section)>> = vec![Vec::new(); count];
    for section in &stream.devices.sections {
        let offset = Some(section.offset);
        if section.name == clock::NAME {
            match clock::read(section) {
                Ok(now) => parts.now = now,
                Err(clock::Unreadable::Section(error)) => problems.push(Problem {
                    offset: Some(error.offset),
                    fault: Fault::Unreadable(error.problem),
                }),
                Err(clock::Unreadable::Time { value, offset }) => {
                    problems.push(Problem { offset: Some(offset), fault: Fault::Clock { value } });
                }
            }
            continue;
        }
        let Some(name) = parts.names.find(section) else {
            match no_device(machine, &parts.names, section) {
                Some(fault) => problems.push(Problem { offset, fault }),
                None => parts.kept.push(section),
            }
            continue;
        };
        let (slot, instance) = (name.slot, name.instance);
        let own = component::Section {
            name: name.kind.clone(),
            version: section.version,
            data: section.payload.clone(),
        };
        states[slot].push((instance, own));
    }
    // A device gets several of one kind in the order of their instances.
    for (state, own) in states.iter_mut().zip(&mut parts.states) {
        state.sort_by_key(|(instance, _)| *instance);
        own.extend(state.drain(..).map(|(_, section)| section));
    }
    let is_there = |name: &Name| stream.devices.sections.iter().any(|section| name.is(section));
    for name in parts.names.iter().filter(|name| name.always && !is_there(name)) {
        let (section, slot) = (name.name.clone(), name.slot_name.to_string());
        problems.push(Problem { offset: None, fault: Fault::Missing { section, slot } });
    }
    parts
}

/// The sections that are in another format than the one in which the device in
/// their slot saves, by slot. No device takes such a section; this says why.
fn other_formats(machine: &Machine, names: &Names, stream: &Stream) -> Vec<(usize, Problem)> {
    // A device that cannot be saved is about to be replaced by one that can.
    let saved = machine.save(Scope::Stream).unwrap_or_default();
    let own = saved.into_iter().enumerate().flat_map(|(slot, saved)| {
        let formats = saved.sections.into_iter().filter_map(Format::of_saved);
        formats.map(move |format| (slot, format))
    });
    let own: Vec<_> = own.collect();
    let problem = |section: &Section| {
        let slot = names.find(section)?.slot;
        let (reading, found) = Format::of(section)?;
        let same_kind = |(at, own): &&(usize, Format)| *at == slot && own.kind == found.kind;
        let expected = own.iter().filter(same_kind).map(|(_, format)| format);
        if expected.clone().all(|expected| *expected == found) {
            return None;
        }
        let difference = found.compare(&reading, section.offset, expected);
        let (name, machine) = (section.name.clone(), machine.name().to_owned());
        let fault = Fault::OtherFormat { section: name, machine, difference };
        Some((slot, Problem { offset: Some(section.offset), fault }))
    };
    stream.devices.sections.iter().filter_map(problem).collect()
}

/// Why a section of no device of the machine cannot be kept: it is of a kind of
/// device that could be there, and that nobody has without asking for it.
fn no_device(machine: &Machine, names: &Names, section: &Section) -> Option<Fault> {
    let kind = section.kind();
    let device = machine.optional_device(kind);
    let is_known = device.is_some() || names.iter().any(|name| name.kind == kind);
    is_known.then(|| Fault::NoDevice {
        section: section.name.clone(),
        instance: section.instance,
        device,
    })
}

/// A device's refusal, said of the stream.
fn refusal(refused: NotLoaded, names: &Names, stream: &Stream) -> Problem {
    let NotLoaded { slot, name, error } = refused;
    let slot_name = name.to_string();
    let LoadError::Refused(refusal) = error else {
        let fault = Fault::Device { slot: slot_name, reason: error.to_string() };
        return Problem { offset: None, fault };
    };
    let name = names.iter().find(|name| name.slot == slot && name.kind == refusal.section);
    let section =
        name.and_then(|name| stream.devices.sections.iter().find(|section| name.is(section)));
    let offset = section.map(|section| section.offset + u64::from(refusal.offset));
    let section = section.map_or(refusal.section, |section| section.name.clone());
    let (field, reason) = (refusal.field, refusal.reason);
    Problem { offset, fault: Fault::Refused { slot: slot_name, section, field, reason } }
}

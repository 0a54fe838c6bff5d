//! The machine a stream was saved on, as far as the stream tells.

use std::collections::BTreeMap;

use vmstate::Stream;

use super::blocks::RAM;
use super::formats::configured;
use crate::component::StateDescription;
use crate::library::Library;
use crate::machine::file::{Address, DeviceEntry, MachineType, Parameters};
use crate::machine::{DeviceRequest, Error, Plan};

/// RAM of a machine whose stream holds none.
const RAM_SIZE: u64 = 128 << 20;
/// The section every processor has.
const PROCESSOR: &str = "cpu_common";

/// A machine of a type with those of its default and optional devices that the
/// stream has sections of, at the addresses the stream says. `cpus` is the number
/// of processors, which the stream tells otherwise.
///
/// # Errors
/// As [`Plan::new`].
pub fn plan_for(
    stream: &Stream,
    machine: &MachineType,
    library: &Library,
    cpus: Option<u32>,
) -> Result<Plan, Error> {
    let mut machine = machine.clone();
    let mut left = Left::of(stream);
    let mut devices = Vec::new();
    for device in std::mem::take(&mut machine.devices) {
        devices.push((main_section(&machine, &device, library)?, device));
    }
    // A default device without a section was not there.
    machine.devices = devices
        .into_iter()
        .filter_map(|(kind, mut device)| match left.take(kind.as_deref()) {
            Taken::Absent if device.default => None,
            Taken::At(address) => {
                if let Some(place) = &mut device.at {
                    place.value.address.get_or_insert(address);
                }
                Some(device)
            }
            _ => Some(device),
        })
        .collect();
    let mut requests = Vec::new();
    for device in &machine.optional {
        let kind = main_section(&machine, device, library)?;
        loop {
            let address = match left.take(kind.as_deref()) {
                Taken::Absent | Taken::Untold => break,
                Taken::At(address) => Some(address.to_string()),
                Taken::Somewhere => None,
            };
            let number =
                requests.iter().filter(|r: &&DeviceRequest| r.template == device.id).count();
            let id = (number > 0).then(|| format!("{}-{number}", device.id));
            requests.push(DeviceRequest { id, address, ..DeviceRequest::new(&device.id) });
        }
    }
    let blocks = &stream.live.blocks;
    let ram = blocks.iter().find(|block| block.name == RAM).map_or(RAM_SIZE, |block| block.size);
    let sections = stream.devices.sections.iter();
    let processors = sections.filter(|section| section.name == PROCESSOR).count();
    let cpus = cpus.unwrap_or_else(|| u32::try_from(processors.max(1)).unwrap_or(u32::MAX));
    Plan::new(&machine, &requests, library, Parameters::new(cpus, ram))
}

/// The name of the section that a device always saves; none if there is none.
fn main_section(
    machine: &MachineType,
    device: &DeviceEntry,
    library: &Library,
) -> Result<Option<String>, Error> {
    let (_, StateDescription { sections, .. }) = configured(machine, device, library)?;
    let mut always = sections.into_iter().filter(|section| section.condition.is_none());
    Ok(always.next_back().map(|section| section.name))
}

/// The sections of a stream by kind, not yet given to a device: their paths.
struct Left<'s>(BTreeMap<&'s str, Vec<Option<&'s str>>>);

/// What a stream says of a device.
enum Taken {
    /// The device has no section by which it is known.
    Untold,
    /// There is no section of it.
    Absent,
    /// It is there.
    Somewhere,
    /// It is at this address.
    At(Address),
}

impl<'s> Left<'s> {
    fn of(stream: &'s Stream) -> Self {
        let mut left: BTreeMap<&str, Vec<Option<&str>>> = BTreeMap::new();
        // From behind, so that the first comes out first.
        for section in stream.devices.sections.iter().rev() {
            let path = section.name.rsplit_once('/').map(|(path, _)| path);
            left.entry(section.kind()).or_default().push(path);
        }
        Self(left)
    }

    fn take(&mut self, kind: Option<&str>) -> Taken {
        let Some(kind) = kind else { return Taken::Untold };
        let Some(path) = self.0.get_mut(kind).and_then(Vec::pop) else { return Taken::Absent };
        let address = path.and_then(|path| path.rsplit(':').next()).map(str::parse);
        match address {
            Some(Ok(address)) => Taken::At(address),
            _ => Taken::Somewhere,
        }
    }
}

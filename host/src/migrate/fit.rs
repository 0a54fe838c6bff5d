//! Which machine types a stream fits.

use vmstate::{Reading, Section, Stream};

use super::Format;
use crate::library::Library;
use crate::machine::Error;
use crate::machine::file::{MachineType, MachineTypes};

/// The machine types that save such a stream, as far as it can tell.
///
/// # Errors
/// A machine type's components are missing or do not work.
pub fn fitting<'t>(
    stream: &Stream,
    types: &'t MachineTypes,
    library: &Library,
) -> Result<Vec<&'t MachineType>, Error> {
    let found: Vec<_> = formats(stream).collect();
    let mut fitting = Vec::new();
    for machine in types.iter() {
        if fits(machine, &Format::all_of(machine, library)?, stream, &found) {
            fitting.push(machine);
        }
    }
    Ok(fitting)
}

/// The sections of a stream with their formats; none of one that needs the
/// stream's own description to be read.
pub(crate) fn formats(
    stream: &Stream,
) -> impl Iterator<Item = (&Section, Option<(Reading, Format)>)> {
    stream.devices.sections.iter().map(|section| (section, Format::of(section)))
}

/// Whether a machine type that saves in the formats `saved` saves this stream,
/// whose sections are in the formats `found`.
pub fn fits(
    machine: &MachineType,
    saved: &[Format],
    stream: &Stream,
    found: &[(&Section, Option<(Reading, Format)>)],
) -> bool {
    let section_fits = |(section, found): &(&Section, Option<(Reading, Format)>)| {
        // A section of a device that the machine type does not have tells
        // nothing.
        let mut same_kind = saved.iter().filter(|saved| saved.kind == section.kind()).peekable();
        let format = found.as_ref().map(|(_, format)| format);
        same_kind.peek().is_none() || same_kind.any(|saved| Some(saved) == format)
    };
    frames_alike(machine, stream) && found.iter().all(section_fits)
}

/// Whether a stream of the machine type has the same parts around its sections.
/// Anybody may leave out the description, so that says nothing.
fn frames_alike(machine: &MachineType, stream: &Stream) -> bool {
    let stated = stream.configuration.as_ref().map(|found| found.machine.as_str());
    let devices = &stream.devices;
    // In the bare form no machine type states anything.
    let bare = stated.is_none() && stream.live.range.is_empty();
    let configured = bare || machine.migration.send_configuration == stated.is_some();
    let footers =
        devices.sections.is_empty() || machine.migration.send_section_footer == devices.footers;
    configured && footers && stated.is_none_or(|stated| stated == machine.name)
}

//! From one machine type's format to another's.
//!
//! No device is known here. A machine of the one type loads the state, a machine
//! of the other takes it over, as when devices are replaced, and saves it.

use vmstate::ram::Block;
use vmstate::{Layouts, Stream};

use super::blocks::VIDEO_MEMORY;
use super::changes::{self, Change};
use super::losses::{self, Loss};
use super::save::free_id;
use super::{Problem, plan_for};
use crate::library::Library;
use crate::machine::file::MachineType;
use crate::machine::{Error, Machine};

/// A state in another machine type's format.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    /// The state, without guest memory.
    pub stream: Stream,
    /// The values that only the one or the other stream has. Offsets of the new
    /// ones are those in the stream without guest memory.
    pub changes: Vec<Change>,
    /// What a guest could notice.
    pub losses: Vec<Loss>,
    /// The sections of devices that no machine here has: name and instance. They
    /// are as they were.
    pub kept: Vec<(String, u32)>,
}

/// Why a state cannot be converted.
#[derive(Debug, thiserror::Error)]
pub enum NotConverted {
    /// The machines are not of one kind.
    #[error(
        "{from} and {to} are not versions of one machine: a guest's memory lies elsewhere; the \
         state can be converted to another version of {from}"
    )]
    Family {
        /// The machine type of the state.
        from: String,
        /// The machine type asked for.
        to: String,
    },
    /// A block of guest memory has another name in the other machine type.
    #[error(
        "guest memory has a block {block:?}, which {to} has under another name; blocks of guest \
         memory cannot be renamed"
    )]
    Block {
        /// The block's name.
        block: String,
        /// The machine type asked for.
        to: String,
    },
    /// The state is not one of the machine type.
    #[error(
        "the state is not one of {machine}: {}{}", .problems[0],
        match .problems.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        }
    )]
    Unfit {
        /// The machine type.
        machine: String,
        /// Everything that does not fit; at least one.
        problems: Vec<Problem>,
    },
    /// A machine cannot be built or saved.
    #[error(transparent)]
    Machine(#[from] Error),
    /// The result cannot be described or read.
    #[error("the state cannot be written as one of {machine}: {error}")]
    Unreadable {
        /// The machine type asked for.
        machine: String,
        /// Why.
        error: vmstate::Error,
    },
}

impl NotConverted {
    /// The same of a stream that begins at `base` of a file, with offsets into the
    /// file.
    #[must_use]
    pub fn in_file(self, base: u64) -> Self {
        match self {
            Self::Unfit { machine, problems } => {
                let problems = problems.into_iter().map(|problem| problem.in_file(base)).collect();
                Self::Unfit { machine, problems }
            }
            other => other,
        }
    }
}

/// Converts a state that a machine of type `from` saved. `cpus` is the number of
/// its processors, which the stream tells otherwise. A state without guest memory
/// and without configuration section stays one.
///
/// # Errors
/// [`NotConverted`] says what is in the way.
pub fn convert(
    stream: &Stream,
    from: &MachineType,
    to: &MachineType,
    library: &Library,
    cpus: Option<u32>,
) -> Result<Converted, NotConverted> {
    if from.memory != to.memory {
        let (from, to) = (from.name.clone(), to.name.clone());
        return Err(NotConverted::Family { from, to });
    }
    let is_video = |block: &&Block| block.name.rsplit('/').next() == Some(VIDEO_MEMORY);
    if from.migration.vga_global_vmstate != to.migration.vga_global_vmstate
        && let Some(block) = stream.live.blocks.iter().find(is_video)
    {
        let (block, to) = (block.name.clone(), to.name.clone());
        return Err(NotConverted::Block { block, to });
    }
    let source = Machine::build_alone(&plan_for(stream, from, library, cpus)?)?;
    let kept = load(&source, stream)?;
    let plan = plan_for(stream, to, library, cpus)?;
    let target = Machine::build_alone(&plan)?;
    target.take_over(&source)?;
    let mut saved = target.save_stream()?;
    if stream.configuration.is_none() && stream.live.range.is_empty() {
        saved.configuration = None;
        saved.devices.description = None;
    }
    avoid(stream.live.id, &mut saved);
    let read = Stream::read(&saved.write(&[]), Layouts::builtin());
    let saved =
        read.map_err(|error| NotConverted::Unreadable { machine: to.name.clone(), error })?;
    let restored = Machine::build_alone(&plan)?;
    load(&restored, &saved)?;
    Ok(Converted {
        changes: changes::compare(&stream.devices.sections, &saved.devices.sections),
        losses: losses::compare(&source, &restored)?,
        stream: saved,
        kept,
    })
}

fn load(machine: &Machine, stream: &Stream) -> Result<Vec<(String, u32)>, NotConverted> {
    let loaded = machine.load_stream(stream);
    let unfit = |problems| NotConverted::Unfit { machine: machine.name().to_owned(), problems };
    loaded.map(|loaded| loaded.kept).map_err(unfit)
}

/// Gives a section another id if it has that of guest memory.
fn avoid(memory: Option<u32>, stream: &mut Stream) {
    let sections = &mut stream.devices.sections;
    let free = free_id(sections);
    if let Some(section) = sections.iter_mut().find(|section| Some(section.id) == memory) {
        section.id = free;
    }
}

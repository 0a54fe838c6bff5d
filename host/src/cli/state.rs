//! `southbridge state`.

mod check;
mod compare;
mod convert;
mod describe;
mod detect;
mod diff;
mod fields;
mod inspect;
mod load;
mod progress;
mod save;
mod source;

use std::path::PathBuf;

use clap::Subcommand;

use super::Result;
use super::args;
use super::components::Components;
use super::machine::Machines;
use super::output::Output;
use crate::machine::file::Parameters;
use crate::machine::{DeviceRequest, Plan};
use crate::vm::MAX_CPUS;
use detect::Detection;
use diff::Diff;
use inspect::Inspection;
pub(super) use source::Source;

const FILES: &str = "\
FILE is a stream of QEMU's, as `migrate` or `xen-save-devices-state` writes it, or
a file of `xl save`. It may be of any size; guest memory is passed over.";

const DIFF: &str = "\
Sections are matched by name and instance, fields by name. Their order, the
numbers of sections, and the pages of guest memory are not compared, nor is what
`xl save` puts around the state. A section that cannot be read field by field is
compared byte by byte.

Exit status: 0 if the states are equal, 1 if they differ, 2 if a file cannot be
read.

FILE is a stream of QEMU's, as `migrate` or `xen-save-devices-state` writes it, or
a file of `xl save`.";

const DESCRIPTION: &str = "\
The output is one JSON object in the shape of QEMU's -dump-vmstate, with these
differences: a section is named after its state, not its QOM type; it has the
condition for its being saved, and the devices that save it with the values of
their properties; a field has its type, its number of elements, and the condition
for its being there; the size of a structure is that on the wire.";

/// The devices' formats do not depend on the size of RAM.
const RAM_SIZE: u64 = 128 << 20;

/// Look at the saved state of a guest, QEMU's own format.
#[derive(Subcommand)]
pub(super) enum State {
    /// Tell what a saved state is, and which machine types it fits.
    ///
    /// Devices save more or less, depending on the machine type. What is in the
    /// file is compared to what the devices of each machine type save.
    #[command(after_help = FILES)]
    Detect {
        /// The file.
        file: PathBuf,

        #[command(flatten)]
        machines: Machines,

        #[command(flatten)]
        components: Components,

        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// List the sections of a saved state, or the fields of one. All offsets are
    /// in the file.
    #[command(after_help = FILES)]
    Inspect {
        /// The file.
        file: PathBuf,

        /// Show the fields of this section: `0000:00:01.3/piix4_pm`, or without
        /// the path of the device.
        #[arg(long, value_name = "NAME")]
        section: Option<String>,

        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    Check(check::Check),
    Save(save::Save),
    Convert(convert::Convert),
    /// Compare two saved states, section by section and field by field.
    #[command(after_help = DIFF)]
    Diff {
        /// The first file.
        #[arg(value_name = "FILE")]
        a: PathBuf,

        /// The second file.
        #[arg(value_name = "FILE")]
        b: PathBuf,

        /// Print one JSON object instead of text.
        #[arg(long)]
        json: bool,
    },
    /// Describe what the devices of a machine type save, field by field.
    #[command(after_help = DESCRIPTION)]
    Describe {
        /// The machine type's name or alias.
        #[arg(long, value_name = "NAME")]
        machine: String,

        /// Add one of the machine's optional devices. May be given several times.
        #[arg(
            long,
            value_name = "NAME[,id=ID][,addr=ADDRESS][,PROPERTY=VALUE]...",
            value_parser = args::device
        )]
        device: Vec<DeviceRequest>,

        /// The guest's processors.
        #[arg(
            long,
            value_name = "N",
            default_value_t = 1,
            value_parser = clap::value_parser!(u32).range(1..=MAX_CPUS as i64)
        )]
        cpus: u32,

        #[command(flatten)]
        machines: Machines,

        #[command(flatten)]
        components: Components,
    },
}

impl State {
    /// The exit status that says the command failed.
    pub(super) const fn failed(&self) -> u8 {
        match self {
            // As diff(1): 1 says that there are differences.
            Self::Diff { .. } => 2,
            _ => 1,
        }
    }

    pub(super) fn run(&self, output: &Output) -> Result<u8> {
        match self {
            Self::Detect { file, machines, components, json } => {
                let (types, library) = (machines.types()?, components.library()?);
                let detection = Detection::of(&Source::read(file)?, &types, &library)?;
                if *json {
                    output.json(&detection)?
                } else {
                    output.print(&detection.text(output))?
                }
            }
            Self::Inspect { file, section, json } => {
                let source = Source::read(file)?;
                let inspection = Inspection::of(&source, section.as_deref())?;
                if *json {
                    output.json(&inspection.json())?;
                } else {
                    output.print(&inspection.text(output))?;
                }
            }
            Self::Check(check) => return check.run(output),
            Self::Save(save) => save.run(output)?,
            Self::Convert(convert) => convert.run(output)?,
            Self::Diff { a, b, json } => {
                let (a, b) = (Source::read(a)?, Source::read(b)?);
                let diff = Diff::of(&a, &b)?;
                if *json {
                    output.json(&diff)?
                } else {
                    output.print(&diff.text(output))?
                }
                return Ok(u8::from(!diff.equal()));
            }
            Self::Describe { machine, device, cpus, machines, components } => {
                let (types, library) = (machines.types()?, components.library()?);
                let parameters = Parameters::new(*cpus, RAM_SIZE);
                let plan = Plan::new(types.get(machine)?, device, &library, parameters)?;
                output.json(&describe::describe(&plan)?)?;
            }
        }
        Ok(0)
    }
}

/// A name out of a file, fit for a terminal.
fn plain(name: &str) -> String {
    name.escape_debug().to_string()
}

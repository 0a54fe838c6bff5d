//! `southbridge state`.

mod check;
mod convert;
mod detect;
mod fields;
mod inspect;
mod load;
mod save;
mod source;

use std::path::PathBuf;

use clap::Subcommand;

use super::Result;
use super::components::Components;
use super::machine::Machines;
use super::output::Output;
use detect::Detection;
use inspect::Inspection;
pub(super) use source::Source;

const FILES: &str = "\
FILE is a stream of QEMU's, as `migrate` or `xen-save-devices-state` writes it, or
a file of `xl save`. It may be of any size; guest memory is passed over.";

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
}

impl State {
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
        }
        Ok(0)
    }
}

/// A name out of a file, fit for a terminal.
fn plain(name: &str) -> String {
    name.escape_debug().to_string()
}

//! `southbridge state save`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::Result;
use crate::cli::output::Output;
use crate::cli::paths::absolute;
use crate::control::qmp::{Client, SaveState, Saved};

/// Save the state of a running guest's devices, in QEMU's own format.
///
/// The guest stands still meanwhile, and runs on afterwards. Guest memory and
/// processors are not part of it.
#[derive(Args)]
pub(in crate::cli) struct Save {
    /// The guest's control socket.
    #[arg(long, value_name = "SOCKET")]
    control: PathBuf,

    /// The file to write.
    file: PathBuf,

    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Save {
    pub(super) fn run(&self, output: &Output) -> Result<()> {
        let filename = absolute(&self.file)?;
        let mut client = Client::connect(&self.control)?;
        let saved: Saved =
            client.execute("__org.southbridge_save-state", &SaveState { filename })?;
        if self.json {
            output.json(&saved)?
        } else {
            output.print(&format!("{saved}\n"))?
        }
        Ok(())
    }
}

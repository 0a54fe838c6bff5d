//! `southbridge state save`.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::Args;

use crate::cli::Result;
use crate::cli::output::Output;
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
        // The process of the guest may be in another directory.
        let name = self.file.display();
        let path = std::path::absolute(&self.file).with_context(|| format!("{name}: no path"))?;
        let filename = path.into_os_string().into_string();
        let filename = filename.map_err(|_| anyhow!("{name}: a path in UTF-8 expected"))?;
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

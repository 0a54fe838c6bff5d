//! `southbridge device build`.

use std::path::PathBuf;

use clap::Args;

use super::subject::title;
use crate::author;
use crate::cli::Result;
use crate::cli::components::Components;
use crate::cli::output::Output;
use crate::library::Library;

/// Build a device's crate with cargo, or its C sources with clang, and make a component
/// of it.
#[derive(Args)]
pub(in crate::cli) struct Build {
    /// The folder of the device.
    #[arg(default_value = ".")]
    path: PathBuf,

    /// The component's file. Default: NAME.wasm in the folder of the crate.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,

    #[command(flatten)]
    components: Components,
}

impl Build {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let file = author::build(&self.path, self.out.as_deref())?;
        let library: Library = self.components.library()?;
        // Asked for by its path, or a name alone would be one in this program.
        let image = library.read(&file)?;
        output.print(&format!("{}: {}\n", file.display(), title(&image)))?;
        Ok(0)
    }
}

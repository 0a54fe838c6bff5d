//! `southbridge device new`.

use std::path::PathBuf;

use clap::Args;

use clap::ValueEnum;

use crate::author::{self, Sdk};
use crate::cli::Result;
use crate::cli::output::Output;

/// Make a folder for a new device: a small one that works, with a test and a README, and
/// with the SDK and the contract beside it. Nothing else is needed to build it than
/// cargo; for one in C, clang and lld.
#[derive(Args)]
pub(in crate::cli) struct New {
    /// The folder of the crate; its last part is the device's name: lower-case letters,
    /// digits and '-', a letter first.
    path: PathBuf,

    /// What it is written in.
    #[arg(long, value_enum, default_value_t = Language::Rust)]
    language: Language,

    /// Use the SDK in this folder, a checkout of Southbridge, in place of a copy of the
    /// one in this program.
    #[arg(long, value_name = "DIR", conflicts_with = "language")]
    sdk: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Rust,
    C,
}

impl New {
    pub(in crate::cli) fn run(&self, output: &Output) -> Result<u8> {
        let sdk = self.sdk.as_deref().map_or(Sdk::Copy, Sdk::At);
        let (language, first) = match self.language {
            Language::Rust => (author::Language::Rust(sdk), "cargo test && "),
            Language::C => (author::Language::C, ""),
        };
        author::create(&self.path, language)?;
        let path = self.path.display();
        output.print(&format!(
            "{path} is made. What to do next, {path}/README.md says:\n    \
             cd {path} && {first}southbridge device build\n"
        ))?;
        Ok(0)
    }
}

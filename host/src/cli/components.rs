//! The options for the components of devices.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;

use super::Result;
use crate::component::{CodeCache, Compiler, Engine};
use crate::library::Library;

/// Where compiled code is kept.
#[derive(Args)]
pub(super) struct Components {
    /// Where compiled code is kept for the next time: a directory that belongs
    /// to the user alone, or `none`. Default: ~/.cache/southbridge.
    #[arg(long, value_name = "DIR|none")]
    code_cache: Option<PathBuf>,
}

impl Components {
    /// Components whose code is kept in that directory.
    pub(super) const fn new(code_cache: Option<PathBuf>) -> Self {
        Self { code_cache }
    }

    pub(super) fn library(&self) -> Result<Library> {
        let compiler = Compiler::child_of_this_program();
        Ok(Library::new(Engine::with_compiler(self.cache()?, compiler)?))
    }

    fn cache(&self) -> Result<Option<CodeCache>> {
        match self.code_cache.as_deref() {
            Some(path) if path == Path::new("none") => Ok(None),
            Some(directory) => CodeCache::open(directory).map(Some).map_err(|error| anyhow!(error)),
            // Nobody asked for it: without it only the start is slower.
            None => Ok(CodeCache::of_user()
                .inspect_err(|error| tracing::warn!("{error}; code is compiled anew each time"))
                .ok()),
        }
    }
}

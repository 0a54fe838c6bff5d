//! Paths for another process.

use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::Result;

/// A path as the process of a guest is to understand it, whose directory may be another
/// one.
pub(super) fn absolute(path: &Path) -> Result<String> {
    let place = path.display();
    let path = std::path::absolute(path).with_context(|| format!("{place}: no path"))?;
    let text = path.into_os_string().into_string();
    text.map_err(|path| anyhow!("{}: a path in UTF-8 expected", path.display()))
}

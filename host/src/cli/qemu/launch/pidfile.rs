//! `-pidfile`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use rustix::fs::{FlockOperation, fcntl_lock};

use crate::cli::Result;

/// A file with the process's number. It is locked as long as the process lives, and
/// goes away with this value.
pub(super) struct PidFile {
    path: PathBuf,
    _locked: File,
}

impl PidFile {
    pub(super) fn create(path: &Path) -> Result<Self> {
        create(path).map_err(|reason| anyhow!("cannot create PID file: {reason}"))
    }
}

fn create(path: &Path) -> std::result::Result<PidFile, String> {
    let at = |what: &str, error: io::Error| format!("{}: {what}: {error}", path.display());
    let options =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let mut file = options.map_err(|error| at("cannot open", error))?;
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive)
        .map_err(|error| at("cannot lock, another process has it", error.into()))?;
    file.set_len(0)
        .and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()))
        .map_err(|error| at("cannot write", error))?;
    // The process may change its directory.
    let path = std::path::absolute(path).map_err(|error| at("no absolute path", error))?;
    Ok(PidFile { path, _locked: file })
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "cannot remove the PID file");
        }
    }
}

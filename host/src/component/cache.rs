//! Code compiled ahead of time, kept in a private directory.

use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use wasmtime::component::Component;

/// A directory that holds compiled code. The code is what this host compiled and
/// nothing else: the directory must belong to the user and to nobody else,
/// because whoever writes to it decides what the host executes.
#[derive(Clone, Debug)]
pub struct CodeCache {
    directory: PathBuf,
}

impl CodeCache {
    /// Opens a cache, creating the directory with mode 0700.
    ///
    /// # Errors
    /// One line: the directory cannot be created or read, belongs to somebody
    /// else, or others may enter it.
    pub fn open(directory: &Path) -> Result<Self, String> {
        let refuse = |reason: String| format!("code cache {}: {reason}", directory.display());
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(|error| refuse(format!("cannot create: {error}")))?;
        let metadata = fs::symlink_metadata(directory)
            .map_err(|error| refuse(format!("cannot read: {error}")))?;
        let user = rustix::process::geteuid().as_raw();
        if !metadata.is_dir() {
            return Err(refuse("not a directory".into()));
        }
        if metadata.uid() != user {
            return Err(refuse(format!(
                "belongs to user {}, user {user} expected: its code would be executed",
                metadata.uid()
            )));
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(refuse(format!("mode is {mode:o}, 700 expected: run chmod 700 on it")));
        }
        Ok(Self { directory: directory.into() })
    }

    /// The cache of the user: `$XDG_CACHE_HOME/southbridge`, or
    /// `~/.cache/southbridge`.
    ///
    /// # Errors
    /// One line: neither variable is set, or the directory is refused.
    pub fn of_user() -> Result<Self, String> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let base = variable("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| variable("HOME").map(|home| home.join(".cache")))
            .ok_or("code cache: neither XDG_CACHE_HOME nor HOME is set")?;
        Self::open(&base.join("southbridge"))
    }

    /// The code stored under a key. Code of another engine version, or a damaged
    /// file, counts as not stored.
    #[allow(unsafe_code)]
    pub(super) fn find(&self, engine: &wasmtime::Engine, key: &str) -> Option<Component> {
        let path = self.path(key);
        if !path.exists() {
            return None;
        }
        // SAFETY: the file is in a directory that only this user can enter, and
        // `store` is all that writes there; it holds what `serialize` returned
        // for an engine with this configuration, or the engine refuses it by the
        // fingerprint in its head.
        let found = unsafe { Component::deserialize_file(engine, &path) };
        found
            .inspect_err(|error| tracing::debug!(path = %path.display(), %error, "stale code"))
            .ok()
    }

    /// Stores the code of a component under a key.
    pub(super) fn store(&self, key: &str, component: &Component) {
        match component.serialize() {
            Ok(code) => self.store_code(key, &code),
            Err(error) => tracing::warn!(%error, "cannot keep compiled code"),
        }
    }

    /// Stores code under a key. Readers see the whole file or none.
    pub(super) fn store_code(&self, key: &str, code: &[u8]) {
        let path = self.path(key);
        let new = path.with_extension(format!("{}.new", std::process::id()));
        let result = File::create(&new)
            .and_then(|mut file| file.write_all(code))
            .and_then(|()| fs::rename(&new, &path))
            .map_err(|error| format!("{}: {error}", path.display()));
        if let Err(error) = result {
            // The code is at hand all the same; only the next start is slower.
            tracing::warn!(%error, "cannot keep compiled code");
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{key}.cwasm"))
    }
}

/// The component of code that a child process of this one has just compiled.
///
/// # Errors
/// The code is none of an engine with this configuration.
#[allow(unsafe_code)]
pub(super) fn code_of_child(engine: &wasmtime::Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the code came through a pipe that only this process and its child held,
    // and the child is this same program, which writes nothing there but what
    // `precompile_component` returned for this configuration.
    unsafe { Component::deserialize(engine, code) }
}

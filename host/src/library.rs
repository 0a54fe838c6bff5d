//! The components there are: those in the program, files, and layouts of OCI.

mod oci;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use crate::builtin;
use crate::component::{Engine, Error, Image, LARGEST, Sha256};

/// Why there is no component by a name.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// No component of this name is in the program.
    #[error("no component {name:?} in this program{hint}; a file is named with a slash or .wasm")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The nearest names, or nothing.
        hint: String,
    },
    /// The file cannot be read.
    #[error("{path}: cannot read: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The directory is no layout of OCI's, or not with one component.
    #[error("{path}: {problem}")]
    Layout {
        /// The directory.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The component cannot be used.
    #[error("{name}: {source}")]
    Unusable {
        /// The component's name or file.
        name: String,
        /// What is wrong with it.
        source: Error,
    },
}

/// Finds components by name and compiles each once.
pub struct Library {
    engine: Engine,
    images: Mutex<BTreeMap<String, Image>>,
}

impl Library {
    /// A library that compiles with `engine`.
    #[must_use]
    pub fn new(engine: Engine) -> Self {
        Self { engine, images: Mutex::new(BTreeMap::new()) }
    }

    /// The component of a reference: the name of one in the program
    /// (`piix4-pm`), or a file, which has a slash in its name or ends in
    /// `.wasm`. A directory is an OCI image layout; what follows a colon is the
    /// name of a manifest in it. A file is read anew each time.
    ///
    /// # Errors
    /// There is none, or it is not a device this host can run.
    pub fn get(&self, reference: &str) -> Result<Image, LibraryError> {
        if is_file(reference) {
            let image = self.engine.load(&read(reference)?);
            return usable(reference, image);
        }
        let images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        let known = images.get(reference).cloned();
        drop(images);
        if let Some(image) = known {
            return Ok(image);
        }
        let (bytes, hash) = builtin::find(reference).ok_or_else(|| unknown(reference))?;
        let image = usable(reference, self.engine.load_own(bytes, hash))?;
        let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
        images.insert(reference.into(), image.clone());
        Ok(image)
    }

    /// The component in a file.
    ///
    /// # Errors
    /// It cannot be read, or is not a device this host can run.
    pub fn read(&self, path: &Path) -> Result<Image, LibraryError> {
        let name = path.display().to_string();
        let bytes = read_file(path)
            .map_err(|source| LibraryError::Unreadable { path: name.clone(), source })?;
        usable(&name, self.engine.load(&bytes))
    }
}

fn usable(name: &str, image: Result<Image, Error>) -> Result<Image, LibraryError> {
    image.map_err(|source| LibraryError::Unusable { name: name.into(), source })
}

/// The SHA-256 of the component that a file or a layout holds.
///
/// # Errors
/// It cannot be read.
pub fn hash_of(reference: &str) -> Result<Sha256, LibraryError> {
    Ok(Sha256::of(&read(reference)?))
}

/// Reads a component from a file or a layout.
fn read(reference: &str) -> Result<Vec<u8>, LibraryError> {
    let path = Path::new(reference);
    let layout = match reference.rsplit_once(':') {
        Some((directory, name)) if !path.exists() => (Path::new(directory), Some(name)),
        _ => (path, None),
    };
    if oci::is_layout(layout.0) {
        return oci::component(layout.0, layout.1)
            .map_err(|problem| LibraryError::Layout { path: reference.into(), problem });
    }
    read_file(path).map_err(|source| LibraryError::Unreadable { path: reference.into(), source })
}

/// Reads a component's file. A pipe or a device is refused before it is opened:
/// opening or reading it may never end.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than 64 MiB: not a device"));
    }
    Ok(bytes)
}

/// Whether a reference names a file rather than a component in the program.
pub(crate) fn is_file(reference: &str) -> bool {
    reference.contains('/') || reference.ends_with(".wasm")
}

/// That no component of this name is in the program, with the nearest names.
pub(crate) fn unknown(name: &str) -> LibraryError {
    let distance = |other: &str| strsim::damerau_levenshtein(name, other);
    let mut near: Vec<_> = builtin::components().map(|(other, _)| other).collect();
    near.retain(|other| distance(other) <= 3);
    near.sort_by_key(|other| distance(other));
    let hint =
        if near.is_empty() { String::new() } else { format!("; nearest: {}", near.join(", ")) };
    LibraryError::Unknown { name: name.into(), hint }
}

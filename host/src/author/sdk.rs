//! The SDK as this program has it: sources, by their paths.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use flate2::read::GzDecoder;

/// Packed by the build script.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/sdk.json.gz"));

/// The versions of the crates that it was built with.
pub(super) const LOCK: &str = "Cargo.lock";

/// The manifest of its workspace.
pub(super) const MANIFEST: &str = "Cargo.toml";

/// The files.
pub(super) fn files() -> Result<BTreeMap<String, String>> {
    serde_json::from_reader(GzDecoder::new(PACKED)).context("the SDK in this program is damaged")
}

/// Writes a file, and the folders it is in.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_workspace_of_its_own() {
        let files = files().unwrap();
        for path in ["wit/device.wit", "devices/sdk/src/lib.rs", "host/vmstate/src/lib.rs"] {
            assert!(files.contains_key(path), "{path}");
        }
        let manifest: toml_edit::DocumentMut = files[MANIFEST].parse().unwrap();
        let members = manifest["workspace"]["members"].as_array().unwrap();
        for member in members {
            let manifest = format!("{}/Cargo.toml", member.as_str().unwrap());
            assert!(files.contains_key(&manifest), "{manifest}");
        }
        assert!(files[LOCK].contains("name = \"wit-bindgen\""));
        assert!(!files[LOCK].contains("name = \"wasmtime\""));
    }

    #[test]
    fn it_is_small() {
        assert!(PACKED.len() < 256 << 10, "{} bytes", PACKED.len());
    }
}

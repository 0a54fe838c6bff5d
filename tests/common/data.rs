//! What was recorded from real QEMUs.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

/// Where a file of the test data is.
pub(crate) fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)
}

/// Reads a file of the test data, packed or not.
pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = path(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    let result = GzDecoder::new(&bytes[..]).read_to_end(&mut unpacked);
    result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    unpacked
}

/// Reads a text of the test data.
pub(crate) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).expect("a recording is text")
}

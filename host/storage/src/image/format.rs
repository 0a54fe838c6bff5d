//! Formats other than raw, by how they begin.

use std::fs::File;
use std::os::unix::fs::FileExt;

const BEGINNINGS: [(&[u8], &str); 7] = [
    (b"QFI\xfb\0\0\0\x01", "qcow"),
    (b"QFI\xfb", "qcow2"),
    (b"QED\0", "qed"),
    (b"KDMV", "vmdk"),
    (b"vhdxfile", "vhdx"),
    (b"conectix", "vpc"),
    (b"<<< ", "vdi"),
];

/// The format a file seems to have, or none if it is raw or cannot be read.
pub(super) fn guess(file: &File) -> Option<&'static str> {
    let mut beginning = [0; 8];
    file.read_exact_at(&mut beginning, 0).ok()?;
    let found = BEGINNINGS.iter().find(|(magic, _)| beginning.starts_with(magic));
    found.map(|(_, format)| *format)
}

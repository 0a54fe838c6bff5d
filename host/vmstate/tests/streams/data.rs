//! The golden streams, put together again.

use std::io::Read;
use std::path::Path;
use std::sync::LazyLock;

use flate2::read::GzDecoder;
use serde_json::Value as Json;
use vmstate::{Layouts, Stream};

/// A stream QEMU wrote.
pub(crate) struct Golden {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// What another program found in it; null if nobody looked.
    pub(crate) decoded: Json,
}

impl Golden {
    pub(crate) fn read(&self) -> Stream {
        Stream::read(&self.bytes, Layouts::builtin())
            .unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// All of them, in order of their names.
pub(crate) fn golden() -> &'static [Golden] {
    static GOLDEN: LazyLock<Vec<Golden>> = LazyLock::new(load);
    &GOLDEN
}

/// One of them.
pub(crate) fn named(name: &str) -> &'static Golden {
    let found = golden().iter().find(|golden| golden.name == name);
    found.unwrap_or_else(|| panic!("no stream {name}"))
}

fn load() -> Vec<Golden> {
    let index: Json = serde_json::from_slice(&unpack("streams.json.gz")).unwrap();
    let bytes = unpack("pieces.bin.gz");
    let mut rest = bytes.as_slice();
    let mut pieces = Vec::new();
    for length in index["pieces"].as_array().unwrap() {
        let (piece, tail) = rest.split_at(length.as_u64().unwrap() as usize);
        pieces.push(piece);
        rest = tail;
    }
    let stream = |stream: &Json| {
        let parts = stream["pieces"].as_array().unwrap().iter();
        let mut decoded = stream["decoded"].clone();
        for section in
            decoded.get_mut("sections").and_then(Json::as_array_mut).into_iter().flatten()
        {
            if let Some(fields) = section["fields"].as_u64() {
                section["fields"] = index["fields"][fields as usize].clone();
            }
        }
        Golden {
            name: stream["name"].as_str().unwrap().to_owned(),
            bytes: parts
                .flat_map(|part| pieces[part.as_u64().unwrap() as usize])
                .copied()
                .collect(),
            decoded,
        }
    };
    index["streams"].as_array().unwrap().iter().map(stream).collect()
}

fn unpack(name: &str) -> Vec<u8> {
    // The root of the workspace: tests of two packages use this.
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let path = above.find_map(|root| {
        let path = root.join("tests/data/streams").join(name);
        path.exists().then_some(path)
    });
    let path = path.unwrap_or_else(|| panic!("no file {name}"));
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

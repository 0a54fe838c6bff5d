//! Unit tests.

mod behaviour;
mod board;
mod recordings;
mod saved;
mod wild;

use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::PropertyValue;

use crate::Fdc;

/// The drives, and the kind of each.
type Given = Vec<(&'static str, PropertyValue)>;

fn drives(a: &str, b: &str) -> Given {
    [("drive-type-a", a), ("drive-type-b", b)]
        .map(|(name, kind)| (name, PropertyValue::Text(kind.into())))
        .to_vec()
}

/// The recordings' images: each sector tells its number.
fn image(sectors: u32) -> Vec<u8> {
    let bytes =
        |sector: u32| (0..512).map(move |at| (sector * 31 + at) as u8 ^ (sector >> 8) as u8);
    (0..sectors).flat_map(bytes).collect()
}

fn send(bench: &mut Bench<Fdc>, bytes: &[u8]) {
    for byte in bytes {
        bench.port_out(0x3f5, 1, (*byte).into());
    }
}

fn status(bench: &mut Bench<Fdc>) -> u8 {
    bench.port_in(0x3f4, 1) as u8
}

/// Reads the result of a command.
fn result(bench: &mut Bench<Fdc>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while status(bench) & 0xd0 == 0xd0 {
        bytes.push(bench.port_in(0x3f5, 1) as u8);
    }
    bytes
}

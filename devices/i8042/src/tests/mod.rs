mod behaviour;
mod recordings;
mod saved;
mod typing;

use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::PropertyValue;

use crate::I8042;

/// The controller of machines up to version 6.0.
fn old() -> [(&'static str, PropertyValue); 1] {
    [("extended-state", PropertyValue::Flag(false))]
}

fn command(bench: &mut Bench<I8042>, byte: u8) {
    bench.port_out(0x64, 1, byte.into());
}

fn data(bench: &mut Bench<I8042>, byte: u8) {
    bench.port_out(0x60, 1, byte.into());
}

/// Sends bytes to the mouse.
fn mouse(bench: &mut Bench<I8042>, bytes: &[u8]) {
    for &byte in bytes {
        command(bench, 0xd4);
        data(bench, byte);
    }
}

fn status(bench: &mut Bench<I8042>) -> u8 {
    bench.port_in(0x64, 1) as u8
}

/// Reads bytes as long as there are any.
fn read(bench: &mut Bench<I8042>) -> Vec<u8> {
    let mut bytes = Vec::new();
    while status(bench) & 1 != 0 && bytes.len() < 100 {
        bytes.push(bench.port_in(0x60, 1) as u8);
    }
    bytes
}

mod behaviour;
mod replay;
mod saved;

use southbridge_sdk::fake::Bench;

use crate::{DATA, IRQ, Serial};

const BASE: u16 = 0x3f8;

/// Writes the register at an offset.
fn set(bench: &mut Bench<Serial>, register: u64, value: u8) {
    bench.port_out(BASE + register as u16, 1, value.into());
}

/// Reads the register at an offset.
fn get(bench: &mut Bench<Serial>, register: u64) -> u8 {
    bench.port_in(BASE + register as u16, 1) as u8
}

fn irq(bench: &Bench<Serial>) -> bool {
    bench.fake.line(IRQ)
}

/// Sends bytes into the device as far as it has room; returns what is left.
fn feed(bench: &mut Bench<Serial>, mut bytes: &[u8]) -> usize {
    use southbridge_sdk::StreamInput;
    while let [first, rest @ ..] = bytes
        && bench.device.room(DATA) > 0
    {
        bench.call(|device, cx| device.receive(cx, DATA, *first));
        bytes = rest;
    }
    bytes.len()
}

mod behaviour;
mod recordings;
mod saved;

use southbridge_sdk::fake::Bench;

use crate::I8257;

/// Programs a channel of the first controller and unmasks it.
fn program(bench: &mut Bench<I8257>, channel: u8, mode: u8, address: u32, count: u16) {
    let [low, high, page, _] = address.to_le_bytes();
    let page_port = [0x87, 0x83, 0x81, 0x82][usize::from(channel)];
    let [address_port, count_port] = [2 * channel, 2 * channel + 1].map(u16::from);
    let count = count.to_le_bytes();
    for (port, byte) in [
        (0x0c, 0),
        (0x0b, mode | channel),
        (address_port, low),
        (address_port, high),
        (page_port, page),
        (count_port, count[0]),
        (count_port, count[1]),
        (0x0a, channel),
    ] {
        bench.port_out(port, 1, byte.into());
    }
}

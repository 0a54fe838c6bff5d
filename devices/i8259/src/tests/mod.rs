mod behaviour;
mod recordings;
mod saved;

use southbridge_sdk::fake::Bench;

use crate::I8259;

/// What firmware writes: vectors 8 and 0x70, and all masks open.
fn initialized() -> Bench<I8259> {
    let mut bench = Bench::new();
    for (port, vectors, place) in [(0x20, 0x08, 4), (0xa0, 0x70, 2)] {
        bench.port_out(port, 1, 0x11);
        for byte in [vectors, place, 0x01, 0x00] {
            bench.port_out(port + 1, 1, byte);
        }
    }
    bench.fake.take();
    bench
}

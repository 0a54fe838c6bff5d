mod behaviour;
mod drives;
mod hostile;
mod recordings;
mod saved;

use southbridge_sdk::fake::Bench;

use crate::Piix3Ide;

/// Slot 1, function 1 of bus 0.
const DEVFN: u8 = 1 << 3 | 1;

/// The device with its bus-master interface at 0xc000.
fn mapped() -> Bench<Piix3Ide> {
    let mut bench = Bench::new();
    bench.configuration_write(0x20, 4, 0xc000);
    bench.configuration_write(0x04, 2, 5);
    bench.fake.take();
    bench
}

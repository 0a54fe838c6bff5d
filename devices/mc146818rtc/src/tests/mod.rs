mod behaviour;
mod recordings;
mod saved;

use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::PropertyValue;

use crate::Mc146818;

/// The recordings' machines: 16 MiB, 2020-03-27 15:18:41.
fn recorded(time_wraps: bool) -> [(&'static str, PropertyValue); 3] {
    let number = PropertyValue::Number;
    [
        ("base-time", number(1_585_322_321)),
        ("ram-below-4g", number(16 << 20)),
        ("time-wraps", PropertyValue::Flag(time_wraps)),
    ]
}

fn set(bench: &mut Bench<Mc146818>, register: u8, value: u8) {
    bench.port_out(0x70, 1, register.into());
    bench.port_out(0x71, 1, value.into());
}

fn get(bench: &mut Bench<Mc146818>, register: u8) -> u8 {
    bench.port_out(0x70, 1, register.into());
    bench.port_in(0x71, 1) as u8
}

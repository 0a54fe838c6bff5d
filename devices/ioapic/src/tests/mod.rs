mod behaviour;
mod recordings;
mod saved;

use southbridge_sdk::fake::Bench;

use crate::IoApic;

fn get(bench: &mut Bench<IoApic>, register: u8) -> u32 {
    bench.memory_out(0xfec0_0000, 4, register.into());
    bench.memory_in(0xfec0_0010, 4) as u32
}

fn set(bench: &mut Bench<IoApic>, register: u8, value: u32) {
    bench.memory_out(0xfec0_0000, 4, register.into());
    bench.memory_out(0xfec0_0010, 4, value.into());
}

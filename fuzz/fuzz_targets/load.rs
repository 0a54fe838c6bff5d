//! Any sections as the state of any device, and any accesses after that.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    // An input that ends too early is none.
    let _ = southbridge_fuzz::load::run(input);
});

//! The behaviour, which conversations with QEMU confirm.

use southbridge_sdk::fake::{Bench, Effect, Fake, override_properties};
use southbridge_sdk::wit::PropertyValue;
use southbridge_sdk::{Context, Device, EndOfInterrupt, Properties};

use super::{get, set};
use crate::IoApic;

const LEVEL: u32 = 1 << 15;
const REMOTE_IRR: u32 = 1 << 14;
const MASKED: u32 = 1 << 16;

fn end(bench: &mut Bench<IoApic>, vector: u8) {
    bench.call(|ioapic, cx| ioapic.ended(cx, vector));
}

#[test]
fn identification_version_and_table_are_read() {
    let mut bench = Bench::<IoApic>::new();
    set(&mut bench, 0, 0xff12_3456);
    assert_eq!((get(&mut bench, 0), get(&mut bench, 2)), (0x0f00_0000, 0x0f00_0000));
    assert_eq!(get(&mut bench, 1), 0x0017_0020);
    assert_eq!((get(&mut bench, 0x3e), get(&mut bench, 0x3f)), (MASKED, 0));
    assert_eq!((get(&mut bench, 0x40), get(&mut bench, 0x0f), get(&mut bench, 0xff)), (0, 0, 0));
    set(&mut bench, 0x10, 0xffff_ffff);
    assert_eq!(get(&mut bench, 0x10), 0xffff_afff);
    bench.memory_out(0xfec0_0000, 1, 0x10);
    assert_eq!(bench.memory_in(0xfec0_0010, 2), 0, "the window is 32 bits wide");
    assert_eq!(bench.memory_in(0xfec0_0f10, 4), 0xffff_afff, "registers repeat");
}

#[test]
fn only_two_versions_exist() {
    let values = [("version", PropertyValue::Number(0x12))];
    let properties = Properties::new(override_properties(&IoApic::describe(), &values));
    let mut fake = Fake::default();
    let error = IoApic::configure(&properties, &mut Context::new(0, &mut fake)).err();
    assert_eq!(error.as_deref(), Some("property version: 0x12, 0x11 or 0x20 expected"));
}

#[test]
fn an_edge_is_a_message_and_a_masked_one_is_lost() {
    let mut bench = Bench::<IoApic>::new();
    bench.fake.take();
    bench.line(4, true);
    set(&mut bench, 0x19, 0x0300_0000);
    set(&mut bench, 0x18, 0x0934);
    assert_eq!(bench.fake.take(), []);
    bench.line(4, false);
    bench.line(4, true);
    assert_eq!(bench.fake.take(), [Effect::Message(0xfee0_3004, 0x0134)]);
    end(&mut bench, 0x34);
    assert_eq!(bench.fake.take(), []);
}

#[test]
fn a_level_is_sent_again_at_its_end() {
    let mut bench = Bench::<IoApic>::new();
    bench.fake.take();
    bench.line(10, true);
    bench.line(10, false);
    set(&mut bench, 0x24, LEVEL | 0x41);
    bench.line(10, true);
    let message = || Effect::Message(0xfee0_0000, 0x8041);
    assert_eq!(bench.fake.take(), [message()]);
    assert_eq!(get(&mut bench, 0x24), LEVEL | REMOTE_IRR | 0x41);
    end(&mut bench, 0x40);
    assert_eq!(bench.fake.take(), []);
    end(&mut bench, 0x41);
    assert_eq!(bench.fake.take(), [message()]);
    bench.line(10, false);
    bench.memory_out(0xfec0_0040, 4, 0x141);
    assert_eq!(get(&mut bench, 0x24), LEVEL | REMOTE_IRR | 0x41);
    bench.memory_out(0xfec0_0040, 4, 0x41);
    assert_eq!(get(&mut bench, 0x24), LEVEL | 0x41);
    assert_eq!(bench.fake.take(), []);
}

#[test]
fn a_level_that_is_unmasked_late_is_sent_and_an_edge_entry_ends_what_is_served() {
    let mut bench = Bench::<IoApic>::new();
    set(&mut bench, 0x24, MASKED | LEVEL | 0x41);
    bench.line(10, true);
    bench.fake.take();
    set(&mut bench, 0x24, LEVEL | 0x41);
    assert_eq!(bench.fake.take().len(), 1);
    set(&mut bench, 0x24, MASKED | 0x41);
    assert_eq!(get(&mut bench, 0x24), MASKED | 0x41);
}

#[test]
fn version_0x11_has_no_eoi_register() {
    let mut bench = Bench::<IoApic>::with(&[("version", PropertyValue::Number(0x11))]);
    assert_eq!(get(&mut bench, 1), 0x0017_0011);
    set(&mut bench, 0x24, LEVEL | 0x41);
    bench.line(10, true);
    bench.memory_out(0xfec0_0040, 4, 0x41);
    assert_eq!(get(&mut bench, 0x24), LEVEL | REMOTE_IRR | 0x41);
}

#[test]
fn a_storm_makes_a_pause() {
    let mut bench = Bench::<IoApic>::new();
    set(&mut bench, 0x24, LEVEL | 0x41);
    bench.line(10, true);
    bench.fake.take();
    for _ in 0..10_000 {
        end(&mut bench, 0x41);
    }
    assert_eq!(bench.fake.take().len(), 9_999);
    bench.successor(&[]);
    bench.advance(10_000_000);
    assert_eq!(bench.fake.take().len(), 1);
    end(&mut bench, 0x41);
    assert_eq!(bench.fake.take().len(), 1);
}

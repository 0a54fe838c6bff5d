//! The saved state.

use southbridge_sdk::fake::Bench;
use southbridge_sdk::wit::PropertyValue::Flag;
use southbridge_sdk::wit::{Scope, Section};

use super::{Files, acpi, bench};
use crate::FwCfg;

const DMA: &[u8] = b"\x05\x0afw_cfg/dma\0\0\0\0";
const ACPI_MR: &[u8] = b"\x05\x0efw_cfg/acpi_mr\0\0\0\x01";
/// What pc-i440fx-5.2 and later save: 0x20000, 0x1000, 0x14.
const SIZES: &[u8] = b"\0\0\0\0\0\x02\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\0\x14";

fn new() -> Bench<FwCfg> {
    bench(&[], Files::new(), Some(acpi(0x2_0000, 20, 0x1000)))
}

fn data(bench: &mut Bench<FwCfg>) -> Vec<u8> {
    let mut sections = bench.save(Scope::Stream);
    assert_eq!((sections.len(), &*sections[0].name, sections[0].version), (1, "fw_cfg", 2));
    sections.remove(0).data
}

/// As in the recorded streams.
#[test]
fn sections_are_those_of_qemu() {
    let mut bench = new();
    let after_reset = [&[0; 6], DMA, &[0; 8], ACPI_MR, SIZES].concat();
    assert_eq!(after_reset.len(), 74);
    assert_eq!(data(&mut bench), after_reset);

    bench.port_out(0x510, 2, 0x19);
    (0..5).for_each(|_| assert!(bench.port_in(0x511, 1) < 32));
    bench.port_out(0x514, 4, 0x7856_3412);
    let head: &[u8] = &[0, 0x19, 0, 0, 0, 5];
    let address: &[u8] = &[0x12, 0x34, 0x56, 0x78, 0, 0, 0, 0];
    assert_eq!(data(&mut bench), [head, DMA, address, ACPI_MR, SIZES].concat());

    bench.reset();
    assert_eq!(data(&mut bench), [&[0; 6], DMA, address, ACPI_MR, SIZES].concat());
}

#[test]
fn selectors_are_saved_as_qemu_does() {
    let mut bench = new();
    for (selector, reads, saved) in [
        (0x4002, 1, [0x40, 0x02, 0, 0, 0, 1]),
        (0x8004, 200, [0x80, 0x04, 0, 0, 0, 121]),
        (0x40, 1, [0xff, 0xff, 0, 0, 0, 0]),
        (0xc03f, 1, [0xc0, 0x3f, 0, 0, 0, 0]),
    ] {
        bench.port_out(0x510, 2, selector);
        (0..reads).for_each(|_| {
            bench.port_in(0x511, 1);
        });
        assert_eq!(data(&mut bench)[..6], saved);
    }
}

#[test]
fn old_machines_save_less() {
    let old = ("acpi-mr-restore", Flag(false));
    let mut bench = bench(std::slice::from_ref(&old), Files::new(), None);
    assert_eq!(data(&mut bench), [&[0; 6], DMA, &[0; 8]].concat());
    let mut bench = super::bench(&[old, ("dma_enabled", Flag(false))], Files::new(), None);
    assert_eq!(data(&mut bench), [0; 6]);
}

#[test]
fn the_first_version_has_a_narrow_offset() {
    let mut bench = Bench::<FwCfg>::configured(&[]);
    let section = Section { name: "fw_cfg".into(), version: 1, data: vec![0, 0, 0, 2] };
    bench.load(Scope::Stream, vec![section]).expect("version 1 is legal");
    assert_eq!(bench.port_in(0x511, 1), u64::from(b'M'));
}

#[test]
fn an_offset_beyond_the_end_reads_zeros() {
    let mut bench = Bench::<FwCfg>::configured(&[]);
    let data = vec![0, 0, 0xff, 0xff, 0xff, 0xff];
    let section = Section { name: "fw_cfg".into(), version: 2, data: data.clone() };
    bench.load(Scope::Stream, vec![section]).expect("any offset is legal");
    assert_eq!(bench.port_in(0x511, 1), 0);
    assert_eq!(bench.save(Scope::Stream)[0].data[..6], data);
}

#[test]
fn loaded_sizes_stay() {
    let mut bench = Bench::<FwCfg>::configured(&[]);
    let data = [&[0; 6], DMA, &[0; 8], ACPI_MR, SIZES].concat();
    let section = Section { name: "fw_cfg".into(), version: 2, data: data.clone() };
    bench.load(Scope::Stream, vec![section]).expect("QEMU's state");
    bench.reset();
    assert_eq!(bench.save(Scope::Stream)[0].data, data);
}

//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use fw_cfg::FwCfg;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::Scope;

/// The selected entry is one there is room for, or none.
fn legal(_name: &str, structure: &Structure) {
    let Some(Value::Unsigned(entry)) = structure.get(&["cur_entry"]) else {
        panic!("no cur_entry")
    };
    assert!(*entry == 0xffff || entry & 0x3fff < 0x40, "cur_entry is {entry:#x}");
    for name in ["table_mr_size", "linker_mr_size", "rsdp_mr_size"] {
        match structure.get(&["fw_cfg/acpi_mr", name]) {
            Some(Value::Unsigned(size)) => assert!(*size <= 0x20_0000, "{name} is {size:#x}"),
            other => panic!("{name} is {other:?}"),
        }
    }
}

#[test]
fn every_byte() {
    let mut bench = Bench::<FwCfg>::new();
    bench.port_out(0x510, 2, 0x19);
    (0..100).for_each(|_| {
        bench.port_in(0x511, 1);
    });
    bench.port_out(0x514, 4, 0x1234_5678);
    for scope in [Scope::Stream, Scope::Whole] {
        let sections = bench.save(scope);
        assert_eq!(sections[0].data.len(), 74);
        let spoilt = Bench::<FwCfg>::spoil(&[], scope, &sections, legal);
        assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
    }
}

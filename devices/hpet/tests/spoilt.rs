//! A state with a byte that is not as it was saved is refused, or it is legal.

#![allow(missing_docs, reason = "tests have no users")]

use hpet::Hpet;
use southbridge_sdk::fake::{Bench, Structure, Value};
use southbridge_sdk::wit::Scope;

fn legal(name: &str, structure: &Structure) {
    assert_eq!(name, "hpet");
    assert!(matches!(structure.get(&["num_timers"]), Some(Value::Unsigned(3))));
}

fn busy() -> Bench<Hpet> {
    let mut bench = Bench::<Hpet>::new();
    for (offset, value) in [(0x100, 0x406), (0x108, 50), (0x10c, 0), (0x128, 900), (0x010, 1)] {
        bench.memory_out(0xfed0_0000 + offset, 4, value);
    }
    bench.advance(600);
    bench.line(26, true);
    bench
}

#[test]
fn the_state_of_a_stream() {
    let spoilt = Bench::<Hpet>::spoil(&[], Scope::Stream, &busy().save(Scope::Stream), legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

#[test]
fn the_whole_state() {
    let spoilt = Bench::<Hpet>::spoil(&[], Scope::Whole, &busy().save(Scope::Whole), legal);
    assert!(spoilt.refused > 0 && spoilt.taken > 0, "{spoilt:?}");
}

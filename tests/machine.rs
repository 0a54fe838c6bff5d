//! Whole machines without processors.

use std::collections::BTreeMap;
use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Machine, Plan, Unconnected};

#[test]
fn every_machine_type_is_built_from_the_components_in_the_program() {
    let library = Library::new(Engine::new(None).unwrap());
    let types = MachineTypes::builtin().unwrap();
    let parameters = Parameters { cpus: 1, ram_size: 16 << 20 };
    for machine_type in types.iter() {
        let plan = Plan::new(machine_type, &[], &library, parameters).unwrap();
        let clock = Arc::new(Clock::manual());
        let streams = BTreeMap::new();
        let power = Arc::new(|_| {});
        let board = Arc::new(Unconnected);
        let machine = Machine::build(&plan, clock, board, &streams, power)
            .unwrap_or_else(|error| panic!("{}: {error}", machine_type.name));
        let mut effects = Effects::new();
        machine.port_write(0xcf8, 4, 0x8000_0b00, &mut effects);
        assert_eq!(machine.port_read(0xcfc, 4, &mut effects), 0x7113_8086);
    }
}

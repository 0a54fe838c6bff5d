//! Every device in the program comes back with its state.

use crate::component::{Effects, Engine};
use crate::library::Library;
use crate::machine::file::{MachineTypes, Parameters};
use crate::machine::{Machine, Plan};

/// Sets the power management ports up as firmware does, a timer of the RTC and a
/// scratch register.
fn set_up(machine: &Machine, effects: &mut Effects) {
    let mut write =
        |port: u16, size: u8, value: u64| machine.port_write(port, size, value, effects);
    for (address, value) in [(0x0b40, 0xb001), (0x0b80, 1), (0x0bd0, 0x0009_0000), (0x0b04, 1)] {
        write(0xcf8, 4, 0x8000_0000 | address);
        write(0xcfc, 4, value);
    }
    write(0xb002, 2, 0x0120);
    write(0x70, 1, 0x0b);
    write(0x71, 1, 0x42);
    write(0x3ff, 1, 0x5a);
}

/// What can be read without changing it.
fn registers(machine: &Machine, effects: &mut Effects) -> Vec<u64> {
    let mut values = Vec::new();
    for function in [0x0000, 0x0800, 0x0b00, 0x1000] {
        for offset in (0..0x100).step_by(4) {
            machine.port_write(0xcf8, 4, 0x8000_0000 | function | offset, effects);
            values.push(machine.port_read(0xcfc, 4, effects));
        }
    }
    for (port, size) in [(0xb000, 2), (0xb002, 2), (0xb004, 2), (0xb008, 4), (0x3ff, 1)] {
        values.push(machine.port_read(port, size, effects));
    }
    machine.port_write(0x70, 1, 0x0b, effects);
    values.push(machine.port_read(0x71, 1, effects));
    values
}

#[test]
fn every_device_comes_back_some_time_later() {
    let library = Library::new(Engine::new(None).unwrap());
    let types = MachineTypes::builtin().unwrap();
    for name in ["pc-i440fx-10.0", "pc-i440fx-2.0", "xenfv-4.2", "xenfv-3.1"] {
        let parameters = Parameters::new(1, 16 << 20);
        let plan = Plan::new(types.get(name).unwrap(), &[], &library, parameters).unwrap();
        let machine = Machine::build_alone(&plan).unwrap();
        let mut effects = Effects::new();
        set_up(&machine, &mut effects);
        machine.advance(1_500_000_000, &mut effects);
        let kept = machine.checkpoint_all();
        assert_eq!(kept.len(), machine.slots.len());
        assert!(kept.iter().all(|(_, kept)| kept.is_ok()), "{name}: {kept:?}");
        // The PM timer and the RTC have gone on meanwhile.
        machine.advance(2_300_000_000, &mut effects);
        let before = registers(&machine, &mut effects);
        let deadline = machine.next_deadline();
        for slot in &machine.slots {
            slot.fail(&mut effects);
            machine.apply(&mut effects);
            assert!(slot.status().fault.is_some());
            let restored = machine.restore(slot.name()).unwrap();
            assert_eq!(restored.checkpoint_age.unwrap().as_nanos(), 2_300_000_000);
        }
        // Timers that were due meanwhile.
        machine.advance(0, &mut effects);
        assert_eq!(registers(&machine, &mut effects), before, "{name}");
        assert_eq!(machine.next_deadline(), deadline, "{name}");
    }
}

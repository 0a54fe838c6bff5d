//! State between real QEMU and whole machines.

#[path = "../host/vmstate/tests/streams/data.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod data;
#[path = "migrate/display.rs"]
mod display;
#[path = "migrate/golden.rs"]
mod golden;
#[path = "migrate/hostile.rs"]
mod hostile;
#[path = "migrate/peers.rs"]
mod peers;
#[path = "migrate/refusals.rs"]
mod refusals;
#[path = "migrate/whole.rs"]
mod whole;

use std::sync::{Arc, OnceLock};

use southbridge::component::Engine;
use southbridge::library::Library;
use southbridge::machine::Machine;
use southbridge::machine::file::{MachineType, MachineTypes};
use southbridge::migrate::plan_for;
use vmstate::Stream;

fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(Engine::new(None).expect("an engine")))
}

fn machine_type(name: &str) -> MachineType {
    MachineTypes::builtin().unwrap().get(name).unwrap().clone()
}

/// A machine of a type with the devices that a stream tells of.
fn machine_for(stream: &Stream, machine: &MachineType) -> Arc<Machine> {
    let plan = plan_for(stream, machine, library(), None).unwrap();
    Machine::build_alone(&plan).unwrap()
}

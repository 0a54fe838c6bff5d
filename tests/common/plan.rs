//! The machines of the recordings.

use std::sync::{Arc, OnceLock};

use southbridge::component::Engine;
use southbridge::library::Library;
use southbridge::machine::Plan;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::vm::RamLayout;

/// The recordings' machines had as much.
const RAM: u64 = 16 << 20;

/// When they were switched on: 2020-03-27 15:18:41.
const BASE_TIME: u64 = 1_585_322_321;

/// A built-in machine type as the recorder ran it, with `changes` as in a machine
/// file. QEMU without KVM has system management mode, unless it runs under Xen.
pub(crate) fn plan(machine_type: &str, changes: &str) -> (Plan, RamLayout) {
    let mut types = MachineTypes::builtin().expect("the built-in machine files are right");
    let smm = !machine_type.starts_with("xenfv");
    let text = format!(
        "[machine.recorded]\ninherits = {machine_type:?}\n\
         [machine.recorded.device.rtc.properties]\nbase-time = {BASE_TIME}\nclock-base = 0\n\
         [machine.recorded.device.pm.properties]\nsmm-enabled = {smm}\n{changes}\n"
    );
    types.load("recorded.toml", &text).expect("the machine type is there");
    let machine_type = types.get("recorded").expect("it was just declared");
    let parameters = Parameters::new(1, RAM);
    let plan = Plan::new(machine_type, &[], &library(), parameters).expect("it fits together");
    let memory = &machine_type.memory;
    let ram = RamLayout {
        size: RAM,
        below_4g_limit: memory.max_ram_below_4g,
        below_4g_split: memory.split_at,
    };
    (plan, ram)
}

/// The components in the program, each compiled once in a test program.
pub(crate) fn library() -> Arc<Library> {
    static LIBRARY: OnceLock<Arc<Library>> = OnceLock::new();
    let new = || Arc::new(Library::new(Engine::new(None).expect("the engine starts")));
    LIBRARY.get_or_init(new).clone()
}

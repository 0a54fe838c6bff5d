//! Whole machines answer as recorded QEMUs did, request by request.

mod common {
    pub(crate) mod data;
    pub(crate) mod driven;
    pub(crate) mod ground;
    pub(crate) mod held;
    pub(crate) mod monitor;
    pub(crate) mod plan;
    pub(crate) mod qmp_peer;
    pub(crate) mod recorded;
}

use common::data;
use common::recorded::Recorded;
use southbridge_sdk::fake::trace::Trace;

/// The recordings, and the machine types they are of.
const MACHINES: [(&str, &str); 3] = [
    ("qemu-7.2/pc-i440fx-7.2", "pc-i440fx-7.2"),
    ("qemu-7.2/pc-i440fx-3.1", "pc-i440fx-3.1"),
    ("qemu-10.0/pc-i440fx-10.0", "pc-i440fx-10.0"),
];

/// Replays a module's recordings. Of each at least `least` steps must be compared.
fn replay(module: &str, least: usize) {
    let pins: Vec<u8> = (0..24).collect();
    for (recording, machine_type) in MACHINES {
        let text = data::text(&format!("traces/{recording}/{module}.trace.gz"));
        let mut machine = Recorded::new(machine_type, "");
        println!("{recording} {module}");
        let compared = Trace::parse(&text).replay(&pins, |step| machine.perform(step));
        println!("{recording} {module}: {compared} steps compared");
        assert!(compared >= least, "{compared} steps compared, {least} expected");
    }
}

#[test]
fn power_management() {
    replay("pm", 6_400);
}

#[test]
fn general_purpose_events_and_hot_plug() {
    replay("gpe", 5_100);
}

#[test]
fn smbus() {
    replay("smbus", 34_900);
}

#[test]
fn sleep_states() {
    replay("sleep", 120);
}

#[test]
fn configuration_space_and_ram_windows() {
    replay("pcicfg", 17_950);
}

/// All devices of the ISA bus.
#[test]
fn isa_bus() {
    replay("isa", 14_400);
}

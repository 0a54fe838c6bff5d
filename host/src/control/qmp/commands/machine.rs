//! The machine as a whole (QEMU's `qapi/machine.json` and `qapi/misc.json`), and what
//! a machine can have in QEMU and never has here.

use serde::Serialize;

use crate::control::qmp::{Call, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-name", query_name);
    registry.add("query-uuid", query_uuid);
    registry.add("query-current-machine", query_current_machine);
    registry.add("query-memory-size-summary", query_memory_size_summary);
    registry.add("query-vnc", query_vnc);
    registry.add("query-vnc-servers", none);
    registry.add("query-iothreads", none);
}

/// `NameInfo`.
#[derive(Serialize)]
struct Name {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

fn query_name(call: &Call<'_>, _: NoArguments) -> Result<Name, Error> {
    Ok(Name { name: call.setup().name.clone() })
}

/// `UuidInfo`.
#[derive(Serialize)]
struct Uuid {
    #[serde(rename = "UUID")]
    uuid: String,
}

fn query_uuid(call: &Call<'_>, _: NoArguments) -> Result<Uuid, Error> {
    Ok(Uuid { uuid: call.setup().uuid.clone() })
}

/// `CurrentMachineParams`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct CurrentMachine {
    wakeup_suspend_support: bool,
}

fn query_current_machine(call: &Call<'_>, _: NoArguments) -> Result<CurrentMachine, Error> {
    // A machine that can be woken has a device that hears of it.
    let status = call.machine().status();
    let hears = status.iter().any(|slot| slot.image.exports().contains("power-events"));
    Ok(CurrentMachine { wakeup_suspend_support: hears })
}

/// `MemoryInfo`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct MemorySize {
    base_memory: u64,
    plugged_memory: u64,
}

fn query_memory_size_summary(call: &Call<'_>, _: NoArguments) -> Result<MemorySize, Error> {
    // Memory is not plugged into a running machine.
    Ok(MemorySize { base_memory: call.machine().parameters().ram_size, plugged_memory: 0 })
}

/// `VncInfo`.
#[derive(Serialize)]
struct Vnc {
    enabled: bool,
}

fn query_vnc(_: &Call<'_>, _: NoArguments) -> Result<Vnc, Error> {
    // There is no display, and no server that would show it.
    Ok(Vnc { enabled: false })
}

/// There is none of these: no display's server, no thread for I/O.
fn none(_: &Call<'_>, _: NoArguments) -> Result<[(); 0], Error> {
    Ok([])
}

//! `query-machines`.

use serde::Serialize;

use crate::machine::file::{MachineType, MachineTypes};
use crate::vm::MAX_CPUS;

/// The type of a processor: QEMU's name of one that is as the host's.
pub(super) const CPU_TYPE: &str = "host-x86_64-cpu";

/// A machine type (`MachineInfo` of QEMU 7.2's schema).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineInfo {
    /// Its name.
    pub name: String,
    /// Another name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// It is what a command line gets that names none.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_default: bool,
    /// The most processors.
    pub cpu_max: usize,
    /// Whether processors can be added while it runs: they cannot.
    pub hotpluggable_cpus: bool,
    /// Whether its memory can be divided among nodes: it cannot.
    pub numa_mem_supported: bool,
    /// Whether it will go.
    pub deprecated: bool,
    /// The type of its processors.
    pub default_cpu_type: &'static str,
}

/// `query-machines`: all machine types that can be built. `default` is the name or
/// alias of the one that a command line gets that names none.
#[must_use]
pub fn query_machines(types: &MachineTypes, default: &str) -> Vec<MachineInfo> {
    let default = types.get(default).ok().map(|machine| machine.name.clone());
    let info = |machine: &MachineType| MachineInfo {
        name: machine.name.clone(),
        alias: machine.aliases.first().cloned(),
        is_default: Some(&machine.name) == default.as_ref(),
        cpu_max: MAX_CPUS,
        hotpluggable_cpus: false,
        numa_mem_supported: false,
        deprecated: false,
        default_cpu_type: CPU_TYPE,
    };
    types.iter().map(info).collect()
}

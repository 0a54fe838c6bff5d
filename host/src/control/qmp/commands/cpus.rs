//! Processors (QEMU's `qapi/machine.json`).

use serde::Serialize;

use crate::control::monitor::cpu_path;
use crate::control::qmp::{Call, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-cpus-fast", query_cpus_fast);
    registry.add("query-target", query_target);
    registry.add("query-kvm", query_kvm);
}

/// What the processors are (QEMU's `SysEmuTarget`).
const TARGET: &str = "x86_64";

/// `CpuInfoFast`.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cpu {
    thread_id: u32,
    props: Place,
    qom_path: String,
    cpu_index: u32,
    target: &'static str,
}

/// `CpuInstanceProperties`: each processor is a socket, as in QEMU when nothing
/// else is said.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Place {
    core_id: u32,
    thread_id: u32,
    socket_id: u32,
}

fn query_cpus_fast(call: &Call<'_>, _: NoArguments) -> Result<Vec<Cpu>, Error> {
    let threads = call.guest().threads();
    let cpu = |index: u32| Cpu {
        // Where clients take the processors' place it is this process that answers
        // for them.
        thread_id: threads.get(index as usize).copied().unwrap_or_else(std::process::id),
        props: Place { core_id: 0, thread_id: 0, socket_id: index },
        qom_path: cpu_path(call.machine(), index),
        cpu_index: index,
        target: TARGET,
    };
    Ok((0..call.machine().parameters().cpus).map(cpu).collect())
}

/// `TargetInfo`.
#[derive(Serialize)]
struct Target {
    arch: &'static str,
}

fn query_target(_: &Call<'_>, _: NoArguments) -> Result<Target, Error> {
    Ok(Target { arch: TARGET })
}

/// `KvmInfo`.
#[derive(Serialize)]
struct Kvm {
    enabled: bool,
    present: bool,
}

fn query_kvm(call: &Call<'_>, _: NoArguments) -> Result<Kvm, Error> {
    // Only KVM's processors have threads. The program can always use it.
    Ok(Kvm { enabled: !call.guest().threads().is_empty(), present: true })
}

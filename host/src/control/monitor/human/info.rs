//! What `info` says.

use super::arguments::Given;
use super::{About, Chardev};
use crate::control::monitor::mtree::Trees;
use crate::control::monitor::{
    pci as pci_buses, qom, qtree as devices, query_pci, registers as dump,
};
use crate::guest::RunState;

pub(super) fn chardev(about: &About<'_>, _: &Given) -> String {
    let line = |Chardev { label, filename }: &Chardev| format!("{label}: filename={filename}\n");
    about.chardevs.iter().map(line).collect()
}

pub(super) fn cpus(about: &About<'_>, _: &Given) -> String {
    let threads = about.guest.threads().into_iter().enumerate();
    let line = |(cpu, thread)| {
        // The first is the one that other commands mean.
        let mark = if cpu == 0 { '*' } else { ' ' };
        format!("{mark} CPU #{cpu}: thread_id={thread}\n")
    };
    threads.map(line).collect()
}

pub(super) fn kvm(about: &About<'_>, _: &Given) -> String {
    let state = if about.guest.threads().is_empty() { "disabled" } else { "enabled" };
    format!("kvm support: {state}\n")
}

pub(super) fn mtree(about: &About<'_>, given: &Given) -> String {
    let trees = Trees::of(about.guest.machine(), about.guest.firmware_len(), given.has('o'));
    if given.has('f') { trees.flat_text() } else { trees.text() }
}

pub(super) fn name(about: &About<'_>, _: &Given) -> String {
    about.name.map_or_else(String::new, |name| format!("{name}\n"))
}

pub(super) fn pci(about: &About<'_>, _: &Given) -> String {
    pci_buses::text(&query_pci(about.guest.machine()))
}

pub(super) fn qom_tree(about: &About<'_>, given: &Given) -> String {
    let path = given.word(0).unwrap_or("/machine");
    qom::tree_text(about.guest, path)
        .unwrap_or_else(|| format!("Path '{path}' could not be resolved.\n"))
}

pub(super) fn qtree(about: &About<'_>, _: &Given) -> String {
    devices::text(about.guest.machine())
}

pub(super) fn registers(about: &About<'_>, given: &Given) -> String {
    let cpus = about.guest.threads().len();
    let wanted = match given.number() {
        _ if cpus == 0 => return "No CPU available\n".into(),
        _ if given.has('a') => 0..cpus,
        None => 0..1,
        Some(number) => match usize::try_from(number) {
            Ok(cpu) if cpu < cpus => cpu..cpu + 1,
            _ => return format!("CPU#{number} not available\n"),
        },
    };
    let one = |cpu| match about.guest.cpu_state(cpu) {
        Ok(Some(state)) => format!("\nCPU#{cpu}\n{}", dump::text(&state)),
        Ok(None) => format!("CPU#{cpu} not available\n"),
        Err(error) => format!("Error: {error}\n"),
    };
    wanted.map(one).collect()
}

pub(super) fn status(about: &About<'_>, _: &Given) -> String {
    match about.guest.state() {
        RunState::Running => "VM status: running\n".into(),
        RunState::Paused => "VM status: paused\n".into(),
        state => format!("VM status: paused ({})\n", state.name()),
    }
}

pub(super) fn uuid(about: &About<'_>, _: &Given) -> String {
    format!("{}\n", about.uuid.unwrap_or("00000000-0000-0000-0000-000000000000"))
}

pub(super) fn version(about: &About<'_>, _: &Given) -> String {
    format!("{}\n", about.version)
}

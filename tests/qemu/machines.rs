//! The machine types that both QEMU 7.2 and Southbridge have.

use southbridge::machine::file::MachineTypes;

/// One of each format of the saved state that guests in use have.
pub(crate) const MACHINES: [&str; 4] = ["pc-i440fx-7.2", "pc-i440fx-3.1", "xenfv-3.1", "xenfv-4.2"];

/// All of them.
pub(crate) fn all() -> Vec<String> {
    let types = MachineTypes::builtin().expect("the built-in machine files are right");
    let names = types.iter().map(|machine| machine.name.clone());
    let names: Vec<String> = names.filter(|name| version(name) <= (7, 2)).collect();
    assert!(MACHINES.iter().all(|name| names.iter().any(|there| there == name)), "{names:?}");
    names
}

/// Whether a machine is one of those that run under Xen.
pub(crate) fn is_xen(machine: &str) -> bool {
    machine.starts_with("xenfv")
}

/// The version in the name of a machine type.
pub(crate) fn version(machine: &str) -> (u32, u32) {
    let version = machine.rsplit_once('-').and_then(|(_, version)| version.split_once('.'));
    let version =
        version.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    version.unwrap_or_else(|| panic!("{machine} names no version"))
}

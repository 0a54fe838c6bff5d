//! The commands, by family.

mod block;
mod capabilities;
pub(super) mod chardev;
pub(super) mod checkpoints;
mod cpus;
pub(super) mod devices;
pub(super) mod faults;
mod fds;
pub(super) mod human;
mod info;
mod machine;
mod migration;
mod person;
pub(super) mod record;
pub(super) mod shadow;
mod state;
pub(super) mod version;
mod yank;

use super::Registry;

/// All commands.
pub(super) fn registry() -> Registry {
    let mut registry = Registry::default();
    for register in [
        block::register,
        capabilities::register,
        chardev::register,
        checkpoints::register,
        cpus::register,
        devices::register,
        faults::register,
        fds::register,
        human::register,
        info::register,
        machine::register,
        migration::register,
        person::register,
        record::register,
        shadow::register,
        state::register,
        version::register,
        yank::register,
    ] {
        register(&mut registry);
    }
    registry
}

//! Machines driven by QMP, as QEMU's clients drive them.

#[path = "common"]
mod common {
    pub(crate) mod driven;
    pub(crate) mod plan;
    pub(crate) mod qmp_peer;
    pub(crate) mod zoo;
}

mod qmp {
    mod block;
    mod commands;
    mod devices;
    mod foreign;
    mod libxl;
    mod person;
    mod recorded;
    mod sessions;
    mod socket;
}

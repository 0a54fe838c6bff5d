//! The program in the place of QEMU, as toolstacks start and drive it.

#[path = "common"]
mod common {
    pub(crate) mod qmp_peer;
}

#[path = "../host/vmstate/tests/streams/data.rs"]
#[allow(dead_code, reason = "each test uses a part")]
mod data;

mod toolstack {
    mod command_line;
    mod migration;
    mod process;
    mod wrapper;
}

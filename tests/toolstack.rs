//! The program in the place of QEMU, as toolstacks start and drive it.

#[path = "common"]
mod common {
    pub(crate) mod qmp_peer;
}

mod toolstack {
    mod command_line;
    mod migration;
    mod process;
    mod wrapper;
}

//! What monitors are answered about a machine, beside what QEMU 7.2 says about its own.

#[path = "common"]
mod common {
    #[allow(dead_code, reason = "each test uses a part")]
    pub(crate) mod data;
}

mod monitor {
    mod commands;
    mod machines;
    mod mtree;
    mod pci;
    mod qom;
    mod qtree;
    mod rig;
}

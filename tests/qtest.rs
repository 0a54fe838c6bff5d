//! Machines driven by qtest, as QEMU's clients drive them.

#[path = "common"]
mod common {
    pub(crate) mod data;
    pub(crate) mod driven;
    pub(crate) mod held;
    pub(crate) mod monitor;
    pub(crate) mod plan;
    pub(crate) mod qmp_peer;
}

mod qtest {
    mod bad_input;
    mod client;
    mod conversations;
    mod replay;
    mod scene;
}

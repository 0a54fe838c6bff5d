//! Machines driven by qtest, as QEMU's clients drive them.

#[path = "common"]
mod common {
    pub(crate) mod absent;
    pub(crate) mod data;
    pub(crate) mod monitor;
    pub(crate) mod plan;
}

mod qtest {
    mod bad_input;
    mod client;
    mod conversations;
    mod replay;
}

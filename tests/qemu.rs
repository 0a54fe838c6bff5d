//! States exchanged with the real QEMU 7.2.
//!
//! Its machines are started without a guest and stay paused. Their devices are
//! used over qtest, QEMU's protocol for tests of devices, and their states saved
//! and loaded as QEMU's users do. The xenfv machines run over a stand-in for Xen.

#[path = "../host/vmstate/tests/streams/data.rs"]
#[allow(dead_code, reason = "this test uses a part")]
mod data;

#[path = "cli/program.rs"]
#[allow(dead_code, reason = "this test uses a part")]
mod program;

#[path = "common/terminal.rs"]
mod terminal;

mod qemu {
    mod answers;
    mod converted;
    mod drives;
    mod exchanged;
    mod machines;
    mod migrated;
    mod monitor;
    mod ours;
    mod pokes;
    mod ports;
    mod process;
    mod real;
    mod restored;
    mod saved;
    mod southbridge;
    mod terminal;
    mod wire;
}

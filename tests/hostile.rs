//! Bad images, failing disks, hostile guests and a host that is killed, each with a
//! whole machine. Where a guest or a client can tell, QEMU 7.2 is given the same and
//! must answer the same.

#[path = "common"]
mod common {
    pub(crate) mod driven;
    pub(crate) mod guest;
    pub(crate) mod plan;
    pub(crate) mod qmp_peer;
}

mod hostile {
    mod board;
    mod bus_master;
    mod disk;
    mod failing;
    mod firmware;
    mod floppy;
    mod full;
    mod fw_cfg;
    mod images;
    mod killed;
    mod locks;
    mod machine;
    mod pair;
    mod program;
}

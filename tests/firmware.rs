//! The program and QEMU 7.2, started alike with unmodified firmware: SeaBIOS
//! boots GRUB from disk, CD and floppy disk, sleeps, resets and starts
//! processors, and must say the same on both. A guest that runs goes from one to the other.

#[path = "common"]
mod common {
    pub(crate) mod qmp_peer;
}

mod firmware {
    mod boots;
    mod compare;
    mod images;
    mod menu;
    mod moves;
    mod normal;
    mod processors;
    mod resets;
    mod run;
    mod screen;
    mod sleeps;
    mod swaps;
    mod tables;
}

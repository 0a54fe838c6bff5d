//! What the machines boot, made by the tests.

pub(crate) mod cd;
pub(crate) mod disk;
pub(crate) mod floppy;
pub(crate) mod grub;
pub(crate) mod sector;

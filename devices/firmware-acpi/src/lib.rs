//! The ACPI tables that a PC's firmware is given, byte for byte as QEMU makes
//! them for its i440FX machines.
//!
//! Firmware finds three files: the tables, which lie behind each other in one
//! blob; the root pointer (RSDP); and a script of commands with which it puts
//! both into memory, makes offsets addresses and fills in checksums. [`build`]
//! makes all three of a [`Board`], which is plain data: what the machine has.
//!
//! The crate is a function without state. QEMU builds its tables anew after
//! each reset, when firmware first asks for one of the files; only what firmware
//! itself has set can differ by then: [`PowerManagement::base`] and
//! [`Pci::high_window`].
//!
//! Sections cited are those of the ACPI specification, version 6.5.

mod aml;
mod board;
mod dsdt;
mod fadt;
mod header;
mod hpet;
mod loader;
mod madt;
mod pci_board;
mod root;
mod srat;
mod tables;
mod waet;

pub use board::{
    Board, Format, FwCfg, HotplugInterface, MemoryHotplug, Numa, PowerManagement, Processor,
    ProcessorHotplug, SmiPort,
};
pub use pci_board::{FloppyDrive, IsaDevice, Occupant, Pci, PciBus, PciDevice, PciHotplug};

/// The three files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// `etc/acpi/tables`.
    pub tables: Vec<u8>,
    /// `etc/acpi/rsdp`.
    pub rsdp: Vec<u8>,
    /// `etc/table-loader`.
    pub loader: Vec<u8>,
}

/// Makes the files of a board.
#[must_use]
pub fn build(board: &Board) -> Tables {
    tables::build(board)
}

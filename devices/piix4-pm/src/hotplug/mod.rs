//! QEMU's ACPI hot-plug registers. No data sheet has them: QEMU describes them
//! in its specifications `acpi_pci_hotplug`, `acpi_cpu_hotplug` and
//! `acpi_mem_hotplug`, and its ACPI tables use them.
//!
//! This machine plugs nothing while it runs, so events are never raised here;
//! they can arrive in a saved state, and are reported and cleared then.

mod cpu;
mod memory;
mod pci;

pub(crate) use cpu::{Cpu, CpuHotplug};
pub(crate) use memory::{Dimm, MemoryHotplug};
pub(crate) use pci::{PciHotplug, Slots};

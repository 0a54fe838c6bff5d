//! The virtual machine below the devices: guest memory, processors, interrupt
//! controllers, the virtual clock and the images a guest starts from, on KVM.
//!
//! The room knows no device. A processor reaches the devices through one small
//! trait, [`Door`]; what devices ask for (a line's level, a RAM window's mode)
//! comes back through [`Interrupts`] and [`Memory`], which any thread may call.
//!
//! The order of use:
//!
//! 1. [`Platform::new`] checks `/dev/kvm`, allocates RAM, creates the interrupt
//!    controllers. Nothing runs yet, so a [`Door`] can be built from its parts.
//! 2. [`Vm::start`] creates the processors, one thread each, all paused.
//! 3. [`boot::load`] puts an image into RAM and says where the boot processor
//!    enters it; [`Vm::reset`] takes that [`boot::Entry`], [`Vm::resume`] runs.
//!
//! What is `unsafe` here is confined to `memory/slots.rs` (handing memory to
//! KVM), `kick.rs` (the signal that interrupts a processor) with its one user
//! in `vcpu.rs`, `vcpu/run_page.rs` (what KVM says of an exit), `vcpu/external.rs` and
//! `vcpu/machine_check.rs` (requests of KVM), `interrupts/chips.rs` (which chip KVM speaks
//! of), `text.rs` (the pages of the program itself), and `vcpu/registers.rs` and
//! `vcpu/look.rs` (the XSAVE area).

pub mod boot;
mod control;
mod cpu_state;
pub mod door;
mod error;
mod gate;
mod hold;
mod image;
mod interrupts;
mod kick;
mod lifecycle;
pub mod memory;
mod platform;
mod processor_state;
mod sync;
mod text;
mod vcpu;

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

pub use cpu_state::{CpuState, Fpu, Segment, Vectors};
pub use door::Door;
pub use error::Error;
pub use hold::{Held, Hold};
pub use image::Image;
pub use interrupts::{InterruptController, Interrupts};
pub use lifecycle::{Listener, Vm, VmEvent};
pub use memory::{Memory, OPTION_ROMS, RamLayout, RamWindow, Rom, Roms, WindowMode};
pub use platform::{Config, KVM_PAGES, MAX_CPUS, Platform};
pub use processor_state::{
    ApicState, ChipState, Events, IoApicState, MACHINE_CHECKS, ProcessorState, VmState,
    msr_at_reset,
};
pub use text::release as release_code;
pub use vcpu::{ExitCounts, has_amd_processors};

/// Bytes of a page on x86-64.
const PAGE: u64 = 4096;

//! What monitors ask about a machine: the answers to QMP's queries, and the texts of
//! the human monitor, in QEMU's form.
//!
//! | question | answer |
//! |---|---|
//! | `query-pci` | [`query_pci`] |
//! | `query-machines` | [`query_machines`] |
//! | `qom-list`, `qom-get` | [`qom_list`], [`qom_get`] |
//! | `human-monitor-command` | [`human`] has the commands |
//!
//! The host knows no device: all this comes from the machine file, the components'
//! descriptions, the address spaces, and PCI configuration spaces, which are read
//! without a guest noticing. What QEMU's devices and Southbridge's have in common is
//! said as QEMU 7.2 says it; of devices that are not there nothing is said.

mod error;
pub mod human;
mod machines;
mod mtree;
pub mod pci;
mod qom;
mod qtree;
mod registers;
mod view;

pub use error::Error;
pub use machines::{MachineInfo, query_machines};
pub use pci::query_pci;
pub use qom::{ObjectPropertyInfo, qom_get, qom_list};
pub(super) use view::cpu_path;

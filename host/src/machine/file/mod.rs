//! Machine files: what a machine consists of, as data.
//!
//! The program knows no device and no machine. TOML files declare machine
//! types; those in the program are read by the same code as those of a user.
//! Text becomes declarations (`parse`), these become [`MachineType`]s
//! (`inherit`), which are checked alone (`structure`) and, with
//! [`MachineType::check`], against the components there are.
//!
//! ```toml
//! [machine.base]
//! abstract = true                                # only to inherit from
//! description = "..."
//! memory = { max-ram-below-4g = 0xe0000000, split-at = 0xc0000000 }
//! without-firmware = ["outl 0xcf8 0x80000b40"]   # or outw, outb: port, value
//!
//! [machine.base.device.bridge]                   # in order of creation
//! component = "..."
//! grants = ["pci-bus", "dma:all"]                # interfaces of the contract, see [`Grant`]
//!
//! [machine.base.device.pm]
//! component = "..."
//! at = "bridge/pci@01.3"                         # device/bus@address
//! properties = { cpus = { machine = "cpus" }, level = 2 }  # or "ram-size", "time", "clock"
//! properties.port = { any = { base = 0x3f8 } }   # whether a device has this
//! wires = { sci = "gsi:9", smi = "cpu:smi", out = "bridge:in" }
//!
//! [machine.base.device.port0]                    # unless defaults are left out
//! default = true
//! component = "..."
//!
//! [machine.base.optional.port]                   # on request
//! component = "..."
//! streams = { data = "port" }                    # to a stream of the host
//! qemu = { drivers = ["isa-port"], properties = { irq = 4 } }
//!
//! [[machine.base.optional.port.choices]]         # the first that no device has
//! properties = { base = 0x3f8 }                  # also wires, streams
//!
//! [[machine.base.optional.port.choices]]
//! properties = { base = 0x2f8 }
//!
//! [machine.base.options]                         # of QEMU's command line
//! smm = "pm.smm-enabled"                         # device.property
//!
//! [machine."base-2.0"]
//! inherits = "base"
//! aliases = ["b"]
//!
//! [machine."base-1.0"]
//! inherits = "base-2.0"
//! remove = ["port"]
//! device.pm.properties = { level = 1 }           # a change, by id
//! compat = { "component.property" = false }      # below device properties
//! ```
//!
//! `qemu` says what QEMU calls a device: the names of its driver and of the
//! drivers it is derived from, as `-device` and `-global` use them, and the
//! properties that `-device` sets where it says nothing, if QEMU's defaults are
//! others than the component's. For monitors it says, besides, the `name` of a
//! part of the machine, the `bus` a device is on in QEMU, QEMU's names of its
//! `buses`, the driver of its `function` on its own PCI bus, those of the devices that
//! it `also` is, and whether it comes `with-cpu`, the first processor; for a system reset
//! whether it is `reset-first`; for streams with guest memory what QEMU's names of its blocks of `memory` begin with. An optional device that
//! QEMU has by `default` is one whose state a machine without it keeps. `options` are the
//! properties of the machine in QEMU that set a device's property, and `absent` lists drivers that a command
//! line may ask for though there is no such device. `without-firmware` is what the host
//! writes to ports, in this order, where a kernel starts without firmware.
//!
//! A machine inherits all but `abstract` and `aliases`. What it says prevails,
//! entry by entry; `grants` prevail as a whole. `remove` comes first, so that
//! a device can be replaced.

mod catalog;
mod check;
mod choice;
mod cycle;
mod display;
mod error;
mod grant;
mod inherit;
mod limits;
mod model;
mod names;
mod node;
mod options;
mod parse;
mod place;
mod port_write;
mod registry;
mod structure;
#[cfg(test)]
mod tests;
mod value;
mod wiring;

pub use catalog::{Attachment, BusKind, Catalog, Described, Direction};
pub use choice::Choice;
pub use error::{Error, Origin, Position, Sourced};
pub use grant::Grant;
pub use limits::Limit;
pub use model::{Compat, DeviceEntry, MachineType, MemoryLayout, Migration, QemuDevice};
pub(crate) use names::natural;
pub use options::PropertyPath;
pub use place::{Address, PciAddress, Place, allocate};
pub use port_write::PortWrite;
pub use registry::MachineTypes;
pub use value::{Irqchip, Kind, Parameter, Parameters, Setting, Value, When};
pub use wiring::{CpuPin, Target};

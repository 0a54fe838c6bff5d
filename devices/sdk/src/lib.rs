//! What a Southbridge device is written with.
//!
//! A device is a type that implements [`Device`], and [`export!`] makes a
//! component of it:
//!
//! - [`describe`] has the words with which it says what it is;
//! - [`pci`] and [`registers`] hold what most devices are made of;
//! - [`state`] turns one declaration of its fields into saving, loading and
//!   describing its state in QEMU's format;
//! - `fake` (native builds only) is a machine for its unit tests.
//!
//! A device reaches the world through its [`Context`] alone. The contract
//! behind all this is the WIT package `southbridge:device`.

mod bindings;
#[cfg(target_family = "wasm")]
mod component;
mod context;
pub mod describe;
mod device;
#[cfg(not(target_family = "wasm"))]
pub mod fake;
mod glue;
#[cfg(not(target_family = "wasm"))]
mod machine;
pub mod pci;
mod properties;
pub mod registers;
pub mod state;

pub use context::Context;
pub use device::{
    Device, Display, EndOfInterrupt, FirmwareFiles, HumanInput, I2cTarget, InterruptController,
    IsaDmaTarget, PowerEvents, StorageEvents, StreamInput,
};
#[cfg(not(target_family = "wasm"))]
pub use machine::Machine;
pub use properties::Properties;

/// The types of the contract, as generated from the WIT package.
pub mod wit {
    pub use crate::bindings::device_component::southbridge::device::log::Level;
    pub use crate::bindings::device_component::southbridge::device::power::{
        Request, WakeupReason,
    };
    pub use crate::bindings::device_component::southbridge::device::ram_windows::Mode;
    pub use crate::bindings::device_component::southbridge::device::state::{
        Field, Refusal, Scope, Section, SectionDescription, StateDescription, Structure,
    };
    pub use crate::bindings::device_component::southbridge::device::storage::Piece;
    pub use crate::bindings::device_component::southbridge::device::types::{
        AccessSizes, Attachment, Bus, BusKind, Description, Direction, Line, MemoryBlock,
        Nanoseconds, Property, PropertyDeclaration, PropertyValue, RamWindow, Region, Space,
    };
    pub use crate::bindings::display_part::exports::southbridge::device::display::Frame;
    pub use crate::bindings::human_input_part::exports::southbridge::device::human_input::MouseButton;
    pub use crate::bindings::storage_events_part::exports::southbridge::device::storage_events::{
        Failure, Medium,
    };
}

#[doc(hidden)]
pub mod __export {
    pub use crate::bindings::*;
    #[cfg(target_family = "wasm")]
    pub use crate::component::Cell;
}

/// Compiles and runs the example in the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

//! A device's component: compiled, linked, limited, and called.
//!
//! An [`Engine`] compiles the bytes of a component, or finds the code it
//! compiled earlier in its [`CodeCache`], and makes an [`Image`] of it. An image
//! says what it is ([`Image::description`]) and which interfaces it asks for
//! ([`Image::imports`]). [`Image::instantiate`] gives an [`Instance`] with a
//! store of its own, so that a trap in one is nobody else's; what an instance
//! does to the world is recorded as [`Effect`]s and applied by others.

mod bindings;
mod cache;
mod compiler;
mod description;
mod dump;
mod effect;
mod engine;
mod error;
mod hash;
mod image;
mod instance;
mod limits;
mod memory;
mod message;
mod outputs;
mod outside;
mod parts;
mod resources;
mod state_description;
#[cfg(test)]
mod tests;
mod ticker;
mod window;

pub use bindings::device_component::exports::southbridge::device::device::{
    Description, Property, Refusal, Scope, Section, StateDescription,
};
pub use bindings::device_component::southbridge::device::power::{Request, WakeupReason};
pub use bindings::device_component::southbridge::device::ram_windows::Mode;
pub use bindings::device_component::southbridge::device::state::{
    Field, SectionDescription, Structure,
};
pub use bindings::device_component::southbridge::device::types::{
    AccessSizes, Attachment, Bus, BusKind, Direction, Line, MemoryBlock, PropertyDeclaration,
    PropertyValue, RamWindow, Region, Space,
};
pub use bindings::display_part::exports::southbridge::device::display::Frame;
pub use bindings::human_input_part::exports::southbridge::device::human_input::MouseButton;
pub use bindings::storage_events_part::exports::southbridge::device::storage_events::{
    Failure, Medium,
};
pub use cache::CodeCache;
pub(crate) use compiler::{Compilation, LARGEST, REFUSED, compile_for_parent};
pub use compiler::{Compiler, CompilerLimits};
pub use effect::{Effect, Effects, Recorded, SlotId};
pub use engine::Engine;
pub use error::{Error, Fault};
pub use hash::Sha256;
pub use image::{Image, Interface};
pub use instance::{Environment, Instance};
pub use limits::Limits;
pub use memory::{Block, GuestRam};
pub use outputs::Outputs;
pub use outside::{Afterwards, Asked, Children, NoChildren, Question, Reply, Told};
pub use resources::{Files, Resources};
pub use window::DmaWindow;

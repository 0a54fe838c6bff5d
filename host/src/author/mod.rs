//! For those who write devices elsewhere: a crate to begin with, and from a crate to a
//! component.

mod build;
#[path = "../../build/component.rs"]
mod component;
mod crates;
mod in_c;
mod sdk;

pub use build::build;
pub use crates::{Language, Sdk, create};

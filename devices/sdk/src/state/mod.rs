//! Saved state: one declaration per device, walked to save, to load and to
//! describe.
//!
//! A device declares its sections in [`Device::state`]; inside a section it
//! names every field of its state in the order and with the names of QEMU's
//! VMState description:
//!
//! ```
//! use southbridge_sdk::state::{Condition, Sections, Shape};
//!
//! struct Flags { sts: u16, en: u16, spare: bool }
//!
//! fn state(flags: &mut Flags, sections: &mut Sections<'_>) {
//!     // Without `..`: a new field cannot be forgotten here.
//!     let Flags { sts, en, spare } = flags;
//!     sections.section(Shape::new("flags", 2, 1), Condition::ALWAYS, |f| {
//!         f.u16("sts", sts);
//!         f.since(2, |f| f.u16("en", en));
//!         f.private(|f| f.bool("spare", spare));
//!     });
//! }
//! ```
//!
//! [`Device::state`]: crate::Device::state

mod fields;
mod sections;
mod table;
#[cfg(test)]
mod tests;

pub use fields::Fields;
pub use sections::{Sections, describe, load, save};

/// The name and versions of a structure or section.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// QEMU's name of the VMState description.
    pub name: &'static str,
    /// The version that is saved.
    pub version: u32,
    /// The oldest version that is loaded.
    pub minimum: u32,
}

impl Shape {
    /// A structure's name, version and oldest accepted version.
    #[must_use]
    pub const fn new(name: &'static str, version: u32, minimum: u32) -> Self {
        Self { name, version, minimum }
    }

    /// Why data of `version` cannot be loaded, if it cannot.
    fn rejects(&self, version: u32) -> Option<String> {
        let Self { version: newest, minimum, .. } = *self;
        let legal = (minimum..=newest).contains(&version);
        (!legal).then(|| format!("version {version} found, {minimum} to {newest} expected"))
    }
}

/// Why something may be absent from a saved state, and whether it is there now.
///
/// In the `whole` scope every condition holds.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// The condition in a few words, for the description: the property
    /// (`smbus-migration`) or the state (`accessed or busy`) it depends on.
    pub text: &'static str,
    /// Whether it holds.
    pub holds: bool,
}

impl Condition {
    /// For what is always there.
    pub const ALWAYS: Self = Self { text: "", holds: true };

    /// For what QEMU does not migrate at all.
    pub const NEVER: Self = Self { text: "not in QEMU's stream", holds: false };

    /// Present if `holds`, because of `text`.
    #[must_use]
    pub const fn new(text: &'static str, holds: bool) -> Self {
        Self { text, holds }
    }

    fn described(self) -> Option<String> {
        (!self.text.is_empty()).then(|| self.text.into())
    }
}

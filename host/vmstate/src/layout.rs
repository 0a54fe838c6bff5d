//! What sections consist of.
//!
//! A section's payload has no tags, lengths or padding, so it cannot be read
//! without knowing its fields. That knowledge is data: either the description a
//! stream carries at its end, which lists exactly what that stream holds, or the
//! layouts built in, which leave open what depends on the machine.

pub(crate) mod json;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use crate::error::{Error, Problem};
use crate::stream::Section;
use crate::walk::{self, Reading};

/// The fields of a structure and its subsections.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// QEMU's name of the structure; its subsections' names begin with it.
    pub(crate) name: Arc<str>,
    pub(crate) version: u32,
    pub(crate) members: Vec<Member>,
    pub(crate) subsections: Vec<Layout>,
    /// Whether the subsections are all there, as a stream's description says, or
    /// may be there, as QEMU's source says.
    pub(crate) exact: bool,
}

/// A field of a structure.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: Arc<str>,
    /// QEMU's name of its type; several of them are one kind.
    pub(crate) type_name: Arc<str>,
    pub(crate) kind: Kind,
    pub(crate) count: Count,
    /// The field is there if all of these hold.
    pub(crate) when: Vec<Condition>,
    pub(crate) ticks: Option<Ticks>,
}

/// Says of a field that it is the expiry of an earlier timer, if that is pending,
/// in ticks of another clock.
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    pub(crate) timer: Arc<str>,
    pub(crate) hz: u32,
}

/// What a field's presence depends on.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    /// A property of the machine the stream was saved on, and which way it must be.
    Switch { name: Arc<str>, on: bool },
    /// An earlier integer of the structure, which must not be 0.
    NotZero(Arc<str>),
}

/// What a field, or each element of an array, is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Unsigned {
        size: usize,
        max: u64,
    },
    /// With `max`, 0 is the least.
    Signed {
        size: usize,
        max: i64,
    },
    /// An expiry in nanoseconds from `min` on, or all ones.
    Timer {
        min: u64,
    },
    Bool,
    Bytes(usize),
    Structure(Box<Layout>),
}

/// How many elements a field has.
#[derive(Clone, Debug)]
pub(crate) enum Count {
    One,
    Fixed(u64),
    /// As many as an earlier field of the structure says.
    Field(Arc<str>),
    /// As many as the machine had, which the stream does not say.
    Open {
        max: u64,
    },
}

/// Layouts cannot be made from a text.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("not a description of device state: {0}")]
pub struct NoLayout(pub(crate) String);

/// Layouts of sections.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    /// Layouts of single devices, by section name and instance.
    devices: HashMap<(String, u32), Layout>,
    /// Layouts of kinds of devices, by the section name's last part.
    kinds: HashMap<String, Layout>,
}

impl Layouts {
    /// The layouts built in: those of every device of QEMU's `pc-i440fx` and
    /// `xenfv` machines seen in real streams, in all their forms.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Layouts> = LazyLock::new(|| {
            json::kinds(include_str!("../layouts/pc.json")).expect("a file of ours, read in tests")
        });
        &BUILTIN
    }

    /// Layouts from QEMU's description of a stream: the JSON text at its end.
    /// They fit the devices of that stream, and no others.
    ///
    /// # Errors
    /// [`NoLayout`] says what is wrong with the text.
    pub fn from_description(text: &str) -> Result<Self, NoLayout> {
        json::devices(&json::parse(text)?)
    }

    /// The names of the kinds of devices that have a layout whatever the stream,
    /// in alphabetical order.
    #[must_use]
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<_> = self.kinds.keys().map(String::as_str).collect();
        kinds.sort_unstable();
        kinds
    }

    /// A section's fields and the properties of the machine they tell of.
    ///
    /// # Errors
    /// [`Error`] with an offset into the stream if there is no layout for this
    /// section and version, or its payload does not fit it.
    pub fn decode(&self, section: &Section) -> Result<Reading, Error> {
        let at = section.offset;
        let layout = self
            .find(&section.name, section.instance, section.version)
            .map_err(|problem| problem.at(at))?;
        walk::decode(layout, &section.payload).map_err(|fault| fault.error(at))
    }

    /// The layout of a section.
    pub(crate) fn find(&self, name: &str, instance: u32, version: u32) -> Result<&Layout, Problem> {
        let layout = self
            .devices
            .get(&(name.to_owned(), instance))
            .or_else(|| self.kinds.get(kind(name)))
            .ok_or_else(|| Problem::UnknownSection { name: name.to_owned(), instance })?;
        if layout.version != version {
            let (name, known) = (name.to_owned(), layout.version);
            return Err(Problem::SectionVersion { name, version, known });
        }
        Ok(layout)
    }
}

/// The kind of device a section is of: its name without the device path.
pub(crate) fn kind(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

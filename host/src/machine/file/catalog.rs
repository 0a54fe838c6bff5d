//! What a machine is checked against: the components there are, as far as
//! machine files speak of them.

use super::{Kind, Value};

/// The components a machine may name.
pub trait Catalog {
    /// The component of that name.
    fn component(&self, name: &str) -> Option<&Described>;

    /// The names of all components, in any order.
    fn names(&self) -> Vec<&str>;
}

/// The parts of a component's description that machine files refer to, each in
/// the order in which the component declares them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// What the component must be plugged into.
    pub attachment: Attachment,
    /// Properties with their defaults.
    pub properties: Vec<(String, Value)>,
    /// Lines.
    pub lines: Vec<(String, Direction)>,
    /// Child buses.
    pub buses: Vec<(String, BusKind)>,
    /// Character streams.
    pub streams: Vec<String>,
    /// Drives.
    pub drives: Vec<String>,
    /// Blocks of memory that a file fills.
    pub roms: Vec<String>,
}

impl Described {
    /// The kind of values the property takes.
    pub fn property(&self, name: &str) -> Option<Kind> {
        find(&self.properties, name).map(Value::kind)
    }

    /// The direction of the line.
    pub fn line(&self, name: &str) -> Option<Direction> {
        find(&self.lines, name).copied()
    }

    /// The kind of the bus.
    pub fn bus(&self, name: &str) -> Option<BusKind> {
        find(&self.buses, name).copied()
    }
}

fn find<'a, T>(list: &'a [(String, T)], name: &str) -> Option<&'a T> {
    list.iter().find(|(other, _)| other == name).map(|(_, found)| found)
}

/// What a component must be plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attachment {
    /// Nothing.
    System,
    /// A PCI bus.
    Pci,
    /// An I2C bus.
    I2c,
    /// A channel of an ISA bus's DMA controller.
    IsaDma,
}

/// Whether a line leads into the device or out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The device is told its level.
    Input,
    /// The device drives it.
    Output,
}

/// The kinds of child bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BusKind {
    /// PCI.
    Pci,
    /// I2C or SMBus.
    I2c,
    /// The DMA channels of an ISA bus.
    IsaDma,
}

impl BusKind {
    /// A bus of the kind, as messages call it.
    pub(super) const fn phrase(self) -> &'static str {
        match self {
            Self::Pci => "a PCI bus",
            Self::I2c => "an I2C bus",
            Self::IsaDma => "a bus of DMA channels",
        }
    }
}

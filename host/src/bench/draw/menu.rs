//! What can happen to a device, by what it declares, imports and exports.

use super::Range;
use crate::component::{Description, Direction, Image, Interface};

/// Kinds of actions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Access,
    Line,
    Advance,
    Ram,
    Block,
    Medium,
    Complete,
    Receive,
    Power,
    Acknowledge,
    Ended,
    Person,
    Screen,
    I2c,
    IsaDma,
    Reset,
    Save,
    Load,
    Exchange,
}

/// The regions whose accesses reach the device.
pub(super) fn answered(of: &Description) -> impl Iterator<Item = u32> {
    (0..).zip(&of.regions).filter(|(_, region)| region.backing.is_none()).map(|(number, _)| number)
}

/// The input lines.
pub(super) fn inputs(of: &Description) -> impl Iterator<Item = u32> {
    let lines = (0..).zip(&of.lines);
    lines.filter(|(_, line)| line.direction == Direction::Input).map(|(number, _)| number)
}

/// What can happen to a device, and how often it does.
pub(super) fn menu(image: &Image, range: Range) -> Vec<(Kind, u64)> {
    let of = image.description();
    let exports = |name: &str| image.exports().contains(name);
    let kinds = [
        (Kind::Access, 60, answered(of).next().is_some()),
        (Kind::Line, 8, inputs(of).next().is_some()),
        (Kind::Advance, 8, true),
        (Kind::Ram, 4, image.imports().contains(&Interface::Dma)),
        (Kind::Block, 4, !of.memories.is_empty()),
        (Kind::Medium, 2, !of.drives.is_empty()),
        (Kind::Receive, 6, exports("stream-input") && !of.streams.is_empty()),
        (Kind::Power, 2, exports("power-events")),
        (Kind::Acknowledge, 8, exports("interrupt-controller")),
        (Kind::Ended, 4, exports("end-of-interrupt")),
        (Kind::Person, 8, exports("human-input")),
        (Kind::Screen, 1, exports("display")),
        (Kind::I2c, 30, exports("i2c-target")),
        (Kind::IsaDma, 20, exports("isa-dma-target")),
        (Kind::Reset, 1, true),
        (Kind::Save, 1, range == Range::All),
        (Kind::Load, 2, range == Range::All),
        (Kind::Exchange, 1, range == Range::All),
    ];
    kinds.into_iter().filter(|(_, _, can)| *can).map(|(kind, weight, _)| (kind, weight)).collect()
}

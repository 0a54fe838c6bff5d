//! Which devices are interrupt controllers.

use super::plan::Planned;

/// The slots of interrupt controllers, by what processors want of them.
pub(super) struct Interrupts {
    /// The one that processors ask for vectors.
    pub(super) controller: Option<usize>,
    /// Those that hear of the ends of interrupts.
    pub(super) ends: Vec<usize>,
}

impl Interrupts {
    pub(super) fn new(devices: &[Planned]) -> Self {
        let exports = |part: &'static str| {
            let devices = devices.iter().enumerate();
            devices.filter(move |(_, device)| device.image.exports().contains(part))
        };
        Self {
            controller: exports("interrupt-controller").map(|(slot, _)| slot).next(),
            ends: exports("end-of-interrupt").map(|(slot, _)| slot).collect(),
        }
    }
}

//! The host bridge, and what addresses it passes on (6.2.2).

use super::ports;
use crate::aml::{
    Caching, Term, bus_numbers, device, dword_memory, eisa_id, io, io_window, name, qword_memory,
    scope, string, template,
};
use crate::board::Board;
use crate::pci_board::Pci;

/// The configuration ports, which the bridge keeps to itself.
const CONFIGURATION: u16 = 0xcf8;
const CONFIGURATION_LENGTH: u8 = 8;

/// The bridge itself.
pub(super) fn host_bridge(pci: &Pci) -> Term {
    let bridge =
        [name("_HID", eisa_id("PNP0A03")), name("_ADR", 0), name("_UID", u64::from(pci.uid))];
    scope("_SB", device("PCI0", bridge))
}

/// Its windows, and the ports below it that no device claims.
pub(super) fn resources(board: &Board) -> Term {
    /// A generic container, as a string rather than a compressed id.
    const CONTAINER: &str = "PNP0A06";
    const GPE_NAME: &str = "GPE0 resources";
    const PCI_NAME: &str = "PCI Hotplug resources";
    let power = &board.power;
    let mut terms = vec![
        name("_CRS", windows(&board.pci)),
        ports::claimed("GPE0", string(CONTAINER), GPE_NAME, power.gpe0, power.gpe0_length),
    ];
    terms.extend(board.pci.hotplug.map(|hotplug| {
        ports::claimed("PHPR", string(CONTAINER), PCI_NAME, hotplug.port, super::hotplug::LENGTH)
    }));
    scope("\\_SB.PCI0", terms)
}

fn windows(pci: &Pci) -> Term {
    const VGA: std::ops::RangeInclusive<u32> = 0xa_0000..=0xb_ffff;
    let after = CONFIGURATION + u16::from(CONFIGURATION_LENGTH);
    let high = pci.high_window.clone();
    template([
        bus_numbers(0..=0xff),
        io(CONFIGURATION, 1, CONFIGURATION_LENGTH),
        io_window(0..=CONFIGURATION - 1),
        io_window(after..=0xffff),
        dword_memory(Caching::Allowed, VGA),
        dword_memory(Caching::Never, pci.low_window.clone()),
        high.map_or_else(Vec::new, |window| qword_memory(Caching::Allowed, window)),
    ])
}

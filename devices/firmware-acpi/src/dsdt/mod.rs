//! The differentiated system description table (5.2.11.1): the devices that no
//! bus tells of, and the methods with which the operating system drives them.

mod cpu;
mod cpu_bitmap;
mod cpu_registers;
mod cpu_scan;
mod debug;
mod floppy;
mod fw_cfg;
mod hotplug;
mod hpet;
mod isa;
mod labels;
mod link;
mod memory;
mod memory_range;
mod pci;
mod ports;
mod routing;
mod sleep;
mod slots;

use crate::aml::{Term, name, scope, string};
use crate::board::{Board, HotplugInterface};
use crate::header;

/// The table.
pub(crate) fn table(board: &Board) -> Vec<u8> {
    let mut terms = vec![debug::port(), pci::host_bridge(&board.pci)];
    terms.extend(board.pci.hotplug.map(hotplug::registers));
    terms.push(routing::interrupts());
    terms.extend(board.hpet.then(hpet::timer));
    terms.push(scope("_GPE", name("_HID", string("ACPI0006"))));
    terms.extend(match board.processor_hotplug.interface {
        HotplugInterface::Bitmap => cpu_bitmap::processors(board),
        HotplugInterface::Selector => cpu::processors(board),
    });
    terms.extend(board.memory_hotplug.iter().flat_map(memory::slots));
    terms.push(pci::resources(board));
    terms.push(sleep::states(&board.power));
    terms.extend(board.fw_cfg.map(fw_cfg::device));
    terms.push(scope("\\_SB", slots::root(&board.pci)));
    terms.extend(board.pci.hotplug.map(|_| hotplug::event()));
    header::table(*b"DSDT", &Term::from(terms).into_bytes())
}

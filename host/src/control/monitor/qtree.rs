//! `info qtree`: devices on their buses with their properties, in QEMU's form.

use std::fmt::Write as _;

use super::pci::{class_name, offset};
use super::view::{Bus, Device, View};
use crate::component::{Direction, Line, PropertyValue};
use crate::machine::file::{Address, PciAddress};
use crate::machine::{Machine, PciBar, PciBus, PciFunction};

/// The text for a machine.
pub(super) fn text(machine: &Machine) -> String {
    let (view, pci) = (View::of(machine), machine.pci());
    let mut tree = Tree { view: &view, functions: Vec::new(), text: String::new() };
    pci.iter().for_each(|bus| tree.note(bus, 0));
    tree.bus(0, 0);
    tree.text
}

struct Tree<'a> {
    view: &'a View<'a>,
    /// All PCI functions, with the numbers of their buses.
    functions: Vec<(u8, &'a PciFunction)>,
    text: String,
}

impl<'a> Tree<'a> {
    fn note(&mut self, bus: &'a PciBus, number: u8) {
        for function in &bus.functions {
            self.functions.push((number, function));
            let behind = function.byte(offset::SECONDARY_BUS);
            function.buses.iter().for_each(|bus| self.note(bus, behind));
        }
    }

    fn line(&mut self, depth: usize, text: impl std::fmt::Display) {
        let indent = 2 * depth;
        let _ = writeln!(self.text, "{:indent$}{text}", "");
    }

    fn bus(&mut self, number: usize, depth: usize) {
        let Some(Bus { name, kind, .. }) = self.view.buses.get(number) else { return };
        self.line(depth, format_args!("bus: {name}"));
        self.line(depth + 1, format_args!("type {kind}"));
        // As in QEMU what came last is first.
        for device in self.view.on(number).rev() {
            self.device(device, depth + 1);
        }
    }

    fn device(&mut self, device: &Device<'_>, depth: usize) {
        let id = device.id().unwrap_or_default();
        self.line(depth, format_args!("dev: {}, id \"{id}\"", device.driver));
        let depth = depth + 1;
        if device.is_whole() {
            self.lines(device, depth);
            for property in device.of.properties() {
                let value = value(&property.value);
                self.line(depth, format_args!("{} = {value}", property.name));
            }
        }
        if let Some(Address::Pci(address)) = device.address {
            self.function(device, address, depth);
        } else if device.is_whole() {
            for (size, base) in device.of.memory_regions() {
                let base = base.unwrap_or(u64::MAX);
                self.line(depth, format_args!("mmio {base:016x}/{size:016x}"));
            }
        }
        if device.is_whole() {
            let position = self.view.devices.iter().position(|other| other.path == device.path);
            let carried = position.into_iter().flat_map(|position| self.view.carried(position));
            let numbers: Vec<_> = carried.map(|(number, _)| number).rev().collect();
            numbers.into_iter().for_each(|number| self.bus(number, depth));
        }
    }

    /// The lines of a device, counted where they only differ in a number.
    fn lines(&mut self, device: &Device<'_>, depth: usize) {
        let image = device.of.image();
        let mut groups: Vec<(Direction, String, &str, usize)> = Vec::new();
        for Line { name, direction } in &image.description().lines {
            let kin: String = name.chars().filter(|c| !c.is_ascii_digit()).collect();
            match groups.iter_mut().find(|group| group.0 == *direction && group.1 == kin) {
                Some(group) => group.3 += 1,
                None => groups.push((*direction, kin, name, 1)),
            }
        }
        for (way, wanted) in [("gpio-in", Direction::Input), ("gpio-out", Direction::Output)] {
            for (_, kin, first, count) in groups.iter().filter(|group| group.0 == wanted) {
                let name = if *count == 1 { first } else { kin.as_str() };
                self.line(depth, format_args!("{way} \"{name}\" {count}"));
            }
        }
    }

    fn function(&mut self, device: &Device<'_>, address: PciAddress, depth: usize) {
        self.line(depth, format_args!("addr = {address}"));
        let mut functions = self.functions.iter().copied();
        let Some((bus, function)) = functions.find(|(_, f)| f.device == device.part) else {
            return;
        };
        let several = function.byte(offset::HEADER_TYPE) & 0x80 != 0;
        self.line(depth, format_args!("multifunction = {several}"));
        let class = function.word(offset::CLASS);
        let class = class_name(class).map_or_else(|| format!("Class {class:04x}"), Into::into);
        let word = |at| function.word(at);
        self.line(
            depth,
            format_args!(
                "class {class}, addr {bus:02x}:{address}, pci id {:04x}:{:04x} (sub {:04x}:{:04x})",
                word(offset::VENDOR),
                word(offset::DEVICE),
                word(offset::SUBSYSTEM_VENDOR),
                word(offset::SUBSYSTEM),
            ),
        );
        for PciBar { number, size, ports, address, .. } in &function.bars {
            let kind = if *ports { "i/o" } else { "mem" };
            let address = address.unwrap_or(u64::MAX);
            let last = address.wrapping_add(size - 1);
            self.line(depth, format_args!("bar {number}: {kind} at {address:#x} [{last:#x}]"));
        }
    }
}

/// A value as QEMU prints it; of a text of several lines the first.
fn value(value: &PropertyValue) -> String {
    match value {
        PropertyValue::Flag(flag) => flag.to_string(),
        PropertyValue::Number(number) => format!("{number} ({number:#x})"),
        PropertyValue::Text(text) => {
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default();
            match lines.count() {
                0 => format!("\"{first}\""),
                more => format!("\"{first}\" and {more} more lines"),
            }
        }
    }
}

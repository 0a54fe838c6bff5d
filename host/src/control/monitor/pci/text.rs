//! `info pci`, in QEMU's form.

use std::fmt::Write as _;

use super::{BridgeInfo, BusInfo, FunctionInfo, RangeInfo, RegionInfo, RegionKind};

/// The text of what [`query_pci`](super::query_pci) returns.
pub(in super::super) fn text(buses: &[BusInfo]) -> String {
    let mut text = String::new();
    buses.iter().flat_map(|bus| &bus.devices).for_each(|info| function(&mut text, info));
    text
}

// Writing into a `String` cannot fail.
fn function(text: &mut String, info: &FunctionInfo) {
    let FunctionInfo { bus, slot, function: number, class_info, id, .. } = info;
    let _ = writeln!(text, "  Bus {bus:2}, device {slot:3}, function {number}:");
    let class = class_info.desc.clone();
    // In decimal: QEMU's way.
    let class = class.unwrap_or_else(|| format!("Class {:04}", class_info.class));
    let _ = writeln!(text, "    {class}: PCI device {:04x}:{:04x}", id.vendor, id.device);
    if let (Some(vendor), Some(subsystem)) = (id.subsystem_vendor, id.subsystem) {
        let _ = writeln!(text, "      PCI subsystem {vendor:04x}:{subsystem:04x}");
    }
    if let Some(irq) = info.irq {
        let pin = char::from(b'A'.wrapping_add((info.irq_pin - 1) as u8));
        let _ = writeln!(text, "      IRQ {irq}, pin {pin}");
    }
    if let Some(info) = &info.pci_bridge {
        bridge(text, info);
    }
    info.regions.iter().for_each(|info| region(text, info));
    let _ = writeln!(text, "      id \"{}\"", info.qdev_id);
    let behind = info.pci_bridge.iter().filter_map(|bridge| bridge.devices.as_ref()).flatten();
    behind.for_each(|info| function(text, info));
}

fn bridge(text: &mut String, BridgeInfo { bus, .. }: &BridgeInfo) {
    let _ = writeln!(text, "      BUS {}.", bus.number);
    let _ = writeln!(text, "      secondary bus {}.", bus.secondary);
    let _ = writeln!(text, "      subordinate bus {}.", bus.subordinate);
    let RangeInfo { base, limit } = bus.io_range;
    let _ = writeln!(text, "      IO range [{base:#06x}, {limit:#06x}]");
    let RangeInfo { base, limit } = bus.memory_range;
    let _ = writeln!(text, "      memory range [{base:#010x}, {limit:#010x}]");
    let RangeInfo { base, limit } = bus.prefetchable_range;
    let _ = writeln!(text, "      prefetchable memory range [{base:#010x}, {limit:#010x}]");
}

fn region(text: &mut String, info: &RegionInfo) {
    let RegionInfo { bar, kind, address, size, prefetch, mem_type_64 } = *info;
    let last = address.wrapping_add(size).wrapping_sub(1);
    let _ = match kind {
        RegionKind::Io => {
            writeln!(text, "      BAR{bar}: I/O at {address:#06x} [{last:#06x}].")
        }
        RegionKind::Memory => {
            let bits = if mem_type_64 == Some(true) { 64 } else { 32 };
            let prefetch = if prefetch == Some(true) { " prefetchable" } else { "" };
            writeln!(
                text,
                "      BAR{bar}: {bits} bit{prefetch} memory at {address:#010x} [{last:#010x}]."
            )
        }
    };
}

//! `query-pci`, and `info pci`, which says the same as text.

mod class;
mod info;
#[cfg(test)]
mod tests;
mod text;

pub use info::{
    BridgeBus, BridgeInfo, BusInfo, ClassInfo, FunctionInfo, IdInfo, RangeInfo, RegionInfo,
    RegionKind,
};

pub(super) use class::name as class_name;
pub(super) use text::text;

use super::view::{Device, View};
use crate::machine::{Machine, PciBar, PciBus, PciFunction};

/// Offsets in the header of a configuration space (PCI Local Bus Specification 3.0,
/// 6.1; PCI-to-PCI Bridge Architecture Specification 1.2, 3.2).
pub(super) mod offset {
    pub(in super::super) const VENDOR: usize = 0x00;
    pub(in super::super) const DEVICE: usize = 0x02;
    pub(in super::super) const CLASS: usize = 0x0a;
    pub(in super::super) const HEADER_TYPE: usize = 0x0e;
    pub(in super::super) const PRIMARY_BUS: usize = 0x18;
    pub(in super::super) const SECONDARY_BUS: usize = 0x19;
    pub(in super::super) const SUBORDINATE_BUS: usize = 0x1a;
    pub(in super::super) const IO_BASE: usize = 0x1c;
    pub(in super::super) const IO_LIMIT: usize = 0x1d;
    pub(in super::super) const MEMORY_BASE: usize = 0x20;
    pub(in super::super) const MEMORY_LIMIT: usize = 0x22;
    pub(in super::super) const PREFETCHABLE_BASE: usize = 0x24;
    pub(in super::super) const PREFETCHABLE_LIMIT: usize = 0x26;
    pub(in super::super) const PREFETCHABLE_BASE_UPPER: usize = 0x28;
    pub(in super::super) const PREFETCHABLE_LIMIT_UPPER: usize = 0x2c;
    pub(in super::super) const SUBSYSTEM_VENDOR: usize = 0x2c;
    pub(in super::super) const SUBSYSTEM: usize = 0x2e;
    pub(in super::super) const IO_BASE_UPPER: usize = 0x30;
    pub(in super::super) const IO_LIMIT_UPPER: usize = 0x32;
    pub(in super::super) const INTERRUPT_LINE: usize = 0x3c;
    pub(in super::super) const INTERRUPT_PIN: usize = 0x3d;
}

/// The kinds of header.
const NORMAL: u8 = 0;
const BRIDGE: u8 = 1;

/// `query-pci`: the machine's PCI buses, with all functions and what is behind them.
#[must_use]
pub fn query_pci(machine: &Machine) -> Vec<BusInfo> {
    let (buses, view) = (machine.pci(), View::of(machine));
    buses.iter().map(|bus| BusInfo { bus: 0, devices: functions(bus, 0, &view) }).collect()
}

fn functions(bus: &PciBus, number: i64, view: &View<'_>) -> Vec<FunctionInfo> {
    bus.functions.iter().map(|function| info(function, number, view)).collect()
}

fn info(function: &PciFunction, bus: i64, view: &View<'_>) -> FunctionInfo {
    let class = function.word(offset::CLASS);
    let pin = function.byte(offset::INTERRUPT_PIN);
    let kind = function.byte(offset::HEADER_TYPE) & 0x7f;
    let subsystem = |at| (kind == NORMAL).then(|| function.word(at).into());
    let device = view.devices.iter().find(|device| device.part == function.device);
    FunctionInfo {
        bus,
        slot: function.address.slot().into(),
        function: function.address.function().into(),
        class_info: ClassInfo { class: class.into(), desc: class_name(class).map(str::to_owned) },
        id: IdInfo {
            device: function.word(offset::DEVICE).into(),
            vendor: function.word(offset::VENDOR).into(),
            subsystem: subsystem(offset::SUBSYSTEM),
            subsystem_vendor: subsystem(offset::SUBSYSTEM_VENDOR),
        },
        irq: (pin != 0).then(|| function.byte(offset::INTERRUPT_LINE).into()),
        irq_pin: pin.into(),
        qdev_id: device.and_then(Device::id).unwrap_or_default().into(),
        pci_bridge: (kind == BRIDGE).then(|| bridge(function, view)),
        regions: function.bars.iter().map(region).collect(),
    }
}

fn bridge(function: &PciFunction, view: &View<'_>) -> BridgeInfo {
    let secondary = function.byte(offset::SECONDARY_BUS).into();
    let behind = function.buses.iter().flat_map(|bus| functions(bus, secondary, view));
    // As in QEMU nothing is behind a bridge to which firmware gave no bus.
    let devices: Vec<_> = behind.filter(|_| secondary != 0).collect();
    BridgeInfo {
        bus: BridgeBus {
            number: function.byte(offset::PRIMARY_BUS).into(),
            secondary,
            subordinate: function.byte(offset::SUBORDINATE_BUS).into(),
            io_range: io_range(function),
            memory_range: memory_range(function, offset::MEMORY_BASE, offset::MEMORY_LIMIT, 0, 0),
            prefetchable_range: prefetchable_range(function),
        },
        devices: (!devices.is_empty()).then_some(devices),
    }
}

/// The ports that a bridge passes on: whole 4 KiB (3.2.5.6).
fn io_range(function: &PciFunction) -> RangeInfo {
    let address = |at, upper, low: i64| {
        let byte = i64::from(function.byte(at));
        let upper = if byte & 15 == 1 { i64::from(function.word(upper)) } else { 0 };
        upper << 16 | (byte & 0xf0) << 8 | low
    };
    RangeInfo {
        base: address(offset::IO_BASE, offset::IO_BASE_UPPER, 0),
        limit: address(offset::IO_LIMIT, offset::IO_LIMIT_UPPER, 0xfff),
    }
}

/// Memory that a bridge passes on: whole MiB (3.2.5.8).
fn memory_range(
    function: &PciFunction,
    base: usize,
    limit: usize,
    base_upper: i64,
    limit_upper: i64,
) -> RangeInfo {
    let address = |at, upper: i64| upper << 32 | i64::from(function.word(at) & 0xfff0) << 16;
    RangeInfo { base: address(base, base_upper), limit: address(limit, limit_upper) | 0xf_ffff }
}

fn prefetchable_range(function: &PciFunction) -> RangeInfo {
    let long = |at| i64::from(function.word(at)) | i64::from(function.word(at + 2)) << 16;
    let (base, limit) = (offset::PREFETCHABLE_BASE, offset::PREFETCHABLE_LIMIT);
    // 3.2.5.9: the low bits say whether there are upper halves.
    let upper = |at, upper| if function.word(at) & 15 == 1 { long(upper) } else { 0 };
    let base_upper = upper(base, offset::PREFETCHABLE_BASE_UPPER);
    let limit_upper = upper(limit, offset::PREFETCHABLE_LIMIT_UPPER);
    memory_range(function, base, limit, base_upper, limit_upper)
}

fn region(bar: &PciBar) -> RegionInfo {
    let PciBar { number, size, ports, prefetchable, wide, address } = *bar;
    RegionInfo {
        bar: number.into(),
        kind: if ports { RegionKind::Io } else { RegionKind::Memory },
        // QEMU's schema has signed numbers: -1 is nowhere.
        address: address.unwrap_or(u64::MAX) as i64,
        size: size as i64,
        prefetch: (!ports).then_some(prefetchable),
        mem_type_64: (!ports).then_some(wide),
    }
}

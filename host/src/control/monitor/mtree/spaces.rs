//! The address spaces of a machine as trees of regions.

use super::super::view::{Device, UNATTACHED, View};
use super::tree::{Content, Kind, Region};
use crate::bus::{AddressSpace, Mapping};
use crate::component::Mode;
use crate::machine::{Machine, Window};

const FOUR_GIB: u64 = 1 << 32;
const MIB: u64 = 1 << 20;

/// What of the firmware is seen again below 1 MiB: at most its last 128 KiB.
const LEGACY: u64 = 128 << 10;

/// QEMU's names.
const RAM: &str = "pc.ram";
const FIRMWARE: &str = "pc.bios";
/// What devices have in memory: it lies below RAM.
const BUS: &str = "pci";

/// The ports.
pub(super) fn ports(machine: &Machine, view: &View<'_>) -> Region {
    let children = mapped(machine.ports(), view);
    unattached(Region::new("io", (0, 0xffff), 0, Kind::Io, Content::Backed(children)))
}

/// Physical memory.
pub(super) fn memory(machine: &Machine, view: &View<'_>, firmware_len: u64) -> Region {
    let (below, above) = machine.memory_layout().split(machine.parameters().ram_size);
    let part = |name: &str, first: u64, size: u64, from: u64| {
        let content = Content::Alias(RAM.into(), from);
        let region = Region::new(name, (first, first + size.max(1) - 1), 0, Kind::Ram, content);
        (size != 0).then(|| unattached(region))
    };
    let mut bus = mapped(machine.memory(), view);
    bus.extend(firmware(firmware_len));
    let bus = Region::new(BUS, (0, u64::MAX), -1, Kind::Io, Content::Container(bus));
    let mut children = vec![unattached(bus)];
    children.extend(part("ram-below-4g", 0, below, 0));
    children.extend(part("ram-above-4g", FOUR_GIB, above, below));
    children.extend(machine.ram_windows().iter().map(window));
    unattached(Region::new("system", (0, u64::MAX), 0, Kind::Io, Content::Container(children)))
}

/// What aliases show parts of besides what is in memory itself.
pub(super) fn backings(machine: &Machine) -> Vec<Region> {
    let size = machine.parameters().ram_size;
    vec![Region {
        owner: Some(format!("owner:{{obj path=/objects/{RAM}}}")),
        ..Region::new(RAM, (0, size.max(1) - 1), 0, Kind::Ram, Content::Itself)
    }]
}

/// The firmware, where it ends and once more below 1 MiB.
fn firmware(size: u64) -> Vec<Region> {
    if size == 0 {
        return Vec::new();
    }
    let again = size.min(LEGACY);
    let whole = (FOUR_GIB - size, FOUR_GIB - 1);
    let alias = Content::Alias(FIRMWARE.into(), size - again);
    vec![
        unattached(Region::new("isa-bios", (MIB - again, MIB - 1), 1, Kind::Rom, alias)),
        unattached(Region::new(FIRMWARE, whole, 0, Kind::Rom, Content::Itself)),
    ]
}

/// A RAM window shows RAM, or what lies below.
fn window(window: &Window) -> Region {
    let Window { name, base, size, mode } = window;
    let (kind, target) = match mode {
        Mode::Bus => (Kind::Io, BUS),
        Mode::RamReadOnly | Mode::Ram => (Kind::Ram, RAM),
    };
    let content = Content::Alias(target.into(), *base);
    let read_only = *mode == Mode::RamReadOnly;
    Region { read_only, ..Region::new(name, (*base, base + size - 1), 1, kind, content) }
}

fn mapped(space: &AddressSpace, view: &View<'_>) -> Vec<Region> {
    let region = |mapping: Mapping| {
        let number = mapping.slot.id().0 as usize;
        let device = view.devices.iter().find(|device| device.part == number);
        let (range, priority) = ((mapping.base, mapping.last), mapping.priority.into());
        let region = Region::new(&mapping.name, range, priority, Kind::Io, Content::Itself);
        Region { owner: device.map(owner), ..region }
    };
    space.mappings().into_iter().map(region).collect()
}

fn owner(device: &Device<'_>) -> String {
    match device.id() {
        Some(id) => format!("owner:{{dev id={id}}}"),
        None => format!("owner:{{dev path={}}}", device.path),
    }
}

fn unattached(region: Region) -> Region {
    Region { owner: Some(format!("parent:{{obj path={UNATTACHED}}}")), ..region }
}

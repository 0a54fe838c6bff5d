//! Plugs a planned machine together.

use std::sync::{Arc, Mutex, OnceLock};

use super::directory::read_directory;
use super::driven::Driven;
use super::drives::media;
use super::file::Address;
use super::firmware::slot_with_files;
use super::interrupts::Interrupts;
use super::observe::Listeners;
use super::person::Typing;
use super::plan::{Planned, plug_error};
use super::power::Wakeups;
use super::timers::Timers;
use super::wiring::Wires;
use super::{Backends, Board, Error, Machine, Plan, PowerListener, Stream, Unconnected};
use crate::bus::{AddressSpace, BusTable, ChildBuses, ConfigurationSpace, SpaceKind};
use crate::clock::Clock;
use crate::component::{
    self, Block, BusKind, Effects, GuestRam, Interface, Limits, MemoryBlock, Resources, SlotId,
    Space,
};
use crate::slot::{Media, Setting, Slot};

impl Machine {
    /// Builds a machine that no guest runs on, for what its devices are and save:
    /// its clock moves only when told, and nothing leads out of it.
    ///
    /// # Errors
    /// As [`Machine::build`].
    pub fn build_alone(plan: &Plan) -> Result<Arc<Self>, Error> {
        let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
        Self::build(plan, clock, board, &Backends::default(), Arc::new(|_| {}))
    }

    /// Builds a machine: plugs all devices in, connects buses, wires and what the
    /// host has for them, and resets it. `power` is told what the devices ask of the
    /// machine's power.
    ///
    /// # Errors
    /// A device cannot be plugged in, two devices answer at one address, or the host
    /// has not enough memory.
    pub fn build(
        plan: &Plan,
        clock: Arc<Clock>,
        board: Arc<dyn Board>,
        backends: &Backends,
        power: PowerListener,
    ) -> Result<Arc<Self>, Error> {
        let buses: Vec<_> = plan.devices.iter().map(|_| Arc::new(ChildBuses::new())).collect();
        let ram = board.ram();
        let mut effects = Effects::new();
        let mut slots = Vec::new();
        for (id, (device, children)) in (0..).zip(plan.devices.iter().zip(&buses)) {
            let setting = Setting {
                id: SlotId(id),
                name: device.entry.id.as_str().into(),
                grants: device.grants.clone(),
                properties: device.properties.clone(),
                resources: resources(device, children.clone(), &ram, backends)?,
                media: Arc::new(Media::new(media(device, backends))),
                limits: limits(device),
            };
            let slot = Slot::plug(setting, clock.clone(), &device.image, &mut effects);
            slots.push(Arc::new(slot.map_err(|source| plug_error(&device.entry, source))?));
        }
        for (device, children) in plan.devices.iter().zip(&buses) {
            children.fill(bus_tables(device, &plan.devices, &slots));
        }

        let descriptions = || plan.devices.iter().map(|device| device.image.description());
        let mut window_count = 0;
        let windows = descriptions().map(|description| {
            let first = window_count;
            window_count += description.windows.len();
            first
        });
        let windows = windows.collect();
        let mut block_count = 0;
        let blocks = descriptions().map(|description| {
            let first = block_count;
            block_count += description.memories.len();
            first
        });
        let blocks = blocks.collect();
        let connect = |device: &Planned, stream: &String| {
            let name = device.entry.streams.get(stream);
            let host = name.and_then(|name| backends.streams.get(&name.value));
            host.cloned().unwrap_or_else(Stream::null)
        };
        let connected = plan.devices.iter().map(|device| {
            let streams = &device.image.description().streams;
            streams.iter().map(|stream| connect(device, stream)).collect()
        });
        let machine = Arc::new(Self {
            name: plan.name.clone(),
            parameters: plan.parameters,
            memory_layout: plan.memory,
            migration: plan.migration,
            options: plan.options.clone(),
            paths: plan.devices.iter().map(|device| plan.pci_path(device)).collect(),
            without_firmware: plan.without_firmware.clone(),
            firmware_files: slot_with_files(&plan.devices),
            planned: plan.devices.clone(),
            optional: plan.optional.iter().map(Into::into).collect(),
            exchange: Mutex::default(),
            origin: Mutex::default(),
            ports: AddressSpace::new(SpaceKind::Port),
            memory: AddressSpace::new(SpaceKind::Memory),
            wires: Wires::new(&plan.devices),
            interrupts: Interrupts::new(&plan.devices),
            driven: descriptions().map(Driven::new).collect(),
            windows,
            blocks,
            claims: Mutex::default(),
            streams: connected.collect(),
            drives: OnceLock::new(),
            timers: Arc::new(Timers::new(
                // The last is typing's.
                descriptions().map(|device| device.timers.len()).chain([1]),
            )),
            typing: Typing::default(),
            clock,
            board,
            power,
            wakeups: Wakeups::default(),
            listeners: Listeners::default(),
            reset_order: reset_order(&plan.devices).map(|slot| slots[slot].clone()).collect(),
            slots,
        });
        let _ = machine.drives.set(machine.make_drives(backends));
        machine.apply(&mut effects);
        for space in [&machine.ports, &machine.memory] {
            if let Some(overlap) = space.overlap() {
                return Err(Error::Overlap(overlap));
            }
        }
        machine.reset();
        Ok(machine)
    }
}

/// What any device may use, but for what the machine file says of this one.
fn limits(device: &Planned) -> Limits {
    let mut limits = Limits::default();
    for (limit, value) in &device.entry.limits {
        limit.set(&mut limits, *value);
    }
    limits
}

/// The order in which devices are reset, which is QEMU's: those on a bus before the
/// one that carries it, and those that were created last first. A few come before all
/// others.
fn reset_order(devices: &[Planned]) -> impl Iterator<Item = usize> {
    let mut order = Vec::with_capacity(devices.len());
    // From the back: a device before those on its buses, the first ones first.
    let mut next: Vec<_> = carried_by(None, devices).rev().collect();
    while let Some(device) = next.pop() {
        order.push(device);
        next.extend(carried_by(Some(&devices[device].entry.id), devices).rev());
    }
    order.reverse();
    let is_first = |device: &usize| devices[*device].entry.qemu.reset_first;
    let (mut first, others): (Vec<_>, Vec<_>) = order.into_iter().partition(is_first);
    first.sort_unstable();
    first.into_iter().chain(others)
}

/// The devices on buses of another one, or on none, as QEMU has them.
fn carried_by<'a>(
    carrier: Option<&'a str>,
    devices: &'a [Planned],
) -> impl DoubleEndedIterator<Item = usize> + 'a {
    let places = devices.iter().map(|device| device.entry.place_in_qemu());
    let carriers = places.map(|place| place.map(|place| place.device.as_str()));
    carriers.enumerate().filter(move |(_, of)| *of == carrier).map(|(device, _)| device)
}

/// What the imports of a device reach.
fn resources(
    device: &Planned,
    children: Arc<ChildBuses>,
    ram: &GuestRam,
    backends: &Backends,
) -> Result<Resources, Error> {
    let windows = device.entry.grants.iter().filter_map(|grant| grant.window());
    let block = |declared: &MemoryBlock| {
        let unusable = |reason: String| {
            let MemoryBlock { name, size, .. } = declared;
            let reason = format!("memory {name} of {size} bytes: {reason}");
            plug_error(&device.entry, component::Error::Unusable(reason))
        };
        let block = Block::new(declared.size).map_err(unusable)?;
        let file = device.entry.roms.get(&declared.name);
        if let Some(contents) = file.and_then(|file| backends.roms.get(&file.value)) {
            if contents.len() as u64 > declared.size {
                return Err(unusable(format!("a file of {} bytes does not fit", contents.len())));
            }
            block.write(0, contents);
        }
        Ok(block)
    };
    let memories = device.image.description().memories.iter().map(block);
    Ok(Resources {
        children,
        ram: ram.within(windows),
        memories: memories.collect::<Result<Vec<_>, Error>>()?.into(),
        files: match &device.entry.directory {
            Some(directory) => read_directory(&directory.value)
                .map_err(|problem| directory.origin.error(problem.to_string()))?,
            None if device.grants.contains(&Interface::Files) => backends.files.clone(),
            None => Arc::new([]),
        },
    })
}

/// The buses of a device, with those devices on them that the machine file puts
/// there.
fn bus_tables(owner: &Planned, devices: &[Planned], slots: &[Arc<Slot>]) -> Vec<BusTable> {
    let buses = &owner.image.description().buses;
    let table = |bus: &crate::component::Bus| {
        let children = devices.iter().zip(slots).filter_map(|(device, slot)| {
            let place = &device.entry.at.as_ref()?.value;
            let here = place.device == owner.entry.id && place.bus == bus.name;
            here.then_some((place.address?, device, slot.clone()))
        });
        match bus.kind {
            BusKind::Pci => BusTable::Pci(children.filter_map(function).collect()),
            BusKind::I2c => BusTable::I2c(children.filter_map(target).collect()),
            BusKind::IsaDma => BusTable::IsaDma(children.filter_map(channel).collect()),
        }
    };
    buses.iter().map(table).collect()
}

type Child<'a> = (Address, &'a Planned, Arc<Slot>);

fn function((address, device, slot): Child<'_>) -> Option<(u8, ConfigurationSpace)> {
    match address {
        Address::Pci(address) => Some((address.devfn(), configuration_space(device, slot)?)),
        Address::I2c(_) | Address::IsaDma(_) => None,
    }
}

fn target((address, _, slot): Child<'_>) -> Option<(u8, Arc<Slot>)> {
    match address {
        Address::I2c(address) => Some((address, slot)),
        Address::Pci(_) | Address::IsaDma(_) => None,
    }
}

fn channel((address, _, slot): Child<'_>) -> Option<(u8, Arc<Slot>)> {
    match address {
        Address::IsaDma(channel) => Some((channel, slot)),
        Address::Pci(_) | Address::I2c(_) => None,
    }
}

/// The configuration space of a device, if it has one.
pub(super) fn configuration_space(device: &Planned, slot: Arc<Slot>) -> Option<ConfigurationSpace> {
    let regions = (0..).zip(&device.image.description().regions);
    let (region, declared) =
        regions.into_iter().find(|(_, region)| region.space == Space::Configuration)?;
    Some(ConfigurationSpace { slot, region, rules: declared.rules() })
}

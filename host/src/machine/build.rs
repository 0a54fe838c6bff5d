//! Plugs a planned machine together.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::driven::Driven;
use super::file::Address;
use super::observe::Listeners;
use super::plan::{Planned, plug_error};
use super::power::Wakeups;
use super::timers::Timers;
use super::wiring::Wires;
use super::{Board, Error, Machine, Plan, PowerListener, Stream, Unconnected};
use crate::bus::{AddressSpace, BusTable, ChildBuses, ConfigurationSpace, SpaceKind};
use crate::clock::Clock;
use crate::component::{BusKind, Effects, Limits, SlotId, Space};
use crate::slot::{Setting, Slot};

impl Machine {
    /// Builds a machine that no guest runs on, for what its devices are and save:
    /// its clock moves only when told, and nothing leads out of it.
    ///
    /// # Errors
    /// As [`Machine::build`].
    pub fn build_alone(plan: &Plan) -> Result<Arc<Self>, Error> {
        let (clock, board) = (Arc::new(Clock::manual()), Arc::new(Unconnected));
        Self::build(plan, clock, board, &BTreeMap::new(), Arc::new(|_| {}))
    }

    /// Builds a machine: plugs all devices in, connects buses, wires and
    /// streams, and resets it. `streams` are the host's streams by name; what is
    /// connected to a name that is not there goes nowhere. `power` is told what
    /// the devices ask of the machine's power.
    ///
    /// # Errors
    /// A device cannot be plugged in, or two devices answer at one address.
    pub fn build(
        plan: &Plan,
        clock: Arc<Clock>,
        board: Arc<dyn Board>,
        streams: &BTreeMap<String, Arc<Stream>>,
        power: PowerListener,
    ) -> Result<Arc<Self>, Error> {
        let buses: Vec<_> = plan.devices.iter().map(|_| Arc::new(ChildBuses::new())).collect();
        let mut effects = Effects::new();
        let mut slots = Vec::new();
        for (id, (device, children)) in (0..).zip(plan.devices.iter().zip(&buses)) {
            let setting = Setting {
                id: SlotId(id),
                name: device.entry.id.as_str().into(),
                grants: device.grants.clone(),
                properties: device.properties.clone(),
                children: children.clone(),
                limits: Limits::default(),
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
        let connect = |device: &Planned, stream: &String| {
            let host = device.entry.streams.get(stream).and_then(|name| streams.get(&name.value));
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
            planned: plan.devices.clone(),
            optional: plan.optional.iter().map(Into::into).collect(),
            exchange: Mutex::default(),
            origin: Mutex::default(),
            ports: AddressSpace::new(SpaceKind::Port),
            memory: AddressSpace::new(SpaceKind::Memory),
            wires: Wires::new(&plan.devices),
            driven: descriptions().map(Driven::new).collect(),
            windows,
            claims: Mutex::default(),
            streams: connected.collect(),
            timers: Arc::new(Timers::new(descriptions().map(|device| device.timers.len()))),
            clock,
            board,
            power,
            wakeups: Wakeups::default(),
            listeners: Listeners::default(),
            slots,
        });
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
        }
    };
    buses.iter().map(table).collect()
}

type Child<'a> = (Address, &'a Planned, Arc<Slot>);

fn function((address, device, slot): Child<'_>) -> Option<(u8, ConfigurationSpace)> {
    match address {
        Address::Pci(address) => Some((address.devfn(), configuration_space(device, slot)?)),
        Address::I2c(_) => None,
    }
}

fn target((address, _, slot): Child<'_>) -> Option<(u8, Arc<Slot>)> {
    match address {
        Address::I2c(address) => Some((address, slot)),
        Address::Pci(_) => None,
    }
}

/// The configuration space of a device, if it has one.
pub(super) fn configuration_space(device: &Planned, slot: Arc<Slot>) -> Option<ConfigurationSpace> {
    let regions = (0..).zip(&device.image.description().regions);
    let (region, declared) =
        regions.into_iter().find(|(_, region)| region.space == Space::Configuration)?;
    Some(ConfigurationSpace { slot, region, rules: declared.rules() })
}

//! The tree of a machine's objects.

use serde_json::{Value, json};

use super::super::machines::CPU_TYPE;
use super::super::view::{Bus, Device, PERIPHERAL, PERIPHERAL_ANON, UNATTACHED, View};
use super::object::Object;
use crate::bus::Mapping;
use crate::component::{PropertyValue, Region, Space};
use crate::machine::Machine;
use crate::machine::file::Address;

/// The root. `threads` are the ids of the processors' threads, if they have any.
pub(super) fn root(machine: &Machine, threads: &[u32]) -> Object {
    let view = View::of(machine);
    let mappings = [machine.ports(), machine.memory()].map(|space| space.mappings()).concat();
    let mut tree = Tree { view: &view, mappings, root: machine_object(machine) };
    for (cpu, path) in view.cpus.iter().enumerate() {
        tree.put(UNATTACHED, processor(path, cpu, threads.get(cpu).copied()));
    }
    for device in &view.devices {
        let object = tree.device(device);
        let (container, _) = device.path.rsplit_once('/').unwrap_or_default();
        tree.put(container, object);
    }
    for (number, bus) in view.buses.iter().enumerate() {
        let object = tree.bus(number, bus);
        let (container, _) = bus.path.rsplit_once('/').unwrap_or_default();
        tree.put(container, object);
    }
    tree.root
}

struct Tree<'a> {
    view: &'a View<'a>,
    mappings: Vec<Mapping>,
    root: Object,
}

impl Tree<'_> {
    /// Makes an object a part of the one at a path.
    fn put(&mut self, path: &str, object: Object) {
        let components = path.split('/').filter(|part| !part.is_empty());
        let container =
            components.into_iter().try_fold(&mut self.root, |at, name| at.part_mut(name));
        if let Some(container) = container {
            container.parts.push(object);
        }
    }

    fn device(&self, device: &Device<'_>) -> Object {
        let bus = self.view.buses.get(device.bus);
        let bus = bus.map_or_else(String::new, |bus| bus.path.clone());
        let mut object = part(&device.path, &device.driver)
            .with_link("parent_bus", "bus", &bus)
            .with("realized", "bool", true)
            .with("hotplugged", "bool", false)
            .with("hotpluggable", "bool", false);
        if let Some(Address::Pci(address)) = device.address {
            object = object.with("addr", "int32", address.devfn());
        }
        if !device.is_whole() {
            return object;
        }
        for property in device.of.properties() {
            let (kind, value) = match property.value {
                PropertyValue::Flag(flag) => ("bool", Value::from(flag)),
                PropertyValue::Number(number) => ("uint64", number.into()),
                PropertyValue::Text(text) => ("str", text.into()),
            };
            object = object.with(&property.name, kind, value);
        }
        let image = device.of.image();
        let regions = (0..).zip(&image.description().regions);
        let regions = regions.filter(|(_, region)| region.space != Space::Configuration);
        object.with_parts(regions.map(|(region, declared)| self.region(device, region, declared)))
    }

    fn region(&self, device: &Device<'_>, number: u32, declared: &Region) -> Object {
        let is = |mapping: &&Mapping| {
            mapping.slot.id().0 as usize == device.part && mapping.region == number
        };
        let mapped = self.mappings.iter().find(is);
        Object::new(&format!("{}[0]", declared.name), "memory-region")
            .with("addr", "uint64", mapped.map_or(0, |mapping| mapping.base))
            .with("size", "uint64", declared.size)
            .with("priority", "uint32", mapped.map_or(0, |mapping| mapping.priority))
    }

    fn bus(&self, number: usize, bus: &Bus) -> Object {
        let object = part(&bus.path, &bus.kind).with("realized", "bool", true);
        self.view.on(number).enumerate().fold(object, |object, (index, device)| {
            object.with_link(&format!("child[{index}]"), &device.driver, &device.path)
        })
    }
}

/// An object with the name that its path ends with.
fn part(path: &str, kind: &str) -> Object {
    Object::new(path.rsplit_once('/').map_or(path, |(_, name)| name), kind)
}

fn processor(path: &str, number: usize, thread: Option<u32>) -> Object {
    let object = part(path, CPU_TYPE)
        .with("realized", "bool", true)
        .with("hotplugged", "bool", false)
        .with("hotpluggable", "bool", false)
        .with("apic-id", "uint32", number);
    match thread {
        Some(thread) => object.with("thread-id", "int32", thread),
        None => object,
    }
}

/// The root with the machine in it, and the machine's containers.
fn machine_object(machine: &Machine) -> Object {
    let cpus = machine.parameters().cpus;
    let layout = machine.memory_layout();
    let container = |path: &str| part(path, "container");
    let mut object = Object::new("machine", &format!("{}-machine", machine.name()))
        .with("memory", "MemorySizeConfiguration", json!({ "size": machine.parameters().ram_size }))
        .with(
            "smp",
            "SMPConfiguration",
            // Each processor is a socket of its own.
            json!({
                "cpus": cpus, "maxcpus": cpus, "sockets": cpus,
                "dies": 1, "clusters": 1, "cores": 1, "threads": 1,
            }),
        )
        .with("suppress-vmdesc", "bool", machine.migration().suppress_vmdesc)
        .with("max-ram-below-4g", "size", layout.max_ram_below_4g);
    for (name, value) in machine.options() {
        object = match value {
            PropertyValue::Flag(flag) => {
                object.with(name, "OnOffAuto", if flag { "on" } else { "off" })
            }
            PropertyValue::Number(number) => object.with(name, "uint64", number),
            PropertyValue::Text(text) => object.with(name, "string", text),
        };
    }
    let containers = [PERIPHERAL, PERIPHERAL_ANON, UNATTACHED].map(container);
    Object::new("", "container").with_parts([object.with_parts(containers)])
}

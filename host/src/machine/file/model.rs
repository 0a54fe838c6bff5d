//! A machine type: what a machine file says once inheritance is resolved.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    Address, Choice, Described, Error, Grant, Limit, Origin, Parameter, Parameters, PciAddress,
    Place, PortWrite, PropertyPath, Setting, Sourced, Target, Value, When, allocate, names,
};
use crate::component::Sha256;

/// Overrides of the components' defaults: component, then property.
pub type Compat = BTreeMap<String, BTreeMap<String, Sourced<Setting>>>;

/// A machine that can be built.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineType {
    /// Its name, which is also the one in a saved stream.
    pub name: String,
    /// Other names for it.
    pub aliases: Vec<String>,
    /// One line for people.
    pub description: String,
    /// Where guest RAM lies.
    pub memory: MemoryLayout,
    /// What its saved stream contains besides devices.
    pub migration: Migration,
    /// The devices, in the order in which they are created and saved.
    pub devices: Vec<DeviceEntry>,
    /// Devices that exist on request; their ids are the names to ask for.
    pub optional: Vec<DeviceEntry>,
    /// What the devices must do as they did in that version of the machine.
    pub compat: Compat,
    /// What properties of the machine on QEMU's command line set: `smm`,
    /// `boot.order`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Sourced<PropertyPath>>,
    /// What firmware calls the host's drives, by their names, in the order of booting.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub boot_paths: BTreeMap<String, Sourced<String>>,
    /// QEMU's names of devices that may be asked for and are not there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
    /// What the host writes to ports where a kernel starts without firmware.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub without_firmware: Vec<PortWrite>,
    /// Where the machine is declared.
    #[serde(skip)]
    pub origin: Origin,
}

impl MachineType {
    /// Leaves out the devices that are no part of a machine with these parameters,
    /// with the wires to them and what is said of their components.
    pub fn settle(&mut self, parameters: &Parameters) {
        let is_there = |device: &DeviceEntry| device.when.is_none_or(|w| w.holds(parameters));
        let (there, absent): (Vec<_>, Vec<_>) = self.devices.drain(..).partition(is_there);
        self.devices = there;
        for device in self.devices.iter_mut().chain(&mut self.optional) {
            let is_absent = |wire: &Target| absent.iter().any(|other| wire.is_line_of(&other.id));
            device.wires.retain(|_, wire| !is_absent(&wire.value));
        }
        for DeviceEntry { component, .. } in absent {
            let mut left = self.devices.iter().chain(&self.optional);
            if !left.any(|device| device.component.value == component.value) {
                self.compat.remove(&component.value);
            }
        }
    }

    /// The devices as [`Parameter::Devices`] has them.
    pub(super) fn list(&self, parameters: &Parameters) -> String {
        let mut text = String::new();
        for device in &self.devices {
            text.push_str(&device.component.value);
            let address = device.at.as_ref().and_then(|place| place.value.address);
            if let Some(address) = address {
                text.push_str(&format!(" at {address}"));
            }
            for (name, setting) in self.settings(device) {
                if setting.value == Setting::Machine(Parameter::Devices) {
                    continue;
                }
                match setting.value.resolve(parameters, self) {
                    Value::Text(value) if value.contains(char::is_whitespace) => {}
                    Value::Text(value) => text.push_str(&format!(" {name}={value}")),
                    Value::Number(value) => text.push_str(&format!(" {name}={value}")),
                    Value::Flag(value) => text.push_str(&format!(" {name}={value}")),
                }
            }
            text.push('\n');
        }
        text
    }

    /// The device with that id.
    pub fn device(&self, id: &str) -> Option<&DeviceEntry> {
        self.devices.iter().find(|device| device.id == id)
    }

    /// The device with that id.
    pub fn device_mut(&mut self, id: &str) -> Option<&mut DeviceEntry> {
        self.devices.iter_mut().find(|device| device.id == id)
    }

    /// Adds the optional device `template` under the id `id`, and returns it for
    /// more properties to be set. Of its choices it takes the one of that number,
    /// or the first that is free.
    ///
    /// # Errors
    ///
    /// There is no such optional device or choice, no choice is free, or the id
    /// is taken or malformed.
    pub fn plug(
        &mut self,
        template: &str,
        id: &str,
        choice: Option<usize>,
    ) -> Result<&mut DeviceEntry, Error> {
        let template = self.template(template)?;
        let device = DeviceEntry { id: id.into(), ..self.chosen(template, choice)? };
        self.add(device)
    }

    /// The optional device of that name.
    pub(in crate::machine) fn template(&self, name: &str) -> Result<&DeviceEntry, Error> {
        self.optional.iter().find(|entry| entry.id == name).ok_or_else(|| {
            let known = self.optional.iter().map(|entry| entry.id.as_str());
            Error::new(format!("machine {:?} has no optional device {name:?}", self.name))
                .hint(names::hint(name, known))
        })
    }

    /// Adds a device, and returns it for more to be set.
    ///
    /// # Errors
    ///
    /// The id is taken or malformed.
    pub fn add(&mut self, device: DeviceEntry) -> Result<&mut DeviceEntry, Error> {
        let id = device.id.as_str();
        if !names::is_id(id) || Target::RESERVED.contains(&id) {
            return Err(device.origin.error(format!("{id:?} is not an id for a device")));
        }
        if let Some(other) = self.device(id) {
            return Err(device.origin.error(format!(
                "the id {id:?} is taken by the device of {}",
                other.origin.place()
            )));
        }
        self.devices.push(device);
        let last = self.devices.len() - 1;
        Ok(&mut self.devices[last])
    }

    /// Gives each device on a PCI bus that asks for no particular address the
    /// next free one: first come the fixed addresses, then the others in
    /// order, see [`allocate`].
    ///
    /// # Errors
    ///
    /// A bus is full.
    pub fn assign_addresses(&mut self) -> Result<(), Error> {
        let mut taken: BTreeMap<(String, String), BTreeSet<PciAddress>> = BTreeMap::new();
        for place in self.devices.iter().filter_map(|device| device.at.as_ref()) {
            if let Some(Address::Pci(address)) = place.value.address {
                let bus = (place.value.device.clone(), place.value.bus.clone());
                taken.entry(bus).or_default().insert(address);
            }
        }
        for place in self.devices.iter_mut().filter_map(|device| device.at.as_mut()) {
            if place.value.address.is_some() {
                continue;
            }
            let bus = (place.value.device.clone(), place.value.bus.clone());
            let taken = taken.entry(bus).or_default();
            let address = allocate(taken)
                .ok_or_else(|| place.origin.error(format!("no slot of {} is free", place.value)))?;
            taken.insert(address);
            place.value.address = Some(Address::Pci(address));
        }
        Ok(())
    }

    /// Leaves out the devices that are there by default, as QEMU's `-nodefaults`
    /// does.
    pub fn leave_out_defaults(&mut self) {
        self.leave_out(|device| device.default);
    }

    /// Leaves out devices.
    pub fn leave_out(&mut self, is_out: impl Fn(&DeviceEntry) -> bool) {
        self.devices.retain(|device| !is_out(device));
    }

    /// What the machine sets of the device's properties: those of the device,
    /// and where it says nothing those for it and for its component in `compat`.
    pub fn settings<'a>(
        &'a self,
        device: &'a DeviceEntry,
    ) -> BTreeMap<&'a str, &'a Sourced<Setting>> {
        let compat = self.compat.get(&device.component.value);
        let compat = compat.into_iter().flatten().chain(&device.compat);
        let settings = compat.chain(&device.properties);
        settings.map(|(name, setting)| (name.as_str(), setting)).collect()
    }

    /// Whether any device is given the property with that value.
    pub(super) fn gives(&self, property: &str, value: &Value) -> bool {
        self.devices.iter().any(|device| {
            let setting = self.settings(device).get(property).map(|setting| &setting.value);
            matches!(setting, Some(Setting::Fixed(given)) if given == value)
        })
    }

    /// The values to configure the device with: every property the component
    /// declares, in the order of the declaration.
    pub fn values(
        &self,
        device: &DeviceEntry,
        component: &Described,
        parameters: &Parameters,
    ) -> Vec<(String, Value)> {
        let settings = self.settings(device);
        let value = |(name, default): &(String, Value)| {
            let setting = settings.get(name.as_str());
            let value = setting
                .map_or_else(|| default.clone(), |setting| setting.value.resolve(parameters, self));
            (name.clone(), value)
        };
        component.properties.iter().map(value).collect()
    }
}

/// A device of a machine.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeviceEntry {
    /// Its name in the machine.
    pub id: String,
    /// The name of the component it is.
    pub component: Sourced<String>,
    /// What the SHA-256 of the component's bytes must be, in hexadecimal, if it is pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<Sourced<Sha256>>,
    /// Where it sits; none if it is on no bus.
    pub at: Option<Sourced<Place>>,
    /// Properties set here. They prevail over the machine's `compat`.
    pub properties: BTreeMap<String, Sourced<Setting>>,
    /// The interfaces it may use.
    pub grants: BTreeSet<Grant>,
    /// How much it may use, where that is not what any device may.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<Limit, u32>,
    /// Output line to what it drives.
    pub wires: BTreeMap<String, Sourced<Target>>,
    /// Character stream to the name of the host's stream it is connected to.
    pub streams: BTreeMap<String, Sourced<String>>,
    /// Drive to the name of the host's drive that it is.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub drives: BTreeMap<String, Sourced<String>>,
    /// Block of memory to the name of the file that it holds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub roms: BTreeMap<String, Sourced<String>>,
    /// A directory of the host whose files it hands to the guest, in place of the
    /// machine's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Sourced<String>>,
    /// Input line to the interrupts it follows, besides what is wired to it.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub listens: BTreeMap<String, Vec<Sourced<Target>>>,
    /// When it is there; always if nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<When>,
    /// What it may be besides, one of these: only optional devices have any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Overrides of the component's defaults for this device: over those of the
    /// machine, below properties.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub compat: BTreeMap<String, Sourced<Setting>>,
    /// What QEMU makes of it on a command line.
    #[serde(skip_serializing_if = "QemuDevice::is_empty")]
    pub qemu: QemuDevice,
    /// Whether it is there unless default devices are left out.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// Where it is declared.
    #[serde(skip)]
    pub origin: Origin,
}

impl DeviceEntry {
    /// A device of which nothing is said but which component it is.
    #[must_use]
    pub fn new(id: &str, component: &str, origin: Origin) -> Self {
        Self {
            id: id.into(),
            component: Sourced { value: component.into(), origin: origin.clone() },
            sha256: None,
            at: None,
            properties: BTreeMap::new(),
            grants: BTreeSet::new(),
            limits: BTreeMap::new(),
            wires: BTreeMap::new(),
            streams: BTreeMap::new(),
            drives: BTreeMap::new(),
            roms: BTreeMap::new(),
            directory: None,
            listens: BTreeMap::new(),
            when: None,
            choices: Vec::new(),
            compat: BTreeMap::new(),
            qemu: QemuDevice::default(),
            default: false,
            origin,
        }
    }

    /// Where it is in QEMU, which has no bus of DMA channels; none if it is on no bus
    /// there.
    #[must_use]
    pub fn place_in_qemu(&self) -> Option<&Place> {
        let at = self.at.as_ref().map(|at| &at.value);
        let at = at.filter(|at| !matches!(at.address, Some(Address::IsaDma(_))));
        at.or_else(|| self.qemu.bus.as_ref().map(|bus| &bus.value))
    }
}

/// A device as QEMU's command line and monitors know it.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct QemuDevice {
    /// QEMU's driver and those it is derived from; none if QEMU has no name.
    pub drivers: Vec<String>,
    /// What `-device` sets where it says nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Sourced<Setting>>,
    /// The drivers of more devices that it is in QEMU, without properties here.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Whether QEMU makes it with the first processor, before the others.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub with_cpu: bool,
    /// Whether a system reset reaches it before those that wait for their buses.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub reset_first: bool,
    /// QEMU's name of it as a part of the machine, `i440fx` of `/machine/i440fx`;
    /// none if it is one among many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The driver of the PCI function that a device on no bus is on the bus it
    /// carries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The bus it is on in QEMU if none is needed here: `device/bus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bus: Option<Sourced<Place>>,
    /// QEMU's names of the buses it carries, where QEMU has others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub buses: BTreeMap<String, Sourced<String>>,
    /// What QEMU's names of its blocks of memory begin with, `vga` of `vga.vram`;
    /// none if they are the component's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<String>,
    /// Whether QEMU's machine has one that nobody asked for. A machine without it keeps
    /// its state, where it would refuse that of another device.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
}

impl QemuDevice {
    fn is_empty(&self) -> bool {
        let Self {
            drivers,
            properties,
            also,
            with_cpu,
            reset_first,
            name,
            function,
            bus,
            buses,
            memory,
            default,
        } = self;
        drivers.is_empty()
            && (properties.is_empty() && also.is_empty() && !with_cpu && !reset_first)
            && (name.is_none() && function.is_none() && bus.is_none())
            && (buses.is_empty() && memory.is_none() && !default)
    }

    /// QEMU's name of a bus that it carries.
    pub fn bus_name<'a>(&'a self, bus: &'a str) -> &'a str {
        self.buses.get(bus).map_or(bus, |name| &name.value)
    }

    /// QEMU's name of a block of its memory.
    pub fn memory_name(&self, block: &str) -> String {
        let prefix = self.memory.as_ref();
        prefix.map_or_else(|| block.to_owned(), |prefix| format!("{prefix}.{block}"))
    }

    /// Whether the device is of that driver, or of one derived from it.
    pub fn is(&self, driver: &str) -> bool {
        self.drivers.iter().any(|other| other == driver)
    }
}

/// Where guest RAM lies: from 0 up to a limit, the rest from 4 GiB on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MemoryLayout {
    /// RAM, in bytes, from which on it is in two parts. QEMU's name.
    pub max_ram_below_4g: u64,
    /// Bytes of the lower part if there are two.
    pub split_at: u64,
}

impl MemoryLayout {
    /// The bytes of RAM below 4 GiB, and from 4 GiB on, of a guest with `ram`
    /// bytes.
    pub fn split(&self, ram: u64) -> (u64, u64) {
        // QEMU too splits when RAM has exactly the limit's size.
        if ram < self.max_ram_below_4g {
            (ram, 0)
        } else {
            (self.split_at, ram.saturating_sub(self.split_at))
        }
    }
}

/// What QEMU's saved stream of the machine has besides the devices' sections.
/// The names are QEMU's; the defaults those of its newest machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Migration {
    /// The configuration section, which names the machine.
    pub send_configuration: bool,
    /// A footer after each section.
    pub send_section_footer: bool,
    /// The section with the run state.
    pub store_global_state: bool,
    /// No description of the stream at its end.
    pub suppress_vmdesc: bool,
    /// A command before the end of RAM that announces the switch-over.
    pub send_switchover_start: bool,
    /// Video memory is the block `vga.vram`, without the path of its device.
    pub vga_global_vmstate: bool,
    /// The rate of a processor's time stamp counter, with its state.
    pub save_tsc_khz: bool,
    /// Whether KVM's clock for guests is right at any time, with that clock.
    pub reliable_get_clock: bool,
}

impl Migration {
    /// The flag of that name, as machine files and QEMU write it.
    pub fn flag_mut(&mut self, name: &str) -> Option<&mut bool> {
        match name {
            "send-configuration" => Some(&mut self.send_configuration),
            "send-section-footer" => Some(&mut self.send_section_footer),
            "store-global-state" => Some(&mut self.store_global_state),
            "suppress-vmdesc" => Some(&mut self.suppress_vmdesc),
            "send-switchover-start" => Some(&mut self.send_switchover_start),
            "vga-global-vmstate" => Some(&mut self.vga_global_vmstate),
            "save-tsc-khz" => Some(&mut self.save_tsc_khz),
            "reliable-get-clock" => Some(&mut self.reliable_get_clock),
            _ => None,
        }
    }
}

impl Default for Migration {
    fn default() -> Self {
        Self {
            send_configuration: true,
            send_section_footer: true,
            store_global_state: true,
            suppress_vmdesc: false,
            send_switchover_start: true,
            vga_global_vmstate: false,
            save_tsc_khz: true,
            reliable_get_clock: true,
        }
    }
}

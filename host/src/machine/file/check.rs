//! Whether a machine fits the components there are.

use super::{
    Address, Attachment, BusKind, Catalog, Described, DeviceEntry, Direction, Error, Grant, Kind,
    MachineType, Place, PropertyPath, Setting, Sourced, Target, cycle, names, structure,
};

impl MachineType {
    /// Checks the machine, its optional devices included, against the
    /// components there are.
    ///
    /// # Errors
    ///
    /// The first fault found.
    pub fn check(&self, catalog: &dyn Catalog) -> Result<(), Error> {
        structure::check(self)?;
        let checker = Checker { machine: self, catalog };
        for device in self.devices.iter().chain(&self.optional) {
            for variant in device.variants() {
                checker.device(&variant)?;
            }
        }
        checker.compat()?;
        checker.options()?;
        cycle::check(self, catalog)
    }
}

struct Checker<'a> {
    machine: &'a MachineType,
    catalog: &'a dyn Catalog,
}

impl<'a> Checker<'a> {
    fn device(&self, device: &DeviceEntry) -> Result<(), Error> {
        let described = self.described(device)?;
        self.place(device, described)?;
        let qemu = &device.qemu.properties;
        for (name, setting) in device.compat.iter().chain(&device.properties).chain(qemu) {
            self.property(&device.component.value, described, name, setting)?;
        }
        for (line, wire) in &device.wires {
            self.wire(&device.component.value, described, line, wire)?;
        }
        for (line, interrupt) in &device.listens {
            let Some(interrupt) = interrupt.first() else { continue };
            if described.line(line) != Some(Direction::Input) {
                let component = &device.component.value;
                return Err(interrupt
                    .origin
                    .error(format!("component {component:?} has no input line {line:?}"))
                    .hint(names::hint(line, lines(described, Direction::Input))));
            }
        }
        for (bus, name) in &device.qemu.buses {
            if described.bus(bus).is_none() {
                return Err(name
                    .origin
                    .error(format!("component {:?} has no bus {bus:?}", device.component.value))
                    .hint(names::hint(bus, keys(&described.buses))));
            }
        }
        for (name, stream) in &device.streams {
            if !described.streams.contains(name) {
                return Err(stream
                    .origin
                    .error(format!("component {:?} has no stream {name:?}", device.component.value))
                    .hint(names::hint(name, described.streams.iter().map(String::as_str))));
            }
        }
        if let Some(directory) = &device.directory
            && !device.grants.contains(&Grant::Files)
        {
            let what = "the device is not granted \"files\", which it needs for a directory";
            return Err(directory.origin.error(what.to_owned()));
        }
        let owns =
            [("drive", &device.drives, &described.drives), ("ROM", &device.roms, &described.roms)];
        for (what, given, own) in owns {
            for (name, target) in given {
                if !own.contains(name) {
                    let component = &device.component.value;
                    return Err(target
                        .origin
                        .error(format!("component {component:?} has no {what} {name:?}"))
                        .hint(names::hint(name, own.iter().map(String::as_str))));
                }
            }
        }
        Ok(())
    }

    fn described(&self, device: &DeviceEntry) -> Result<&'a Described, Error> {
        let name = &device.component.value;
        self.catalog.component(name).ok_or_else(|| {
            device
                .component
                .origin
                .error(format!("unknown component {name:?}"))
                .hint(names::hint(name, self.catalog.names()))
        })
    }

    /// What the device must be plugged into has to be what is there.
    fn place(&self, device: &DeviceEntry, described: &Described) -> Result<(), Error> {
        let component = &device.component.value;
        let Some(Sourced { value: place, origin }) = &device.at else {
            return match described.attachment {
                Attachment::System => Ok(()),
                Attachment::Pci => Err(device.origin.error(format!(
                    "component {component:?} needs a place on a PCI bus: at = \"device/bus\""
                ))),
                Attachment::I2c => Err(device.origin.error(format!(
                    "component {component:?} needs a place on an I2C bus: at = \"device/bus@0x50\""
                ))),
                Attachment::IsaDma => Err(device.origin.error(format!(
                    "component {component:?} needs a DMA channel: at = \"device/bus@drq2\""
                ))),
            };
        };
        let kind = self.bus(place, origin)?;
        let bus = format!("{}/{}", place.device, place.bus);
        let wanted = match described.attachment {
            Attachment::System => {
                return Err(origin
                    .error(format!("component {component:?} sits on no bus"))
                    .hint("leave out \"at\"".to_owned()));
            }
            Attachment::Pci => BusKind::Pci,
            Attachment::I2c => BusKind::I2c,
            Attachment::IsaDma => BusKind::IsaDma,
        };
        if wanted != kind {
            let (wanted, kind) = (wanted.phrase(), kind.phrase());
            let message = format!("component {component:?} needs {wanted}, {bus} is {kind}");
            return Err(origin.error(message));
        }
        match (kind, place.address) {
            (BusKind::Pci, None | Some(Address::Pci(_)))
            | (BusKind::I2c, Some(Address::I2c(_)))
            | (BusKind::IsaDma, Some(Address::IsaDma(_))) => Ok(()),
            (BusKind::Pci, Some(address)) => Err(origin.error(format!(
                "{address} is no address on the PCI bus {bus}: expected slot.function, as 1f.7"
            ))),
            (BusKind::I2c, _) => Err(origin.error(format!(
                "{place} is no address on an I2C bus: expected {bus}@0x08 to {bus}@0x77"
            ))),
            (BusKind::IsaDma, _) => Err(origin.error(format!(
                "{place} is no DMA channel of an ISA bus: expected {bus}@drq0 to {bus}@drq7"
            ))),
        }
    }

    fn bus(&self, place: &Place, origin: &super::Origin) -> Result<BusKind, Error> {
        let Some(owner) = self.machine.device(&place.device) else {
            return Err(origin.error(format!("no device {:?}", place.device)));
        };
        let described = self.described(owner)?;
        described.bus(&place.bus).ok_or_else(|| {
            origin
                .error(format!(
                    "unknown place \"{place}\": {:?} has no bus {:?}",
                    place.device, place.bus
                ))
                .hint(names::hint(&place.bus, keys(&described.buses)))
        })
    }

    fn wire(
        &self,
        component: &str,
        described: &Described,
        line: &str,
        wire: &Sourced<Target>,
    ) -> Result<(), Error> {
        match described.line(line) {
            Some(Direction::Output) => {}
            Some(Direction::Input) => {
                return Err(wire.origin.error(format!(
                    "line {line:?} of component {component:?} is an input: wires start at outputs"
                )));
            }
            None => {
                let outputs = lines(described, Direction::Output);
                return Err(wire
                    .origin
                    .error(format!("component {component:?} has no line {line:?}"))
                    .hint(names::hint(line, outputs)));
            }
        }
        let Target::Line { device, line } = &wire.value else {
            return Ok(());
        };
        let Some(other) = self.machine.device(device) else {
            return Ok(());
        };
        let described = self.described(other)?;
        match described.line(line) {
            Some(Direction::Input) => Ok(()),
            Some(Direction::Output) => Err(wire
                .origin
                .error(format!("line \"{}\" is an output: wires end at inputs", wire.value))),
            None => Err(wire
                .origin
                .error(format!("unknown line \"{}\": {device:?} has no line {line:?}", wire.value))
                .hint(names::hint(line, lines(described, Direction::Input)))),
        }
    }

    fn options(&self) -> Result<(), Error> {
        for Sourced { value: PropertyPath { device, property }, origin } in
            self.machine.options.values()
        {
            let Some(entry) = self.machine.device(device) else { continue };
            let described = self.described(entry)?;
            if described.property(property).is_none() {
                let component = &entry.component.value;
                return Err(origin
                    .error(format!("component {component:?} has no property {property:?}"))
                    .hint(names::hint(property, keys(&described.properties))));
            }
        }
        Ok(())
    }

    fn compat(&self) -> Result<(), Error> {
        for (component, properties) in &self.machine.compat {
            for (name, setting) in properties {
                let Some(described) = self.catalog.component(component) else {
                    return Err(setting
                        .origin
                        .error(format!("unknown component {component:?}"))
                        .hint(names::hint(component, self.catalog.names())));
                };
                self.property(component, described, name, setting)?;
            }
        }
        Ok(())
    }

    fn property(
        &self,
        component: &str,
        described: &Described,
        name: &str,
        setting: &Sourced<Setting>,
    ) -> Result<(), Error> {
        match described.property(name) {
            None => Err(setting
                .origin
                .error(format!("component {component:?} has no property {name:?}"))
                .hint(names::hint(name, keys(&described.properties)))),
            Some(kind) if kind != setting.value.kind() => {
                Err(mismatch(component, name, kind, setting))
            }
            Some(_) => self.any(setting),
        }
    }

    /// A property that any device may be given must be one of a device.
    fn any(&self, setting: &Sourced<Setting>) -> Result<(), Error> {
        let Setting::Any(name, value) = &setting.value else { return Ok(()) };
        let entries = self.machine.devices.iter().chain(&self.machine.optional);
        let components = entries.filter_map(|entry| self.catalog.component(&entry.component.value));
        let properties = components.flat_map(|described| &described.properties);
        let mut known: Vec<_> = properties
            .filter(|(_, default)| default.kind() == value.kind())
            .map(|(known, _)| known.as_str())
            .collect();
        if known.contains(&name.as_str()) {
            return Ok(());
        }
        known.sort_unstable();
        known.dedup();
        Err(setting
            .origin
            .error(format!("no device has a property {name:?} that takes {}", value.kind()))
            .hint(names::hint(name, known)))
    }
}

fn mismatch(component: &str, name: &str, kind: Kind, setting: &Sourced<Setting>) -> Error {
    setting.origin.error(format!(
        "property {name:?} of component {component:?} takes {kind}, not {}",
        setting.value
    ))
}

fn lines(described: &Described, direction: Direction) -> impl Iterator<Item = &str> {
    let lines = described.lines.iter();
    lines.filter(move |(_, other)| *other == direction).map(|(name, _)| name.as_str())
}

fn keys<T>(list: &[(String, T)]) -> impl Iterator<Item = &str> {
    list.iter().map(|(name, _)| name.as_str())
}

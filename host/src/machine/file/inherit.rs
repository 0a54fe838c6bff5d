//! Declarations to machine types: what a machine says, over what it inherits.

use std::collections::{BTreeMap, BTreeSet};

use super::parse::{Declaration, DeviceDeclaration, MemoryDeclaration, MigrationDeclaration};
use super::{
    Compat, DeviceEntry, Error, MachineType, MemoryLayout, Migration, QemuDevice, Sourced, names,
};

/// All declarations, by the machine's name.
pub(super) type Declarations = BTreeMap<String, Declaration>;

/// The declaration laid over all it inherits.
pub(super) fn resolve(declaration: &Declaration, all: &Declarations) -> Result<Declaration, Error> {
    let mut ancestors = ancestry(declaration, all)?.into_iter().rev();
    let mut whole = ancestors.next().map_or_else(|| declaration.clone(), Clone::clone);
    refuse_removals(&whole)?;
    for child in ancestors {
        apply(&mut whole, child)?;
    }
    Ok(whole)
}

/// The declaration, the one it inherits from, and so on.
fn ancestry<'a>(
    declaration: &'a Declaration,
    all: &'a Declarations,
) -> Result<Vec<&'a Declaration>, Error> {
    let mut chain = vec![declaration];
    let mut last = declaration;
    while let Some(inherits) = &last.inherits {
        let Some(parent) = all.get(&inherits.value) else {
            return Err(inherits
                .origin
                .error(format!("unknown machine {:?}", inherits.value))
                .hint(names::hint(&inherits.value, all.keys().map(String::as_str))));
        };
        if let Some(start) = chain.iter().position(|other| other.name == parent.name) {
            let mut names: Vec<&str> = chain[start..].iter().map(|m| m.name.as_str()).collect();
            names.push(&parent.name);
            return Err(inherits
                .origin
                .error(format!("the machine inherits from itself: {}", names.join(" -> "))));
        }
        chain.push(parent);
        last = parent;
    }
    Ok(chain)
}

fn refuse_removals(root: &Declaration) -> Result<(), Error> {
    match root.remove.first() {
        None => Ok(()),
        Some(id) => Err(id
            .origin
            .error(format!("nothing to remove: the machine inherits no device {:?}", id.value))),
    }
}

/// Lays `child` over what it inherits.
fn apply(whole: &mut Declaration, child: &Declaration) -> Result<(), Error> {
    for id in &child.remove {
        let inherited = whole.devices.len() + whole.optional.len();
        let components = |whole: &Declaration| -> BTreeSet<String> {
            let devices = whole.devices.iter().chain(&whole.optional);
            devices.filter_map(|device| Some(device.component.as_ref()?.value.clone())).collect()
        };
        let before = components(whole);
        whole.devices.retain(|device| device.id != id.value);
        whole.optional.retain(|device| device.id != id.value);
        for device in whole.devices.iter_mut().chain(&mut whole.optional) {
            device.wires.retain(|_, wire| !wire.value.is_line_of(&id.value));
        }
        whole.options.retain(|_, path| path.value.device != id.value);
        for gone in before.difference(&components(whole)) {
            whole.compat.remove(gone);
        }
        if whole.devices.len() + whole.optional.len() == inherited {
            let known = whole.devices.iter().chain(&whole.optional);
            return Err(id
                .origin
                .error(format!("nothing to remove: the machine inherits no device {:?}", id.value))
                .hint(names::hint(&id.value, known.map(|device| device.id.as_str()))));
        }
    }
    whole.name.clone_from(&child.name);
    whole.origin = child.origin.clone();
    whole.aliases.clone_from(&child.aliases);
    if child.description.is_some() {
        whole.description.clone_from(&child.description);
    }
    let (old, new) = (whole.memory, child.memory);
    whole.memory = MemoryDeclaration {
        max_ram_below_4g: new.max_ram_below_4g.or(old.max_ram_below_4g),
        split_at: new.split_at.or(old.split_at),
    };
    let (old, new) = (whole.migration, child.migration);
    whole.migration = MigrationDeclaration {
        send_configuration: new.send_configuration.or(old.send_configuration),
        send_section_footer: new.send_section_footer.or(old.send_section_footer),
        store_global_state: new.store_global_state.or(old.store_global_state),
        suppress_vmdesc: new.suppress_vmdesc.or(old.suppress_vmdesc),
        send_switchover_start: new.send_switchover_start.or(old.send_switchover_start),
        vga_global_vmstate: new.vga_global_vmstate.or(old.vga_global_vmstate),
        save_tsc_khz: new.save_tsc_khz.or(old.save_tsc_khz),
        reliable_get_clock: new.reliable_get_clock.or(old.reliable_get_clock),
    };
    apply_devices(&mut whole.devices, &child.devices);
    apply_devices(&mut whole.optional, &child.optional);
    apply_compat(&mut whole.compat, &child.compat);
    whole.options.extend(child.options.clone());
    whole.boot_paths.extend(child.boot_paths.clone());
    if child.absent.is_some() {
        whole.absent.clone_from(&child.absent);
    }
    if child.without_firmware.is_some() {
        whole.without_firmware.clone_from(&child.without_firmware);
    }
    Ok(())
}

fn apply_devices(whole: &mut Vec<DeviceDeclaration>, child: &[DeviceDeclaration]) {
    for new in child {
        let Some(old) = whole.iter_mut().find(|old| old.id == new.id) else {
            whole.push(new.clone());
            continue;
        };
        if new.component.is_some() {
            old.component.clone_from(&new.component);
            // The hash was the other one's.
            old.sha256 = None;
        }
        if new.sha256.is_some() {
            old.sha256.clone_from(&new.sha256);
        }
        if new.at.is_some() {
            old.at.clone_from(&new.at);
        }
        if new.grants.is_some() {
            old.grants.clone_from(&new.grants);
        }
        old.limits.extend(&new.limits);
        old.properties.extend(new.properties.clone());
        old.wires.extend(new.wires.clone());
        old.streams.extend(new.streams.clone());
        old.drives.extend(new.drives.clone());
        old.roms.extend(new.roms.clone());
        if new.directory.is_some() {
            old.directory.clone_from(&new.directory);
        }
        old.listens.extend(new.listens.clone());
        old.when = new.when.or(old.when);
        if new.choices.is_some() {
            old.choices.clone_from(&new.choices);
        }
        if new.qemu.drivers.is_some() {
            old.qemu.drivers.clone_from(&new.qemu.drivers);
        }
        let (qemu, new_qemu) = (&mut old.qemu, &new.qemu);
        qemu.also = new_qemu.also.clone().or(qemu.also.take());
        qemu.with_cpu = new_qemu.with_cpu.or(qemu.with_cpu);
        qemu.reset_first = new_qemu.reset_first.or(qemu.reset_first);
        qemu.name = new_qemu.name.clone().or(qemu.name.take());
        qemu.function = new_qemu.function.clone().or(qemu.function.take());
        qemu.bus = new_qemu.bus.clone().or(qemu.bus.take());
        qemu.default = new_qemu.default.or(qemu.default);
        qemu.memory = new_qemu.memory.clone().or(qemu.memory.take());
        old.qemu.buses.extend(new.qemu.buses.clone());
        old.qemu.properties.extend(new.qemu.properties.clone());
        old.default = new.default.or(old.default);
    }
}

fn apply_compat(whole: &mut Compat, child: &Compat) {
    for (owner, properties) in child {
        let whole = whole.entry(owner.clone()).or_default();
        whole.extend(properties.clone());
    }
}

/// The machine of a declaration that has all it inherits. It is not yet known
/// to make sense.
pub(super) fn finish(whole: Declaration) -> Result<MachineType, Error> {
    let missing =
        |what: &str| whole.origin.error(format!("the machine says and inherits no memory.{what}"));
    let memory = MemoryLayout {
        max_ram_below_4g: whole
            .memory
            .max_ram_below_4g
            .ok_or_else(|| missing("max-ram-below-4g"))?,
        split_at: whole.memory.split_at.ok_or_else(|| missing("split-at"))?,
    };
    let (said, newest) = (whole.migration, Migration::default());
    let migration = Migration {
        send_configuration: said.send_configuration.unwrap_or(newest.send_configuration),
        send_section_footer: said.send_section_footer.unwrap_or(newest.send_section_footer),
        store_global_state: said.store_global_state.unwrap_or(newest.store_global_state),
        suppress_vmdesc: said.suppress_vmdesc.unwrap_or(newest.suppress_vmdesc),
        send_switchover_start: said.send_switchover_start.unwrap_or(newest.send_switchover_start),
        vga_global_vmstate: said.vga_global_vmstate.unwrap_or(newest.vga_global_vmstate),
        save_tsc_khz: said.save_tsc_khz.unwrap_or(newest.save_tsc_khz),
        reliable_get_clock: said.reliable_get_clock.unwrap_or(newest.reliable_get_clock),
    };
    let ids: Vec<String> = whole.devices.iter().map(|d| d.id.clone()).collect();
    let entries = |devices: Vec<DeviceDeclaration>| -> Result<Vec<DeviceEntry>, Error> {
        devices.into_iter().map(|d| entry(d, &ids)).collect()
    };
    Ok(MachineType {
        name: whole.name,
        aliases: values(whole.aliases),
        description: whole.description.unwrap_or_default(),
        memory,
        migration,
        devices: entries(whole.devices)?,
        optional: entries(whole.optional)?,
        compat: whole.compat,
        options: whole.options,
        boot_paths: whole.boot_paths,
        absent: values(whole.absent.unwrap_or_default()),
        without_firmware: whole.without_firmware.unwrap_or_default(),
        origin: whole.origin,
    })
}

fn entry(device: DeviceDeclaration, ids: &[String]) -> Result<DeviceEntry, Error> {
    let Some(component) = device.component else {
        let others = ids.iter().map(String::as_str);
        let others = others.filter(|id| *id != device.id);
        return Err(device
            .origin
            .error(format!(
                "device {:?} names no component, and none of that id is inherited",
                device.id
            ))
            .hint(names::hint(&device.id, others)));
    };
    Ok(DeviceEntry {
        id: device.id,
        component,
        sha256: device.sha256,
        at: device.at,
        properties: device.properties,
        grants: device.grants.unwrap_or_default(),
        limits: device.limits,
        wires: device.wires,
        streams: device.streams,
        drives: device.drives,
        roms: device.roms,
        directory: device.directory,
        listens: device.listens,
        when: device.when,
        choices: device.choices.unwrap_or_default(),
        compat: BTreeMap::new(),
        qemu: QemuDevice {
            drivers: values(device.qemu.drivers.unwrap_or_default()),
            properties: device.qemu.properties,
            with_cpu: device.qemu.with_cpu.unwrap_or(false),
            reset_first: device.qemu.reset_first.unwrap_or(false),
            also: values(device.qemu.also.unwrap_or_default()),
            name: device.qemu.name.map(|name| name.value),
            function: device.qemu.function.map(|function| function.value),
            bus: device.qemu.bus,
            buses: device.qemu.buses,
            memory: device.qemu.memory.map(|memory| memory.value),
            default: device.qemu.default.unwrap_or(false),
        },
        default: device.default.unwrap_or(false),
        origin: device.origin,
    })
}

fn values(texts: Vec<Sourced<String>>) -> Vec<String> {
    texts.into_iter().map(|text| text.value).collect()
}

//! The text of a machine file to declarations: syntax alone, nothing that needs
//! another machine or a component.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use super::node::{Node, read_toml};
use super::{
    Choice, Compat, Error, Grant, Limit, Origin, Parameter, Place, PortWrite, PropertyPath,
    Setting, Sourced, Target, Value, When, names,
};
use crate::component::Sha256;

/// `[machine.NAME]`, as written: parts that are absent are inherited.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) is_abstract: bool,
    pub(super) inherits: Option<Sourced<String>>,
    pub(super) aliases: Vec<Sourced<String>>,
    pub(super) description: Option<String>,
    pub(super) remove: Vec<Sourced<String>>,
    pub(super) memory: MemoryDeclaration,
    pub(super) migration: MigrationDeclaration,
    pub(super) devices: Vec<DeviceDeclaration>,
    pub(super) optional: Vec<DeviceDeclaration>,
    pub(super) compat: Compat,
    pub(super) options: BTreeMap<String, Sourced<PropertyPath>>,
    pub(super) boot_paths: BTreeMap<String, Sourced<String>>,
    pub(super) absent: Option<Vec<Sourced<String>>>,
    pub(super) without_firmware: Option<Vec<PortWrite>>,
}

/// `[machine.NAME.memory]`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MemoryDeclaration {
    pub(super) max_ram_below_4g: Option<u64>,
    pub(super) split_at: Option<u64>,
}

/// `[machine.NAME.migration]`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MigrationDeclaration {
    pub(super) send_configuration: Option<bool>,
    pub(super) send_section_footer: Option<bool>,
    pub(super) store_global_state: Option<bool>,
    pub(super) suppress_vmdesc: Option<bool>,
    pub(super) send_switchover_start: Option<bool>,
    pub(super) vga_global_vmstate: Option<bool>,
    pub(super) save_tsc_khz: Option<bool>,
    pub(super) reliable_get_clock: Option<bool>,
}

/// `[machine.NAME.device.ID]` and `[machine.NAME.optional.ID]`.
#[derive(Clone, Debug)]
pub(super) struct DeviceDeclaration {
    pub(super) id: String,
    pub(super) origin: Origin,
    pub(super) component: Option<Sourced<String>>,
    pub(super) sha256: Option<Sourced<Sha256>>,
    pub(super) at: Option<Sourced<Place>>,
    pub(super) properties: BTreeMap<String, Sourced<Setting>>,
    pub(super) grants: Option<BTreeSet<Grant>>,
    pub(super) limits: BTreeMap<Limit, u32>,
    pub(super) wires: BTreeMap<String, Sourced<Target>>,
    pub(super) streams: BTreeMap<String, Sourced<String>>,
    pub(super) drives: BTreeMap<String, Sourced<String>>,
    pub(super) roms: BTreeMap<String, Sourced<String>>,
    pub(super) directory: Option<Sourced<String>>,
    pub(super) listens: BTreeMap<String, Vec<Sourced<Target>>>,
    pub(super) when: Option<When>,
    pub(super) choices: Option<Vec<Choice>>,
    pub(super) default: Option<bool>,
    pub(super) qemu: QemuDeclaration,
}

/// `[machine.NAME.device.ID.qemu]`.
#[derive(Clone, Debug, Default)]
pub(super) struct QemuDeclaration {
    pub(super) drivers: Option<Vec<Sourced<String>>>,
    pub(super) also: Option<Vec<Sourced<String>>>,
    pub(super) with_cpu: Option<bool>,
    pub(super) reset_first: Option<bool>,
    pub(super) name: Option<Sourced<String>>,
    pub(super) function: Option<Sourced<String>>,
    pub(super) bus: Option<Sourced<Place>>,
    pub(super) buses: BTreeMap<String, Sourced<String>>,
    pub(super) memory: Option<Sourced<String>>,
    pub(super) default: Option<bool>,
    pub(super) properties: BTreeMap<String, Sourced<Setting>>,
}

/// Reads a machine file. `file` is what errors call it.
pub(super) fn parse(file: &str, text: &str) -> Result<Vec<Declaration>, Error> {
    read_toml(file, text, |root| {
        let mut declarations = Vec::new();
        for (_, machines) in root.fields(&["machine"])? {
            for (name, node) in machines.entries()? {
                declarations.push(machine(name, &node)?);
            }
        }
        Ok(declarations)
    })
}

fn machine(name: &str, node: &Node<'_>) -> Result<Declaration, Error> {
    const KEYS: &[&str] = &[
        "abstract",
        "inherits",
        "aliases",
        "description",
        "remove",
        "memory",
        "migration",
        "device",
        "optional",
        "compat",
        "options",
        "boot-paths",
        "absent",
        "without-firmware",
    ];
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(node.error(format!("{name:?} is not a name for a machine")));
    }
    let mut declaration = Declaration {
        name: name.to_owned(),
        origin: node.origin.clone(),
        is_abstract: false,
        inherits: None,
        aliases: Vec::new(),
        description: None,
        remove: Vec::new(),
        memory: MemoryDeclaration::default(),
        migration: MigrationDeclaration::default(),
        devices: Vec::new(),
        optional: Vec::new(),
        compat: Compat::new(),
        options: BTreeMap::new(),
        boot_paths: BTreeMap::new(),
        absent: None,
        without_firmware: None,
    };
    for (key, node) in node.fields(KEYS)? {
        match key {
            "abstract" => declaration.is_abstract = node.flag()?,
            "inherits" => declaration.inherits = Some(text(&node)?),
            "aliases" => declaration.aliases = texts(&node)?,
            "description" => declaration.description = Some(node.string()?.to_owned()),
            "remove" => declaration.remove = texts(&node)?,
            "memory" => declaration.memory = memory(&node)?,
            "migration" => declaration.migration = migration(&node)?,
            "device" => declaration.devices = devices(&node, false)?,
            "optional" => declaration.optional = devices(&node, true)?,
            "compat" => declaration.compat = dotted(&node, "component")?,
            "options" => declaration.options = table(&node, phrase)?,
            "boot-paths" => declaration.boot_paths = table(&node, text)?,
            "absent" => declaration.absent = Some(texts(&node)?),
            _ => declaration.without_firmware = Some(port_writes(&node)?),
        }
    }
    Ok(declaration)
}

fn port_writes(node: &Node<'_>) -> Result<Vec<PortWrite>, Error> {
    let write = |node: &Node<'_>| Ok(phrase(node)?.value);
    node.elements()?.iter().map(write).collect()
}

fn memory(node: &Node<'_>) -> Result<MemoryDeclaration, Error> {
    let mut memory = MemoryDeclaration::default();
    for (key, node) in node.fields(&["max-ram-below-4g", "split-at"])? {
        match key {
            "max-ram-below-4g" => memory.max_ram_below_4g = Some(node.number()?),
            _ => memory.split_at = Some(node.number()?),
        }
    }
    Ok(memory)
}

fn migration(node: &Node<'_>) -> Result<MigrationDeclaration, Error> {
    const KEYS: &[&str] = &[
        "send-configuration",
        "send-section-footer",
        "store-global-state",
        "suppress-vmdesc",
        "send-switchover-start",
        "vga-global-vmstate",
        "save-tsc-khz",
        "reliable-get-clock",
    ];
    let mut migration = MigrationDeclaration::default();
    for (key, node) in node.fields(KEYS)? {
        let flag = Some(node.flag()?);
        match key {
            "send-configuration" => migration.send_configuration = flag,
            "send-section-footer" => migration.send_section_footer = flag,
            "store-global-state" => migration.store_global_state = flag,
            "suppress-vmdesc" => migration.suppress_vmdesc = flag,
            "send-switchover-start" => migration.send_switchover_start = flag,
            "vga-global-vmstate" => migration.vga_global_vmstate = flag,
            "save-tsc-khz" => migration.save_tsc_khz = flag,
            _ => migration.reliable_get_clock = flag,
        }
    }
    Ok(migration)
}

fn devices(node: &Node<'_>, optional: bool) -> Result<Vec<DeviceDeclaration>, Error> {
    let entries = node.entries()?;
    entries.iter().map(|(id, node)| device(id, node, optional)).collect()
}

fn device(id: &str, node: &Node<'_>, optional: bool) -> Result<DeviceDeclaration, Error> {
    const KEYS: &[&str] = &[
        "component",
        "sha256",
        "at",
        "properties",
        "grants",
        "limits",
        "wires",
        "streams",
        "drives",
        "roms",
        "directory",
        "listens",
        "when",
        "qemu",
    ];
    if !names::is_id(id) || Target::RESERVED.contains(&id) {
        return Err(node.error(format!("{id:?} is not an id for a device")).hint(
            "an id is a letter, then letters, digits, \"-\" and \"_\", and not gsi or cpu"
                .to_owned(),
        ));
    }
    let mut device = DeviceDeclaration {
        id: id.to_owned(),
        origin: node.origin.clone(),
        component: None,
        sha256: None,
        at: None,
        properties: BTreeMap::new(),
        grants: None,
        limits: BTreeMap::new(),
        wires: BTreeMap::new(),
        streams: BTreeMap::new(),
        drives: BTreeMap::new(),
        roms: BTreeMap::new(),
        directory: None,
        listens: BTreeMap::new(),
        when: None,
        choices: None,
        default: None,
        qemu: QemuDeclaration::default(),
    };
    // An optional device is there on request, so never by default; and only who
    // asks can choose.
    let last = if optional { "choices" } else { "default" };
    for (key, node) in node.fields(&[KEYS, &[last]].concat())? {
        match key {
            "component" => device.component = Some(text(&node)?),
            "sha256" => device.sha256 = Some(phrase(&node)?),
            "at" => device.at = Some(phrase(&node)?),
            "properties" => device.properties = table(&node, setting)?,
            "grants" => device.grants = Some(grants(&node)?),
            "limits" => device.limits = limits(&node)?,
            "wires" => device.wires = table(&node, phrase)?,
            "streams" => device.streams = table(&node, text)?,
            "drives" => device.drives = table(&node, text)?,
            "roms" => device.roms = table(&node, text)?,
            "directory" => device.directory = Some(text(&node)?),
            "listens" => device.listens = listens(&node)?,
            "when" => device.when = Some(when(&node)?),
            "choices" => device.choices = Some(choices(&node)?),
            "qemu" => device.qemu = qemu(&node)?,
            _ => device.default = Some(node.flag()?),
        }
    }
    Ok(device)
}

fn qemu(node: &Node<'_>) -> Result<QemuDeclaration, Error> {
    let mut qemu = QemuDeclaration::default();
    const KEYS: &[&str] = &[
        "drivers",
        "properties",
        "also",
        "with-cpu",
        "reset-first",
        "name",
        "function",
        "bus",
        "buses",
        "memory",
        "default",
    ];
    for (key, node) in node.fields(KEYS)? {
        match key {
            "drivers" => qemu.drivers = Some(texts(&node)?),
            "also" => qemu.also = Some(texts(&node)?),
            "with-cpu" => qemu.with_cpu = Some(node.flag()?),
            "reset-first" => qemu.reset_first = Some(node.flag()?),
            "name" => qemu.name = Some(text(&node)?),
            "function" => qemu.function = Some(text(&node)?),
            "bus" => qemu.bus = Some(phrase(&node)?),
            "buses" => qemu.buses = table(&node, text)?,
            "memory" => qemu.memory = Some(text(&node)?),
            "default" => qemu.default = Some(node.flag()?),
            _ => qemu.properties = table(&node, setting)?,
        }
    }
    Ok(qemu)
}

fn choices(node: &Node<'_>) -> Result<Vec<Choice>, Error> {
    let choice = |node: &Node<'_>| {
        let mut choice = Choice {
            properties: BTreeMap::new(),
            wires: BTreeMap::new(),
            streams: BTreeMap::new(),
            origin: node.origin.clone(),
        };
        for (key, node) in node.fields(&["properties", "wires", "streams"])? {
            match key {
                "properties" => choice.properties = table(&node, setting)?,
                "wires" => choice.wires = table(&node, phrase)?,
                _ => choice.streams = table(&node, text)?,
            }
        }
        Ok(choice)
    };
    node.elements()?.iter().map(choice).collect()
}

/// Input lines with the interrupts they follow.
fn listens(node: &Node<'_>) -> Result<BTreeMap<String, Vec<Sourced<Target>>>, Error> {
    let entries = node.entries()?;
    entries.iter().map(|(line, node)| Ok(((*line).to_owned(), interrupts(node)?))).collect()
}

/// The interrupts that an input line follows, one or several.
fn interrupts(node: &Node<'_>) -> Result<Vec<Sourced<Target>>, Error> {
    match node.elements() {
        Ok(all) => all.iter().map(interrupt).collect(),
        Err(_) => Ok(vec![interrupt(node)?]),
    }
}

fn interrupt(node: &Node<'_>) -> Result<Sourced<Target>, Error> {
    let target: Sourced<Target> = phrase(node)?;
    match target.value {
        Target::Gsi(_) => Ok(target),
        _ => Err(node.expected("an interrupt, \"gsi:number\"")),
    }
}

fn when(node: &Node<'_>) -> Result<When, Error> {
    let name = node.string()?;
    let found = When::ALL.into_iter().find(|when| when.name() == name);
    found.ok_or_else(|| {
        let hint = names::hint(name, When::ALL.map(When::name));
        node.error(format!("unknown condition {name:?}")).hint(hint)
    })
}

fn grants(node: &Node<'_>) -> Result<BTreeSet<Grant>, Error> {
    let grant = |node: &Node<'_>| {
        let text = node.string()?;
        text.parse().map_err(|problem: String| {
            let name = text.split(':').next().unwrap_or_default();
            let known = Grant::ALL.map(Grant::name);
            let hint = (!known.contains(&name)).then(|| names::hint(name, known));
            node.error(problem).hint(hint.flatten())
        })
    };
    node.elements()?.iter().map(grant).collect()
}

fn limits(node: &Node<'_>) -> Result<BTreeMap<Limit, u32>, Error> {
    let mut found = BTreeMap::new();
    for (key, node) in node.fields(&Limit::ALL.map(Limit::name))? {
        let problem = |problem: String| node.error(problem);
        let limit = Limit::named(key).map_err(problem)?;
        found.insert(limit, limit.value(node.number()?).map_err(problem)?);
    }
    Ok(found)
}

/// A table whose keys are `owner.property`, quoted, as in QEMU's own tables.
fn dotted(node: &Node<'_>, owner: &str) -> Result<Compat, Error> {
    let mut found = Compat::new();
    for (key, node) in node.entries()? {
        let Some((first, property)) = key.split_once('.') else {
            return Err(node
                .error(format!("expected a key \"{owner}.property\", found {key:?}"))
                .hint(node.is_table().then(|| "put the key in quotes".to_owned())));
        };
        let properties = found.entry(first.to_owned()).or_default();
        properties.insert(property.to_owned(), setting(&node)?);
    }
    Ok(found)
}

fn setting(node: &Node<'_>) -> Result<Sourced<Setting>, Error> {
    let value = match node.type_name() {
        "boolean" => Setting::Fixed(Value::Flag(node.flag()?)),
        "integer" => Setting::Fixed(Value::Number(node.number()?)),
        "string" => Setting::Fixed(Value::Text(node.string()?.to_owned())),
        _ if node.is_table() => computed(node)?,
        _ => return Err(node.expected("a boolean, an integer or a string")),
    };
    Ok(source(node, value))
}

/// What the machine at hand decides.
fn computed(node: &Node<'_>) -> Result<Setting, Error> {
    let mut fields = node.fields(&["machine", "any"])?.into_iter();
    match (fields.next(), fields.next()) {
        (Some(("machine", node)), None) => parameter(&node),
        (Some((_, node)), None) => any(&node),
        _ => Err(node.expected("{ machine = \"...\" } or { any = { property = value } }")),
    }
}

fn any(node: &Node<'_>) -> Result<Setting, Error> {
    let mut properties = node.entries()?.into_iter();
    let (Some((name, value)), None) = (properties.next(), properties.next()) else {
        return Err(node.expected("one property and its value"));
    };
    match setting(&value)?.value {
        Setting::Fixed(value) => Ok(Setting::Any(name.to_owned(), value)),
        _ => Err(value.expected("a boolean, an integer or a string")),
    }
}

fn parameter(node: &Node<'_>) -> Result<Setting, Error> {
    let name = node.string()?;
    let mut parameters = Parameter::ALL.into_iter();
    match parameters.find(|parameter| parameter.name() == name) {
        Some(parameter) => Ok(Setting::Machine(parameter)),
        None => Err(node
            .error(format!("unknown parameter {name:?} of the machine"))
            .hint(names::hint(name, Parameter::ALL.map(Parameter::name)))),
    }
}

fn table<T>(
    node: &Node<'_>,
    read: impl Fn(&Node<'_>) -> Result<Sourced<T>, Error>,
) -> Result<BTreeMap<String, Sourced<T>>, Error> {
    let entries = node.entries()?;
    entries.iter().map(|(key, node)| Ok(((*key).to_owned(), read(node)?))).collect()
}

/// A string that has a syntax of its own.
fn phrase<T: FromStr<Err = String>>(node: &Node<'_>) -> Result<Sourced<T>, Error> {
    let value = node.string()?.parse().map_err(|error| node.error(error as String))?;
    Ok(source(node, value))
}

fn text(node: &Node<'_>) -> Result<Sourced<String>, Error> {
    let text = node.string()?;
    if text.is_empty() {
        return Err(node.error("is empty"));
    }
    Ok(source(node, text.to_owned()))
}

fn texts(node: &Node<'_>) -> Result<Vec<Sourced<String>>, Error> {
    node.elements()?.iter().map(text).collect()
}

fn source<T>(node: &Node<'_>, value: T) -> Sourced<T> {
    Sourced { value, origin: node.origin.clone() }
}

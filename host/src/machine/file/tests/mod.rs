//! Tests of machine files.

mod builtin;
mod errors;
mod inheritance;
mod options;
mod text;

use std::collections::BTreeMap;

use toml_edit::{Document, Item};

use super::{Attachment, BusKind, Catalog, Described, Direction, Error, MachineTypes, Value};

/// A small machine that is right; tests break or extend it.
const GOOD: &str = r#"
[machine.base]
abstract = true
description = "A machine"
memory = { max-ram-below-4g = 0xe0000000, split-at = 0xc0000000 }
[machine.base.device.bridge]
component = "north"
grants = ["pci-bus"]
wires = { out = "pic:in" }
[machine.base.device.pic]
component = "south"
at = "bridge/pci@01.0"
wires = { irq = "gsi:5" }
[machine.base.device.pm]
component = "power"
at = "bridge/pci@01.3"
properties = { cpus = { machine = "cpus" }, level = 2 }
wires = { sci = "gsi:9", smi = "cpu:smi" }
[machine.base.device.rom]
component = "rom"
at = "pm/bus@0x50"
[machine.base.optional.port]
component = "port"
streams = { data = "port1" }
choices = [{ properties = { base = 8 }, wires = { irq = "gsi:4" } }, { properties = { base = 9 } }]
[machine.base.optional.card]
component = "card"
at = "bridge/pci"
[machine.good]
inherits = "base"
aliases = ["g"]
"#;

/// Components, as a table that is read in the same form as machine files are
/// written in: `name = { attachment, properties, inputs, outputs, buses,
/// streams }`.
struct Components(BTreeMap<String, Described>);

impl Components {
    fn new(text: &str) -> Self {
        let document = Document::parse(text).expect("valid TOML");
        let described = document.iter().map(|(name, item)| (name.to_owned(), describe(item)));
        Self(described.collect())
    }

    /// Those of [`GOOD`].
    fn made_up() -> Self {
        Self::new(
            r#"
north = { attachment = "system", buses = { pci = "pci" }, inputs = ["in"], outputs = ["out"], properties = { width = 4 } }
south = { attachment = "pci", inputs = ["in"], outputs = ["irq"] }
power = { attachment = "pci", outputs = ["sci", "smi"], buses = { bus = "i2c" }, properties = { level = 0, cpus = 1, fast = true, label = "x" } }
rom = { attachment = "i2c", properties = { size = 256 } }
port = { attachment = "system", outputs = ["irq"], streams = ["data"], properties = { base = 8 } }
card = { attachment = "pci", outputs = ["inta"] }
"#,
        )
    }
}

impl Catalog for Components {
    fn component(&self, name: &str) -> Option<&Described> {
        self.0.get(name)
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

fn describe(item: &Item) -> Described {
    let pairs = |key: &str| -> Vec<(String, Item)> {
        let table = item.get(key).and_then(Item::as_table_like);
        let entries = table.into_iter().flat_map(|table| table.iter());
        entries.map(|(name, item)| (name.to_owned(), item.clone())).collect()
    };
    let strings = |key: &str| -> Vec<String> {
        let array = item.get(key).and_then(Item::as_array);
        let values = array.into_iter().flatten();
        values.map(|value| value.as_str().expect("a string").to_owned()).collect()
    };
    let inputs = strings("inputs").into_iter().map(|name| (name, Direction::Input));
    let outputs = strings("outputs").into_iter().map(|name| (name, Direction::Output));
    Described {
        attachment: match item["attachment"].as_str() {
            Some("system") => Attachment::System,
            Some("pci") => Attachment::Pci,
            Some("i2c") => Attachment::I2c,
            Some("isa-dma") => Attachment::IsaDma,
            other => panic!("attachment {other:?}"),
        },
        properties: pairs("properties")
            .into_iter()
            .map(|(name, item)| (name, value(&item)))
            .collect(),
        lines: inputs.chain(outputs).collect(),
        buses: pairs("buses")
            .into_iter()
            .map(|(name, item)| match item.as_str() {
                Some("pci") => (name, BusKind::Pci),
                Some("i2c") => (name, BusKind::I2c),
                Some("isa-dma") => (name, BusKind::IsaDma),
                other => panic!("bus {other:?}"),
            })
            .collect(),
        streams: strings("streams"),
        drives: strings("drives"),
        roms: strings("roms"),
    }
}

fn value(item: &Item) -> Value {
    if let Some(flag) = item.as_bool() {
        Value::Flag(flag)
    } else if let Some(number) = item.as_integer() {
        Value::Number(number.try_into().expect("from 0"))
    } else {
        Value::Text(item.as_str().expect("a string").to_owned())
    }
}

/// The machine types of a text, checked against the made-up components.
fn load(text: &str) -> Result<MachineTypes, Error> {
    let mut types = MachineTypes::default();
    types.load("pc.toml", text)?;
    for machine in types.iter() {
        machine.check(&Components::made_up())?;
    }
    Ok(types)
}

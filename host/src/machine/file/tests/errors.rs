//! What is refused, and the line that says why.

use std::path::Path;

use super::{GOOD, load};
use crate::machine::file::{MachineTypes, Origin};

/// [`GOOD`] with `old` replaced by `new` is refused with `error`.
#[track_caller]
fn refused(old: &str, new: &str, error: &str) {
    assert_eq!(GOOD.matches(old).count(), 1, "{old:?} is in the text once");
    says(&GOOD.replace(old, new), error);
}

/// [`GOOD`] with `more` at its end is refused with `error`.
#[track_caller]
fn refused_more(more: &str, error: &str) {
    says(&format!("{GOOD}{more}"), error);
}

#[track_caller]
fn says(text: &str, error: &str) {
    let found = load(text).expect_err("the text is refused");
    assert_eq!(found.to_string(), error);
}

#[test]
fn the_text_they_start_from_is_right() {
    load(GOOD).expect("right");
}

#[test]
fn toml_that_is_none() {
    says("[machine.a\n", "pc.toml:1:11: unclosed table, expected `]`");
    says(
        "[machine.a]\nabstract = yes\n",
        "pc.toml:2:12: string values must be quoted, expected literal string",
    );
    refused("aliases = [\"g\"]", "inherits = \"base\"", "pc.toml:31:1: duplicate key");
    refused_more("[machine.good]\n", "pc.toml:32:10: duplicate key");
}

#[test]
fn keys_and_types() {
    refused(
        "abstract = true",
        "abstrct = true",
        r#"pc.toml:3:1: machine.base.abstrct: unknown key "abstrct"; nearest: abstract, absent"#,
    );
    refused(
        "abstract = true",
        "abstract = 1",
        "pc.toml:3:1: machine.base.abstract: expected true or false, found integer",
    );
    refused_more("[device.x]\n", r#"pc.toml:32:2: device: unknown key "device"; known: machine"#);
    refused(
        "grants = [\"pci-bus\"]",
        "grant = [\"pci-bus\"]",
        r#"pc.toml:8:1: machine.base.device.bridge.grant: unknown key "grant"; nearest: grants"#,
    );
    refused(
        "grants = [\"pci-bus\"]",
        "grants = \"pci-bus\"",
        "pc.toml:8:1: machine.base.device.bridge.grants: expected an array, found string",
    );
    refused(
        "grants = [\"pci-bus\"]",
        "grants = [\"pci-bus\", 7]",
        "pc.toml:8:22: machine.base.device.bridge.grants: expected a string, found integer",
    );
    refused(
        "wires = { out = \"pic:in\" }",
        "wires = 3",
        "pc.toml:9:1: machine.base.device.bridge.wires: expected a table, found integer",
    );
    refused(
        "wires = { out = \"pic:in\" }",
        "choices = []",
        "pc.toml:9:1: machine.base.device.bridge.choices: unknown key \"choices\"",
    );
    refused(
        "component = \"rom\"",
        "component = \"\"",
        "pc.toml:20:1: machine.base.device.rom.component: is empty",
    );
    refused(
        "level = 2",
        "level = -2",
        "pc.toml:17:45: machine.base.device.pm.properties.level: -2 is negative",
    );
    refused(
        "level = 2",
        "level = 2.5",
        "pc.toml:17:45: machine.base.device.pm.properties.level: expected a boolean, an integer or a string, found float",
    );
    refused(
        "split-at = 0xc0000000",
        "split = 0xc0000000",
        r#"pc.toml:5:43: machine.base.memory.split: unknown key "split"; nearest: split-at"#,
    );
    refused_more(
        "migration = { send-config = true }\n",
        r#"pc.toml:32:15: machine.good.migration.send-config: unknown key "send-config"; nearest: send-configuration"#,
    );
    refused_more(
        "migration = { send-configuration = 1 }\n",
        "pc.toml:32:15: machine.good.migration.send-configuration: expected true or false, found integer",
    );
}

#[test]
fn names_of_machines_and_devices() {
    refused_more(
        "[machine.\"a b\"]\n",
        r#"pc.toml:32:10: machine."a b": "a b" is not a name for a machine"#,
    );
    refused(
        "device.rom]",
        "device.\"rom 1\"]",
        r#"pc.toml:19:22: machine.base.device."rom 1": "rom 1" is not an id for a device; an id is a letter, then letters, digits, "-" and "_", and not gsi or cpu"#,
    );
    refused(
        "device.rom]",
        "device.gsi]",
        r#"pc.toml:19:22: machine.base.device.gsi: "gsi" is not an id for a device; an id is a letter, then letters, digits, "-" and "_", and not gsi or cpu"#,
    );
    refused(
        "optional.card]",
        "optional.pm]",
        r#"pc.toml:26:24: machine.base.optional.pm: the id "pm" is that of the device of pc.toml:14:22 too; to replace an inherited device, say remove = ["pm"]"#,
    );
    refused(
        "component = \"rom\"\n",
        "",
        r#"pc.toml:19:22: machine.base.device.rom: device "rom" names no component, and none of that id is inherited; known: bridge, pic, pm"#,
    );
    refused_more(
        "[machine.good.device.rm]\nproperties.size = 1\n",
        r#"pc.toml:32:22: machine.good.device.rm: device "rm" names no component, and none of that id is inherited; nearest: rom, pm"#,
    );
}

#[test]
fn properties() {
    refused(
        "level = 2",
        "levle = 2",
        r#"pc.toml:17:45: machine.base.device.pm.properties.levle: component "power" has no property "levle"; nearest: level"#,
    );
    refused(
        "level = 2",
        "level = true",
        r#"pc.toml:17:45: machine.base.device.pm.properties.level: property "level" of component "power" takes a number, not true"#,
    );
    refused(
        "level = 2",
        "level = \"2\"",
        r#"pc.toml:17:45: machine.base.device.pm.properties.level: property "level" of component "power" takes a number, not "2""#,
    );
    refused(
        "level = 2",
        "fast = { machine = \"cpus\" }",
        r#"pc.toml:17:45: machine.base.device.pm.properties.fast: property "fast" of component "power" takes true or false, not { machine = "cpus" }"#,
    );
    refused(
        "{ machine = \"cpus\" }",
        "{ machine = \"cpu\" }",
        r#"pc.toml:17:25: machine.base.device.pm.properties.cpus.machine: unknown parameter "cpu" of the machine; nearest: cpus"#,
    );
    refused(
        "{ machine = \"cpus\" }",
        "{ host = \"cpus\" }",
        r#"pc.toml:17:25: machine.base.device.pm.properties.cpus.host: unknown key "host"; known: any, machine"#,
    );
    refused(
        "{ machine = \"cpus\" }",
        "{ }",
        r#"pc.toml:17:16: machine.base.device.pm.properties.cpus: expected { machine = "..." } or { any = { property = value } }, found inline table"#,
    );
    refused(
        "{ machine = \"cpus\" }",
        "{ any = { base = 8 } }",
        r#"pc.toml:17:16: machine.base.device.pm.properties.cpus: property "cpus" of component "power" takes a number, not { any = { base = 8 } }"#,
    );
    refused(
        "level = 2",
        "fast = { any = { bass = 8 } }",
        r#"pc.toml:17:45: machine.base.device.pm.properties.fast: no device has a property "bass" that takes a number; nearest: base"#,
    );
    refused(
        "level = 2",
        "fast = { any = { base = true } }",
        r#"pc.toml:17:45: machine.base.device.pm.properties.fast: no device has a property "base" that takes true or false; nearest: fast"#,
    );
    refused(
        "level = 2",
        "fast = { any = {} }",
        "pc.toml:17:54: machine.base.device.pm.properties.fast.any: expected one property and its \
         value, found inline table",
    );
    refused(
        "base = 9",
        "bass = 9",
        r#"pc.toml:25:87: machine.base.optional.port.choices.properties.bass: component "port" has no property "bass"; nearest: base"#,
    );
    refused(
        "irq = \"gsi:4\"",
        "iqr = \"gsi:4\"",
        r#"pc.toml:25:51: machine.base.optional.port.choices.wires.iqr: component "port" has no line "iqr"; nearest: irq"#,
    );
    refused(
        "irq = \"gsi:4\"",
        "irq = \"pics:in\"",
        r#"pc.toml:25:51: machine.base.optional.port.choices.wires.irq: unknown line "pics:in": no device "pics"; nearest: pic"#,
    );
}

#[test]
fn compat() {
    refused_more(
        "compat = { \"power.levels\" = 1 }\n",
        r#"pc.toml:32:12: machine.good.compat."power.levels": component "power" has no property "levels"; nearest: level, label"#,
    );
    refused_more(
        "compat = { \"power.level\" = true }\n",
        r#"pc.toml:32:12: machine.good.compat."power.level": property "level" of component "power" takes a number, not true"#,
    );
    refused_more(
        "compat = { \"powr.level\" = 1 }\n",
        r#"pc.toml:32:12: machine.good.compat."powr.level": unknown component "powr"; nearest: power, port"#,
    );
    refused_more(
        "compat = { power.level = 1 }\n",
        r#"pc.toml:32:12: machine.good.compat.power: expected a key "component.property", found "power"; put the key in quotes"#,
    );
}

#[test]
fn components() {
    refused(
        "component = \"rom\"",
        "component = \"roms\"",
        r#"pc.toml:20:1: machine.base.device.rom.component: unknown component "roms"; nearest: rom"#,
    );
    refused(
        "component = \"card\"",
        "component = \"quite-another\"",
        r#"pc.toml:27:1: machine.base.optional.card.component: unknown component "quite-another""#,
    );
}

#[test]
fn directories() {
    refused(
        "[\"pci-bus\"]",
        "[\"pci-bus\"]\ndirectory = \"boot\"",
        "pc.toml:9:1: machine.base.device.bridge.directory: the device is not granted \"files\", \
         which it needs for a directory",
    );
    refused(
        "[\"pci-bus\"]",
        "[\"pci-bus\", \"files\"]\ndirectory = 5",
        "pc.toml:9:1: machine.base.device.bridge.directory: expected a string, found integer",
    );
}

#[test]
fn grants() {
    refused(
        "[\"pci-bus\"]",
        "[\"pci-buss\"]",
        r#"pc.toml:8:11: machine.base.device.bridge.grants: unknown grant "pci-buss"; nearest: pci-bus, i2c-bus"#,
    );
    refused(
        "[\"pci-bus\"]",
        "[\"lines\"]",
        r#"pc.toml:8:11: machine.base.device.bridge.grants: unknown grant "lines"; nearest: files"#,
    );
    refused(
        "[\"pci-bus\"]",
        "[\"dma\"]",
        r#"pc.toml:8:11: machine.base.device.bridge.grants: "dma" does not say which memory: expected "dma:all" for all of the guest's, or "dma:START+SIZE""#,
    );
    refused(
        "[\"pci-bus\"]",
        "[\"dma:0x1000+0\"]",
        r#"pc.toml:8:11: machine.base.device.bridge.grants: the window "0x1000+0" of memory is empty"#,
    );
}

#[test]
fn hashes() {
    for wrong in ["12", &"g".repeat(64), &"A".repeat(64)] {
        refused_more(
            &format!("[machine.good.device.pm]\nsha256 = \"{wrong}\"\n"),
            &format!(
                "pc.toml:33:1: machine.good.device.pm.sha256: {wrong:?} is no SHA-256; 64 digits, \
                 0 to 9 and a to f, as `southbridge device inspect` prints them"
            ),
        );
    }
}

#[test]
fn limits() {
    refused_more(
        "[machine.good.device.pm]\nlimits = { memory-mb = 8 }\n",
        r#"pc.toml:33:12: machine.good.device.pm.limits.memory-mb: unknown key "memory-mb"; nearest: memory-mib"#,
    );
    refused_more(
        "[machine.good.device.pm]\nlimits = { timers = 0 }\n",
        "pc.toml:33:12: machine.good.device.pm.limits.timers: 0 is out of range; 1 to 1000000000 expected",
    );
    refused_more(
        "[machine.good.device.pm]\nlimits = { table-elements = 200000 }\n",
        "pc.toml:33:12: machine.good.device.pm.limits.table-elements: 200000 is out of range; 1 to 100000 expected",
    );
    refused_more(
        "[machine.good.device.pm]\nlimits = { deadline-ms = \"1s\" }\n",
        "pc.toml:33:12: machine.good.device.pm.limits.deadline-ms: expected an integer, found string",
    );
}

#[test]
fn wires() {
    refused(
        "pic:in",
        "pci:in",
        r#"pc.toml:9:11: machine.base.device.bridge.wires.out: unknown line "pci:in": no device "pci"; nearest: pic"#,
    );
    refused(
        "pic:in",
        "pic:out",
        r#"pc.toml:9:11: machine.base.device.bridge.wires.out: unknown line "pic:out": "pic" has no line "out"; known: in"#,
    );
    refused(
        "pic:in",
        "pic:irq",
        r#"pc.toml:9:11: machine.base.device.bridge.wires.out: line "pic:irq" is an output: wires end at inputs"#,
    );
    refused(
        "pic:in",
        "pic",
        r#"pc.toml:9:11: machine.base.device.bridge.wires.out: "pic" leads nowhere: expected "device:line", "gsi:number" or "cpu:smi""#,
    );
    refused(
        "{ out = ",
        "{ outt = ",
        r#"pc.toml:9:11: machine.base.device.bridge.wires.outt: component "north" has no line "outt"; nearest: out"#,
    );
    refused(
        "{ out = ",
        "{ in = ",
        r#"pc.toml:9:11: machine.base.device.bridge.wires.in: line "in" of component "north" is an input: wires start at outputs"#,
    );
    refused(
        "gsi:9",
        "gsi:24",
        r#"pc.toml:18:11: machine.base.device.pm.wires.sci: unknown interrupt "gsi:24": expected gsi:0 to gsi:23"#,
    );
    refused(
        "gsi:9",
        "gsi:x",
        r#"pc.toml:18:11: machine.base.device.pm.wires.sci: unknown interrupt "gsi:x": expected gsi:0 to gsi:23"#,
    );
    refused(
        "cpu:smi",
        "cpu:nmi",
        r#"pc.toml:18:26: machine.base.device.pm.wires.smi: unknown pin "cpu:nmi": expected cpu:smi or cpu:intr"#,
    );
}

#[test]
fn streams() {
    refused(
        "{ data = \"port1\" }",
        "{ date = \"port1\" }",
        r#"pc.toml:24:13: machine.base.optional.port.streams.date: component "port" has no stream "date"; nearest: data"#,
    );
    refused(
        "{ data = \"port1\" }",
        "{ data = \"\" }",
        "pc.toml:24:13: machine.base.optional.port.streams.data: is empty",
    );
}

#[test]
fn circles_of_wires() {
    refused(
        "gsi:5",
        "bridge:in",
        "pc.toml:9:11: machine.base.device.bridge.wires.out: wires form a circle: bridge.out -> pic:in, pic.irq -> bridge:in",
    );
    // The bus's own wires count: the interrupt of a card ends at the bridge.
    refused_more(
        r#"
[machine.good.device.card1]
component = "south"
at = "bridge/pci@04.0"
wires = { irq = "card1:in" }
"#,
        "pc.toml:36:11: machine.good.device.card1.wires.irq: wires form a circle: card1.irq -> card1:in",
    );
}

#[test]
fn a_circle_over_the_bus_counts() {
    use super::Components;
    let mut types = MachineTypes::default();
    let text = GOOD.replace("gsi:5", "late:in")
        + "[machine.good.device.late]\ncomponent = \"late\"\nat = \"bridge/pci@04.0\"\n";
    types.load("pc.toml", &text).expect("right by itself");
    let mut components = Components::made_up();
    let late =
        Components::new("late = { attachment = \"pci\", inputs = [\"in\"], outputs = [\"inta\"] }");
    components.0.extend(late.0);
    let error = types.get("good").expect("good").check(&components);
    assert_eq!(
        error.expect_err("a circle").to_string(),
        "pc.toml:9:11: machine.base.device.bridge.wires.out: wires form a circle: bridge.out -> pic:in, pic.irq -> late:in, late.inta -> bridge (its bus)"
    );
}

#[test]
fn places_and_buses_in_qemu() {
    refused(
        "at = \"pm/bus@0x50\"",
        "at = \"pm/bus@0x50\"\nqemu = { bus = \"mp/isa.0\" }",
        r#"pc.toml:22:10: machine.base.device.rom.qemu.bus: unknown place "mp/isa.0": no device "mp"; nearest: pm"#,
    );
    refused(
        "at = \"pm/bus@0x50\"",
        "at = \"pm/bus@0x50\"\nqemu = { buses = { pci = \"pci.0\" } }",
        r#"pc.toml:22:20: machine.base.device.rom.qemu.buses.pci: component "rom" has no bus "pci""#,
    );
}

#[test]
fn places() {
    refused(
        "pm/bus@0x50",
        "mp/bus@0x50",
        r#"pc.toml:21:1: machine.base.device.rom.at: unknown place "mp/bus@0x50": no device "mp"; nearest: pm"#,
    );
    refused(
        "pm/bus@0x50",
        "pm/buss@0x50",
        r#"pc.toml:21:1: machine.base.device.rom.at: unknown place "pm/buss@0x50": "pm" has no bus "buss"; nearest: bus"#,
    );
    refused(
        "pm/bus@0x50",
        "pic/bus@0x50",
        r#"pc.toml:21:1: machine.base.device.rom.at: unknown place "pic/bus@0x50": "pic" has no bus "bus""#,
    );
    refused(
        "pm/bus@0x50",
        "pm/bus@0x78",
        r#"pc.toml:21:1: machine.base.device.rom.at: I2C address "0x78" is not 0x08 to 0x77"#,
    );
    refused(
        "pm/bus@0x50",
        "pm/bus@0x101",
        r#"pc.toml:21:1: machine.base.device.rom.at: I2C address "0x101" is not 0x08 to 0x77"#,
    );
    refused(
        "pm/bus@0x50",
        "pm/bus@05.0",
        "pc.toml:21:1: machine.base.device.rom.at: pm/bus@05.0 is no address on an I2C bus: expected pm/bus@0x08 to pm/bus@0x77",
    );
    refused(
        "pm/bus@0x50",
        "pm/bus",
        "pc.toml:21:1: machine.base.device.rom.at: pm/bus is no address on an I2C bus: expected pm/bus@0x08 to pm/bus@0x77",
    );
    refused(
        "pm/bus@0x50",
        "bridge/pci@0x50",
        r#"pc.toml:21:1: machine.base.device.rom.at: component "rom" needs an I2C bus, bridge/pci is a PCI bus"#,
    );
    refused(
        "pm/bus@0x50",
        "pm",
        r#"pc.toml:21:1: machine.base.device.rom.at: "pm" is not a place: expected "device/bus@address" or "device/bus""#,
    );
    refused(
        "at = \"pm/bus@0x50\"",
        "",
        r#"pc.toml:19:22: machine.base.device.rom: component "rom" needs a place on an I2C bus: at = "device/bus@0x50""#,
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@20.0",
        r#"pc.toml:16:1: machine.base.device.pm.at: PCI address "20.0" is not 00.0 to 1f.7"#,
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@01.8",
        r#"pc.toml:16:1: machine.base.device.pm.at: PCI address "01.8" is not 00.0 to 1f.7"#,
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@+1.3",
        r#"pc.toml:16:1: machine.base.device.pm.at: PCI address "+1.3" is not 00.0 to 1f.7"#,
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@",
        r#"pc.toml:16:1: machine.base.device.pm.at: PCI address "" is not 00.0 to 1f.7"#,
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@00.1",
        r#"pc.toml:16:1: machine.base.device.pm.at: slot 00 of bridge/pci belongs to "bridge" itself"#,
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@0x40",
        "pc.toml:16:1: machine.base.device.pm.at: 0x40 is no address on the PCI bus bridge/pci: expected slot.function, as 1f.7",
    );
    refused(
        "bridge/pci@01.3",
        "bridge/pci@01.0",
        r#"pc.toml:16:1: machine.base.device.pm.at: bridge/pci@01.0 is taken twice: by "pm" here and by "pic" at pc.toml:12:1"#,
    );
    refused(
        "at = \"bridge/pci@01.3\"",
        "",
        r#"pc.toml:14:22: machine.base.device.pm: component "power" needs a place on a PCI bus: at = "device/bus""#,
    );
    refused(
        "bridge/pci@01.3",
        "pm/bus@01.3",
        "pc.toml:16:1: machine.base.device.pm.at: the device sits on itself: pm on pm",
    );
    refused_more(
        "[machine.good.device.x]\ncomponent = \"card\"\nat = \"pm/bus\"\n",
        r#"pc.toml:34:1: machine.good.device.x.at: component "card" needs a PCI bus, pm/bus is an I2C bus"#,
    );
    refused(
        "component = \"north\"",
        "component = \"north\"\nat = \"bridge/pci@05.0\"",
        "pc.toml:8:1: machine.base.device.bridge.at: the device sits on itself: bridge on bridge",
    );
    refused_more(
        "[machine.good.device.x]\ncomponent = \"port\"\nat = \"bridge/pci\"\n",
        r#"pc.toml:34:1: machine.good.device.x.at: component "port" sits on no bus; leave out "at""#,
    );
    refused_more(
        "[machine.good.device]\na = { component = \"power\", at = \"b/bus@0x30\" }\nb = { component = \"power\", at = \"a/bus@0x30\" }\n",
        "pc.toml:34:28: machine.good.device.b.at: the device sits on itself: a on b on a",
    );
}

#[test]
fn inheritance() {
    refused(
        "inherits = \"base\"",
        "inherits = \"bass\"",
        r#"pc.toml:30:1: machine.good.inherits: unknown machine "bass"; nearest: base"#,
    );
    refused(
        "abstract = true",
        "abstract = true\ninherits = \"good\"",
        "pc.toml:31:1: machine.good.inherits: the machine inherits from itself: base -> good -> base",
    );
    refused_more(
        "[machine.self]\nabstract = true\ninherits = \"self\"\n",
        "pc.toml:34:1: machine.self.inherits: the machine inherits from itself: self -> self",
    );
    refused_more(
        "remove = [\"rm\"]\n",
        r#"pc.toml:32:11: machine.good.remove: nothing to remove: the machine inherits no device "rm"; nearest: rom, pm"#,
    );
    refused(
        "abstract = true",
        "abstract = true\nremove = [\"rom\"]",
        r#"pc.toml:4:11: machine.base.remove: nothing to remove: the machine inherits no device "rom""#,
    );
    refused_more(
        "remove = [\"pm\"]\n",
        r#"pc.toml:21:1: machine.base.device.rom.at: unknown place "pm/bus@0x50": no device "pm"; known: bridge, pic, rom"#,
    );
}

#[test]
fn aliases() {
    refused_more(
        "[machine.x]\ninherits = \"base\"\naliases = [\"g\"]\n",
        r#"pc.toml:34:12: machine.x.aliases: "g" is already an alias of "good""#,
    );
    refused(
        "aliases = [\"g\"]",
        "aliases = [\"good\"]",
        r#"pc.toml:31:12: machine.good.aliases: "good" is already the name of a machine"#,
    );
}

#[test]
fn memory() {
    refused(
        "0xc0000000",
        "0xc0000001",
        "pc.toml:29:10: machine.good: memory.split-at is 0xc0000001, expected whole pages from 1 MiB to 4 GiB",
    );
    refused(
        "0xe0000000",
        "0xb0000000",
        "pc.toml:29:10: machine.good: memory.split-at (0xc0000000) is above memory.max-ram-below-4g (0xb0000000)",
    );
    refused(
        "0xe0000000",
        "0x200000000",
        "pc.toml:29:10: machine.good: memory.max-ram-below-4g is 0x200000000, expected whole pages from 1 MiB to 4 GiB",
    );
    refused(
        "max-ram-below-4g = 0xe0000000, ",
        "",
        "pc.toml:29:10: machine.good: the machine says and inherits no memory.max-ram-below-4g",
    );
}

#[test]
fn requests() {
    let types = load(GOOD).expect("right");
    let get = |name| types.get(name).expect_err("refused").to_string();
    assert_eq!(get("goof"), r#"unknown machine "goof"; nearest: good"#);
    assert_eq!(
        get("base"),
        r#"machine "base" is abstract: others inherit from it; known: g, good"#
    );
    assert_eq!(
        get("quite-another-machine"),
        r#"unknown machine "quite-another-machine"; known: g, good"#
    );
    let mut machine = types.get("good").expect("good").clone();
    let mut plug = |name, id| machine.plug(name, id, None).expect_err("refused").to_string();
    assert_eq!(
        plug("cord", "x"),
        r#"machine "good" has no optional device "cord"; nearest: card, port"#
    );
    assert_eq!(
        plug("card", "pm"),
        r#"pc.toml:26:24: machine.base.optional.card: the id "pm" is taken by the device of pc.toml:14:22"#
    );
    assert_eq!(
        plug("card", "p.m"),
        r#"pc.toml:26:24: machine.base.optional.card: "p.m" is not an id for a device"#
    );
    let mut choose =
        |name, number| machine.plug(name, "x", Some(number)).expect_err("refused").to_string();
    assert_eq!(
        choose("port", 2),
        r#"pc.toml:22:24: machine.base.optional.port: "port" has no choice 2: 0 to 1 expected"#
    );
    assert_eq!(
        choose("card", 0),
        r#"pc.toml:26:24: machine.base.optional.card: "card" has no choice"#
    );
    let mut types = MachineTypes::default();
    let error = types.load_file(Path::new("/nonexistent/pc.toml"));
    assert_eq!(
        error.expect_err("refused").to_string(),
        "/nonexistent/pc.toml: cannot read the machine file: No such file or directory (os error 2)"
    );
}

#[test]
fn what_no_file_says_is_named_too() {
    use crate::machine::file::{Setting, Sourced, Value};
    let types = load(GOOD).expect("right");
    let mut machine = types.get("good").expect("good").clone();
    let pm = machine.device_mut("pm").expect("pm");
    let setting = Sourced {
        value: Setting::Fixed(Value::Flag(true)),
        origin: Origin::outside("--set", "pm.level"),
    };
    pm.properties.insert("level".to_owned(), setting);
    let error = machine.check(&super::Components::made_up());
    assert_eq!(
        error.expect_err("refused").to_string(),
        r#"--set: pm.level: property "level" of component "power" takes a number, not true"#
    );
}

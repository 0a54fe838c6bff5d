//! What QEMU's command line needs of machine files, and changes of machines.

use super::{Components, GOOD, load};
use crate::machine::file::{MachineType, Origin, Parameter, Setting, Value};

/// [`GOOD`] with names and defaults of QEMU's.
fn good() -> String {
    let qemu = r#"
[machine.good.options]
"boot.level" = "pm.level"
[machine.good.device.rom]
qemu = { drivers = ["eeprom", "memory"] }
[machine.good.device.pm]
default = true
[machine.good.optional.port]
qemu = { drivers = ["isa-port"] }
[machine.better]
inherits = "good"
absent = ["screen"]
[machine.better.device.rom]
qemu = { drivers = ["eprom"], properties = { size = 64 } }
"#;
    format!("{GOOD}absent = [\"screen\", \"mouse\"]\n{qemu}")
}

fn machine(name: &str) -> MachineType {
    load(&good()).expect("right").get(name).expect("the machine").clone()
}

#[track_caller]
fn refused(old: &str, new: &str, error: &str) {
    let text = good();
    assert_eq!(text.matches(old).count(), 1, "{old:?} is in the text once");
    let types = load(&text.replace(old, new));
    let checked = types.and_then(|types| {
        types.iter().try_for_each(|machine| machine.check(&Components::made_up()))
    });
    let found = checked.expect_err("it is refused").to_string();
    assert!(found.ends_with(error), "{found}");
}

#[test]
fn names_of_qemus_are_inherited_and_replaced() {
    let (good, better) = (machine("good"), machine("better"));
    good.check(&Components::made_up()).expect("it fits");
    better.check(&Components::made_up()).expect("it fits");
    let rom = &good.device("rom").expect("rom").qemu;
    assert!(rom.is("eeprom") && rom.is("memory") && !rom.is("rom"));
    let rom = &better.device("rom").expect("rom").qemu;
    assert_eq!(rom.drivers, ["eprom"]);
    assert!(rom.properties["size"].value.is(&Value::Number(64)));
    assert_eq!(better.optional[0].qemu.drivers, ["isa-port"]);
    assert_eq!((good.absent.len(), better.absent.len()), (2, 1));
}

#[test]
fn what_does_not_fit_is_refused() {
    refused("\"pm.level\"\n", "\"mp.level\"\n", "no device \"mp\"; nearest: pm");
    refused(
        "\"pm.level\"\n",
        "\"pm.levels\"\n",
        "component \"power\" has no property \"levels\"; nearest: level, label",
    );
    refused("\"pm.level\"\n", "\"pm\"\n", "expected \"device.property\", found \"pm\"");
    refused(
        "{ size = 64 }",
        "{ size = true }",
        "property \"size\" of component \"rom\" takes a number, not true",
    );
    refused("[\"eprom\"]", "[\"\"]", "is empty");
    refused(
        "drivers = [\"eprom\"]",
        "driver = \"eprom\"",
        "unknown key \"driver\"; nearest: drivers",
    );
}

#[test]
fn options_set_properties() {
    let mut machine = machine("good");
    let origin = || Origin::outside("-boot", "");
    machine.set_option("boot.level", Value::Number(7), origin());
    machine.set_option("boot.menu", Value::Number(8), origin());
    let pm = machine.device("pm").expect("pm");
    assert_eq!(pm.properties["level"].value, Setting::Fixed(Value::Number(7)));
    machine.leave_out_defaults();
    machine.set_option("boot.level", Value::Number(9), origin());
    assert!(machine.device("pm").is_none());
}

#[test]
fn a_parameter_can_be_fixed() {
    let mut machine = machine("good");
    machine.fix(Parameter::Cpus, 4);
    let pm = machine.device("pm").expect("pm");
    assert_eq!(pm.properties["cpus"].value, Setting::Fixed(Value::Number(4)));
}

#[test]
fn another_component_keeps_what_the_old_one_was_told() {
    let text = format!("{}compat = {{ \"power.fast\" = false }}\n", GOOD);
    let mut machine = load(&text).expect("right").get("good").expect("good").clone();
    let origin = || Origin::outside("--component", "pm");
    machine.replace("pm", "other", origin()).expect("it is there");
    assert!(machine.compat.is_empty());
    let pm = machine.device("pm").expect("pm");
    assert_eq!(pm.component.value, "other");
    assert!(machine.settings(pm)["fast"].value.is(&Value::Flag(false)));
    assert!(machine.settings(pm)["level"].value.is(&Value::Number(2)));
    let error = machine.replace("mp", "other", origin()).expect_err("no such device");
    assert_eq!(
        error.to_string(),
        "--component: pm: machine good has no device \"mp\"; it has bridge, pic, pm, rom, port, \
         card"
    );
}

#[test]
fn writes_in_firmwares_place_are_inherited_and_replaced() {
    let said = "without-firmware = [\"outl 0xcf8 0x80000b40\", \"outb 3324 1\"]\n";
    let text = format!(
        "{GOOD}{said}[machine.same]\ninherits = \"good\"\n\
         [machine.none]\ninherits = \"good\"\nwithout-firmware = []\n"
    );
    let types = load(&text).expect("right");
    let writes = |name| {
        let writes = &types.get(name).expect("the machine").without_firmware;
        writes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(writes("good"), ["outl 0xcf8 0x80000b40", "outb 0xcfc 0x1"]);
    assert_eq!(writes("same"), writes("good"));
    assert!(writes("none").is_empty());
    for (write, expected) in [
        ("outl 0xcf8", "expected \"outb|outw|outl PORT VALUE\""),
        ("outl 0xcf8 1 2", "expected \"outb|outw|outl PORT VALUE\""),
        ("outq 0xcf8 1", "expected outb, outw or outl first"),
        ("outb 0x10000 1", "expected a port, 0 to 0xffff"),
        ("outb 0x+1 1", "expected a port, 0 to 0xffff"),
        ("outb 1 0x100", "expected a number of at most 1 bytes"),
        ("outl 1 0x100000000", "expected a number of at most 4 bytes"),
        ("outw 1 -1", "expected a number of at most 2 bytes"),
    ] {
        let text = format!("{GOOD}without-firmware = [{write:?}]\n");
        let error = load(&text).expect_err("refused").to_string();
        assert!(error.ends_with(expected), "{error}");
    }
}

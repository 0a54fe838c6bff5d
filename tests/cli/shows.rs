//! What the program shows of machines and devices.

use std::io::Read as _;
use std::process::Stdio;

use serde_json::Value;
use southbridge::builtin;

use super::program::{Files, command, fail, run, succeed};

fn json(arguments: &[&str]) -> Value {
    let text = succeed(arguments);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn machines_are_listed_in_order() {
    let text = succeed(&["machine", "list"]);
    let names: Vec<_> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    let position = |name: &str| names.iter().position(|other| *other == name).unwrap();
    assert!(position("pc-i440fx-2.0") < position("pc-i440fx-10.0"));
    assert!(position("pc-i440fx-10.0") < position("xenfv-3.1"));
    assert!(text.contains("(alias xenfv)"));
    assert!(!text.contains('\x1b'), "plain when piped");

    let value = json(&["machine", "list", "--json"]);
    let values: Vec<_> = value.as_array().unwrap().iter().map(|machine| &machine["name"]).collect();
    assert_eq!(values, names);
}

#[test]
fn a_machine_is_shown_with_its_devices() {
    let text = succeed(&["machine", "show", "xenfv"]);
    assert!(text.starts_with("xenfv-3.1: "), "{text}");
    assert!(text.contains("\npm: piix4-pm at host-bridge/pci@01.3\n"), "{text}");
    assert!(text.contains("    sci -> gsi:9\n"), "{text}");

    let value = json(&["machine", "show", "xenfv", "--json"]);
    assert_eq!(value["name"], "xenfv-3.1");
    let devices = value["devices"].as_array().unwrap();
    let pm = devices.iter().find(|device| device["id"] == "pm").unwrap();
    assert_eq!(pm["wires"]["sci"], "gsi:9");
}

#[test]
fn a_machine_file_adds_machines() {
    let files = Files::new();
    let file = files.write("my.toml", "[machine.mine]\ninherits = \"pc-i440fx-10.0\"\n");
    let text = succeed(&["machine", "list", "--machine-file", &file]);
    assert!(text.lines().any(|line| line.starts_with("mine ")), "{text}");
    assert!(succeed(&["machine", "show", "mine", "--machine-file", &file]).starts_with("mine: "));
}

#[test]
fn unknown_names_are_answered_with_the_nearest() {
    let line = fail(&["machine", "show", "xenfv-4.3"]);
    assert!(line.starts_with("unknown machine \"xenfv-4.3\"; nearest: xenfv-4.2"), "{line}");
    let line = fail(&["device", "inspect", "piix4-pn"]);
    assert!(line.contains("nearest: piix4-pm"), "{line}");
}

#[test]
fn the_components_in_the_program_are_listed() {
    let text = succeed(&["device", "list"]);
    let value = json(&["device", "list", "--json"]);
    let values = value.as_array().unwrap();
    assert_eq!(values.len(), builtin::components().count());
    for ((name, bytes), value) in builtin::components().zip(values) {
        assert!(text.lines().any(|line| line.split(' ').next() == Some(name)), "{name}");
        assert_eq!((&value["name"], &value["bytes"]), (&name.into(), &bytes.len().into()));
    }
}

#[test]
fn every_component_can_be_inspected() {
    for (name, _) in builtin::components() {
        let text = succeed(&["device", "inspect", name]);
        let value = json(&["device", "inspect", name, "--json"]);
        assert!(text.contains(value["sha256"].as_str().unwrap()), "{name}");
        assert_eq!(value.get("state-unknown"), None, "{name}");
        for region in value["regions"].as_array().unwrap() {
            assert!(text.contains(region["name"].as_str().unwrap()), "{name}");
        }
    }
}

#[test]
fn a_file_is_inspected_like_the_component_it_holds() {
    let files = Files::new();
    let file = files.write("device.wasm", builtin::component("piix4-pm").unwrap());
    let value = json(&["device", "inspect", &file, "--json"]);
    assert_eq!(value, json(&["device", "inspect", "piix4-pm", "--json"]));
    let named = |list: &Value, name: &str| {
        let list = list.as_array().unwrap();
        list.iter().any(|item| item["name"] == name)
    };
    assert_eq!((&value["name"], &value["attachment"]), (&"piix4-pm".into(), &"pci".into()));
    assert!(named(&value["regions"], "pm-timer") && named(&value["lines"], "sci"));
    assert!(named(&value["properties"], "smbus-migration") && named(&value["state"], "piix4_pm"));
    let imports = value["imports"].as_array().unwrap();
    let needs_grant = |name: &str| {
        let import = imports.iter().find(|import| import["interface"] == name);
        import.unwrap()["needs-grant"].as_bool().unwrap()
    };
    assert!(needs_grant("power") && needs_grant("i2c-bus") && !needs_grant("timers"));
}

#[test]
fn a_reader_that_stops_reading_is_no_error() {
    let mut child = command(&["machine", "list", "--json"]);
    let mut child = child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((said.as_str(), child.wait().unwrap().code()), ("", Some(0)));
}

#[test]
fn colour_is_there_when_it_is_asked_for() {
    let ended = run(&["--color", "always", "machine", "show", "no-such"]);
    assert!(ended.stderr.starts_with("southbridge: \x1b[1;31merror:\x1b[0m "), "{}", ended.stderr);
    assert!(succeed(&["device", "list", "--color", "always"]).starts_with("\x1b[1mNAME"));
}

#[test]
fn every_option_is_documented() {
    let commands: [&[&str]; 10] = [
        &[],
        &["run"],
        &["demo"],
        &["swap"],
        &["machine", "list"],
        &["machine", "show"],
        &["device", "list"],
        &["device", "inspect"],
        &["state", "detect"],
        &["state", "inspect"],
    ];
    for command in commands {
        let arguments = [command, &["-h"]].concat();
        let text = succeed(&arguments);
        let lines: Vec<_> = text.lines().collect();
        let option = |line: &str| line.trim_start().starts_with('-') && line.starts_with(' ');
        for pair in lines.windows(2).filter(|pair| option(pair[0])) {
            let same_line = pair[0].trim().contains("  ");
            let next_line = pair[1].starts_with("          ");
            assert!(same_line || next_line, "{arguments:?}: {}", pair[0]);
        }
    }
}

#[test]
fn a_component_is_exported_as_it_is() {
    let files = Files::new();
    let file = files.write("exported.wasm", "");
    assert_eq!(succeed(&["device", "export", "piix4-pm+traced", &file]), "");
    assert_eq!(std::fs::read(&file).unwrap(), builtin::component("piix4-pm+traced").unwrap());
    let line = fail(&["device", "export", "piix4-pn", &file]);
    assert!(line.contains("nearest: piix4-pm"), "{line}");
    let line = fail(&["device", "export", "piix4-pm", "/proc/exported.wasm"]);
    assert!(line.starts_with("cannot write /proc/exported.wasm: "), "{line}");
}

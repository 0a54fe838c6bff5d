//! Southbridge's own commands, and what QEMU has and this program does not.

use serde_json::{Value, json};
use southbridge::control::qmp::{
    Chardev, Class, Client, ClientError, Device, Done, Replaced, Swap,
};
use southbridge::control::qmp::{NoArguments, RollBack, SaveState, Saved};

use crate::common::driven::Driven;
use crate::common::qmp_peer::Peer;

const QUERY: &str = "__org.southbridge_query-devices";

#[test]
fn devices_are_listed_and_replaced_and_come_back() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut client = Client::connect(&listening.path).unwrap();
    let pm = |client: &mut Client| {
        let devices: Vec<Device> = client.execute(QUERY, &NoArguments {}).unwrap();
        devices.into_iter().find(|device| device.slot == "pm").unwrap()
    };
    let before = pm(&mut client);
    assert_eq!((before.device.as_str(), before.swaps), ("piix4-pm 0.1.0", 0));

    let swap = Swap { slot: "pm".into(), component: "piix4-pm+traced".into(), guard_ms: None };
    let replaced: Replaced = client.execute("__org.southbridge_swap", &swap).unwrap();
    assert_eq!(replaced.to, "piix4-pm 0.1.0+traced");
    assert!(replaced.state_moved);
    let back = RollBack { slot: "pm".into() };
    let back: Replaced = client.execute("__org.southbridge_roll-back", &back).unwrap();
    assert_eq!((back.from, back.to), (replaced.to, replaced.from));
    let after = pm(&mut client);
    assert_eq!((after.device.as_str(), after.swaps), ("piix4-pm 0.1.0", 2));
}

#[test]
fn what_is_no_swap_is_refused() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut peer = Peer::negotiated(&listening.path);
    for (command, arguments, expected) in [
        ("swap", json!({}), "Parameter 'slot' is missing"),
        ("swap", json!({"slot": "pm"}), "Parameter 'component' is missing"),
        ("roll-back", json!({"slot": 1}), "Invalid parameter type for 'slot', expected: string"),
        ("roll-back", json!({"slot": "pm"}), "no earlier version"),
        ("roll-back", json!({"slot": "mp"}), "no slot \"mp\""),
        ("swap", json!({"slot": "pm", "component": "/dev/zero"}), "not a regular file"),
        ("swap", json!({"slot": "pm", "component": "nothing"}), "no component \"nothing\""),
        ("swap", json!({"slot": "pm", "component": "serial"}), "pm"),
        ("save-state", json!({"filename": "/nonexistent/x"}), "/nonexistent/x: cannot write"),
    ] {
        let answer = peer.try_execute(&format!("__org.southbridge_{command}"), arguments);
        assert_eq!(answer["error"]["class"], "GenericError", "{answer}");
        let desc = answer["error"]["desc"].as_str().unwrap();
        assert!(desc.contains(expected), "{command}: {desc}");
    }
}

#[test]
fn a_state_is_saved_whole() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut client = Client::connect(&listening.path).unwrap();
    let filename = listening.directory.path().join("state").display().to_string();
    let save = SaveState { filename: filename.clone() };
    let saved: Saved = client.execute("__org.southbridge_save-state", &save).unwrap();
    let bytes = std::fs::read(&filename).unwrap();
    assert_eq!(saved.bytes, bytes.len());
    let expected = driven.guest.still(|machine| machine.save_stream()).unwrap().unwrap();
    assert!(bytes == expected.write(&[]), "another state than the machine's");
    assert_eq!(saved.sections, expected.devices.sections.len());
}

#[test]
fn a_refusal_has_its_class() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut client = Client::connect(&listening.path).unwrap();
    let error = client.execute::<_, Done>("system_up", &NoArguments {}).unwrap_err();
    let ClientError::Refused(error) = error else { panic!("{error}") };
    assert_eq!(error.class, Class::CommandNotFound);
    assert_eq!(error.to_string(), "The command system_up has not been found");
}

/// What of QEMU's answers is its own machine's, and another one here.
#[test]
fn what_is_not_there_is_said() {
    let chardev = Chardev {
        frontend_open: true,
        filename: "unix:/run/control,server=on".into(),
        label: "control".into(),
    };
    let listed = chardev.clone();
    let driven = Driven::with("pc-i440fx-7.2", |setup| {
        setup.chardevs = Box::new(move || vec![listed.clone()])
    });
    let listening = driven.listen();
    let mut peer = Peer::negotiated(&listening.path);
    let kvm = json!({"enabled": false, "present": true});
    let chardevs = json!([{
        "frontend-open": true, "filename": chardev.filename, "label": chardev.label
    }]);
    for (command, expected) in [
        ("query-kvm", kvm),
        ("query-chardev", chardevs),
        (
            "query-mice",
            json!([{
                "index": 2, "name": "QEMU PS/2 Mouse", "current": true, "absolute": false
            }]),
        ),
        ("query-yank", json!([])),
    ] {
        assert_eq!(peer.execute(command), expected, "{command}");
    }
    let cpus = peer.execute("query-cpus-fast");
    assert_eq!(cpus[0]["thread-id"], std::process::id());
}

/// The document and the program list the same commands.
#[test]
fn all_commands_are_documented() {
    let driven = Driven::new("pc-i440fx-7.2");
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/qmp.md");
    let text = std::fs::read_to_string(path).unwrap();
    let documented: Vec<_> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|line| line.split_once('`').map(|(name, _)| name))
        .collect();
    let mut sorted = documented.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, driven.qmp.registry().names().collect::<Vec<_>>());
    let listening = driven.listen();
    let listed = Peer::negotiated(&listening.path).execute("query-commands");
    let listed: Vec<_> = listed.as_array().unwrap().iter().map(|info| &info["name"]).collect();
    assert_eq!(
        listed,
        sorted.iter().map(|name| json!(name)).collect::<Vec<Value>>().iter().collect::<Vec<_>>()
    );
}

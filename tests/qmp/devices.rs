//! Devices that fail, are replaced and come back, as clients hear of it.

use serde_json::{Value, json};
use southbridge::component::Effects;
use tempfile::TempDir;

use crate::common::driven::{Driven, Listening, qtest_of};
use crate::common::qmp_peer::Peer;
use crate::common::zoo;

const COUNT: u16 = 0x600;

/// A PC with a counter that fails when it is read, its control socket, and a
/// directory for components.
struct Setup {
    driven: Driven,
    listening: Listening,
    directory: TempDir,
}

impl Setup {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let component = file(&directory, "traps-in-read");
        let changes = format!(
            "[machine.recorded.device.counter]\ncomponent = {component:?}\n\
             grants = [\"streams\"]\n"
        );
        let build = |power| qtest_of("pc-i440fx-10.0", &changes, power);
        let driven = Driven::of(build, |_| {});
        let listening = driven.listen();
        driven.guest.machine().port_write(COUNT, 4, 7, &mut Effects::new());
        Self { driven, listening, directory }
    }

    fn peer(&self) -> Peer {
        Peer::negotiated(&self.listening.path)
    }

    fn read(&self) -> u64 {
        self.driven.guest.machine().port_read(COUNT, 4, &mut Effects::new())
    }
}

/// The component of a kind in a file.
fn file(directory: &TempDir, kind: &str) -> String {
    let file = directory.path().join(format!("{kind}.wasm"));
    std::fs::write(&file, zoo::component(kind)).unwrap();
    file.display().to_string()
}

/// Has a command executed; the events up to its answer, and the answer.
fn execute(peer: &mut Peer, command: &str, arguments: Value) -> (Vec<Value>, Value) {
    let request =
        json!({"execute": format!("__org.southbridge_{command}"), "arguments": arguments});
    peer.send(format!("{request}\n").as_bytes());
    let mut events = Vec::new();
    loop {
        let value = peer.receive();
        if value.get("event").is_none() {
            return (events, value);
        }
        events.push(value);
    }
}

#[test]
fn a_fault_a_restore_and_a_swap_are_events() {
    let setup = Setup::new();
    let (mut peer, mut other) = (setup.peer(), setup.peer());
    let slot = json!({"slot": "counter"});

    let (events, kept) = execute(&mut peer, "checkpoint", slot.clone());
    assert_eq!(events, [] as [Value; 0]);
    let kept = &kept["return"][0];
    assert_eq!((&kept["slot"], &kept["device"]), (&"counter".into(), &"counter 1.0.0".into()));
    assert!(kept["bytes"].as_u64().unwrap() > 0 && kept["time"].is_u64());

    assert_eq!(setup.read(), 0xffff_ffff);
    for peer in [&mut peer, &mut other] {
        let event = peer.receive();
        assert_eq!(event["event"], "__org.southbridge_DEVICE_FAULT");
        let data = event["data"].as_object().unwrap();
        assert_eq!(
            data.keys().map(String::as_str).collect::<Vec<_>>(),
            ["device", "export", "number", "reason", "slot", "time"]
        );
        assert_eq!((&data["slot"], &data["export"]), (&"counter".into(), &"io-read".into()));
        assert_eq!(data["number"], 1);
    }
    let (_, faults) = execute(&mut peer, "query-faults", json!({}));
    let fault = &faults["return"][0];
    assert_eq!((&fault["number"], &fault["device"]), (&1.into(), &"counter 1.0.0".into()));
    assert!(fault["backtrace"].as_str().unwrap().contains("io-read"), "{fault}");

    let (events, restored) = execute(&mut peer, "restore", slot.clone());
    assert_eq!(events[0]["event"], "__org.southbridge_DEVICE_RESTORED");
    assert_eq!(events[0]["data"], restored["return"]);
    assert_eq!(restored["return"]["state-moved"], false);
    assert!(restored["return"]["checkpoint-age-ns"].is_u64());

    assert_eq!(setup.read(), 0xffff_ffff);
    let component = file(&setup.directory, "first");
    let arguments = json!({"slot": "counter", "component": component});
    let (events, swapped) = execute(&mut peer, "swap", arguments);
    let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["__org.southbridge_DEVICE_FAULT", "__org.southbridge_DEVICE_SWAPPED"]);
    assert_eq!(events[1]["data"], swapped["return"]);
    assert_eq!(setup.read(), 7, "as it was at the checkpoint");
    // The other client has heard the same.
    for expected in ["RESTORED", "FAULT", "SWAPPED"] {
        assert_eq!(other.receive()["event"], format!("__org.southbridge_DEVICE_{expected}"));
    }

    let (_, devices) = execute(&mut peer, "query-devices", json!({}));
    let mut devices = devices["return"].as_array().unwrap().iter();
    let counter = devices.find(|device| device["slot"] == "counter").unwrap();
    for (name, expected) in
        [("reads", 3), ("writes", 1), ("faults", 2), ("swaps", 1), ("restores", 1), ("mapped", 1)]
    {
        assert_eq!(counter[name], expected, "{name}: {counter}");
    }
    assert!(counter["checkpoint-age-ns"].is_u64());
    let (_, answer) = execute(&mut peer, "forget-checkpoint", slot);
    assert_eq!(answer["return"], json!({}));
}

#[test]
fn what_cannot_be_kept_or_restored_is_refused() {
    let setup = Setup::new();
    let mut peer = setup.peer();
    let mut refused = |command: &str, arguments: Value| {
        let (_, answer) = execute(&mut peer, command, arguments);
        assert_eq!(answer["error"]["class"], "GenericError", "{answer}");
        answer["error"]["desc"].as_str().unwrap().to_owned()
    };
    let slot = json!({"slot": "counter"});
    for command in ["checkpoint", "forget-checkpoint", "restore", "query-faults"] {
        assert!(refused(command, json!({"slot": "x"})).starts_with("no slot \"x\""), "{command}");
        let wrong = refused(command, json!({"slot": 1}));
        assert_eq!(wrong, "Invalid parameter type for 'slot', expected: string");
        refused(command, json!({"slot": "counter", "more": 1}));
    }
    assert_eq!(refused("restore", json!({})), "Parameter 'slot' is missing");
    assert!(refused("restore", slot.clone()).contains("the device is in service"));
    setup.read();
    assert!(refused("restore", slot.clone()).contains("there is no checkpoint"));
    assert!(refused("checkpoint", slot).contains("out of service: it has no state"));
    let error = refused("checkpoint", json!({}));
    assert_eq!(
        error,
        "slot counter: the device is out of service: it has no state; all others are kept"
    );
}

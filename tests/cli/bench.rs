//! Devices on the bench, as far as that needs no crate: `tests/authoring.rs` has the rest.

use serde_json::Value;

use super::program::{Files, fail, run, succeed};

#[test]
fn a_device_is_checked_by_name() {
    let files = Files::new();
    let out = files.text("out");
    let arguments = ["device", "check", "debugcon", "--steps", "100", "--out", &out];
    let text = succeed(&arguments);
    assert!(text.starts_with("debugcon "), "{text}");
    assert!(text.contains("\nA machine must grant it streams.\n"), "{text}");
    assert!(text.contains("\nin-service   holds\n"), "{text}");
    assert!(text.ends_with("No law is broken in 100 actions for each, seed 1.\n"), "{text}");
    assert!(!std::path::Path::new(&out).exists(), "nothing is saved of what holds");

    let text = succeed(&[&arguments[..], &["--json"]].concat());
    let value: Value = serde_json::from_str(&text).expect("one object");
    let laws = value["laws"].as_array().expect("the laws");
    assert!(laws.len() > 8 && laws.iter().all(|law| law["holds"] == true), "{text}");

    let ended = run(&[&arguments[..], &["--grant", "power"]].concat());
    assert_eq!(ended.status, Some(1));
    assert!(ended.stdout.contains("\nimports      BROKEN: imports streams, which is not granted"));
    assert!(std::path::Path::new(&out).join("debugcon-imports.record").exists());
}

#[test]
fn a_device_is_fuzzed_as_often_as_is_said() {
    let text = succeed(&["device", "fuzz", "debugcon", "--runs", "5", "--seed", "3"]);
    let last = text.lines().last().expect("a summary");
    assert!(last.contains(" actions in 5 runs, "), "{text}");
    assert!(last.ends_with(" a second, seed 3: 0 kinds of failure"), "{text}");
}

#[test]
fn a_record_by_hand_is_replayed() {
    let files = Files::new();
    let record = files.write("a.record", "southbridge record 1\n> write port 0 1 0x41\n");
    let text = succeed(&["device", "replay", "debugcon", &record]);
    let expected = "> write port 0x0 1 0x41\n< put data 0x41\n< OK\n";
    assert!(text.ends_with(expected), "{text}");

    let same = ["device", "replay", "debugcon", &record, "--against", "debugcon"];
    assert_eq!(succeed(&same), "no difference in 1 actions\n");

    let other = "southbridge record 1\n> read port 0 1\n< OK 0x41\n";
    let record = files.write("b.record", other);
    let ended = run(&["device", "replay", "debugcon", &record]);
    assert_eq!(ended.status, Some(1));
    let expected = "> read port 0x0 1\n< OK 0xe9\n# line 2, recorded: OK 0x41\n\
        # 1 actions came to something else than recorded\n";
    assert!(ended.stdout.ends_with(expected), "{}", ended.stdout);
}

#[test]
fn what_cannot_be_put_on_the_bench_is_refused() {
    let files = Files::new();
    let error = fail(&["device", "check", "debugcon", "--property", "base=1"]);
    assert!(error.starts_with("property base: the device has iobase"), "{error}");
    let error = fail(&["device", "check", "debugcon", "--property", "iobase=x"]);
    assert!(error.starts_with("property iobase: \"x\", a number"), "{error}");
    let error = fail(&["device", "check", "debugcon", "--property", "iobase=0x10000"]);
    assert!(error.contains("out of range"), "{error}");
    let error = fail(&["device", "check", "no-such-device"]);
    assert!(error.starts_with("no component"), "{error}");
    let error = fail(&["device", "replay", "debugcon", "/nowhere/a.record"]);
    assert!(error.starts_with("/nowhere/a.record: cannot read"), "{error}");
    let record = files.write("a.record", "southbridge record 1\n> fly\n");
    let error = fail(&["device", "replay", "debugcon", &record]);
    assert!(error.contains("a.record: line 2: \"fly\": one of reset, "), "{error}");
}

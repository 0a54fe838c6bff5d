//! Drives, what is in them, and something else instead.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use southbridge::control::qtest::Qtest;
use southbridge::images::{self, Wanted};
use southbridge::machine::{Backends, DriveKind, GivenDrive, HostDrive, Opened};
use storage::{Access, Cache, Locking, Policy};
use tempfile::TempDir;

use crate::common::driven::Driven;
use crate::common::plan::plan;
use crate::common::qmp_peer::Peer;

/// A guest with a disk and a CD-ROM drive.
struct Setup {
    _driven: Driven,
    files: TempDir,
    peer: Peer,
}

fn open(file: &PathBuf, kind: DriveKind) -> HostDrive {
    let access = if kind == DriveKind::Cdrom { Access::ReadOnly } else { Access::ReadWrite };
    let (format, cache, locking) = (Some("raw"), Cache::default(), Locking::default());
    let (inserted, _) = images::open(&Wanted { file, format, kind, access, cache, locking })
        .expect("it is an image");
    HostDrive::new(Some(inserted), Policy::default())
}

impl Setup {
    fn new() -> Self {
        let files = tempfile::tempdir().expect("there is room for a directory");
        let image = |name: &str, size: u64| {
            let path = files.path().join(name);
            let file = std::fs::File::create(&path).expect("the directory is empty");
            file.set_len(size).expect("there is room");
            path
        };
        let disk = image("disk.img", 1 << 20);
        image("a.iso", 1 << 16);
        image("b.iso", 1 << 17);
        let mut backends = Backends::default();
        let given = |kind, label: &str, device: Option<&str>, number| GivenDrive {
            kind,
            label: label.into(),
            device: device.map(Into::into),
            number,
            opened: Opened { read_only: kind == DriveKind::Cdrom, ..Opened::default() },
        };
        let disk = open(&disk, DriveKind::Disk).given(given(DriveKind::Disk, "ide0-hd0", None, 0));
        let cd = given(DriveKind::Cdrom, "ide1-cd0", Some("cd"), 1);
        let cd = open(&files.path().join("a.iso"), DriveKind::Cdrom).given(cd);
        backends.drives.extend([("ide0".into(), disk), ("ide2".into(), cd)]);
        let build = |power| {
            let kinds = "[machine.recorded.device.ide.properties]\n\
                         kind0 = \"disk\"\nkind2 = \"cdrom\"\n";
            let (plan, ram) = plan("pc-i440fx-7.2", kinds);
            let qtest = Qtest::build(&plan, &ram, None, &backends, power);
            Arc::new(qtest.expect("the machine can be built"))
        };
        let driven = Driven::of(build, |_| {});
        let peer = driven.peer();
        Self { _driven: driven, files, peer }
    }

    fn file(&self, name: &str) -> String {
        self.files.path().join(name).display().to_string()
    }

    /// Has a command executed; whether the tray moved meanwhile, and the answer or the
    /// error's class and words.
    fn execute(&mut self, command: &str, arguments: Value) -> (Vec<bool>, Result<Value, String>) {
        let request = json!({"execute": command, "arguments": arguments});
        self.peer.send(format!("{request}\n").as_bytes());
        let (events, answer) = self.peer.events_and_answer();
        let moved = |event: &Value| {
            assert_eq!(
                (&event["event"], &event["data"]["device"]),
                (&json!("DEVICE_TRAY_MOVED"), &json!("ide1-cd0"))
            );
            event["data"]["tray-open"].as_bool().expect("it is open or not")
        };
        let answer = match answer.get("return") {
            Some(answer) => Ok(answer.clone()),
            None => Err(format!("{}: {}", answer["error"]["class"], answer["error"]["desc"])
                .replace('"', "")),
        };
        (events.iter().map(moved).collect(), answer)
    }

    fn human(&mut self, line: &str) -> (Vec<bool>, String) {
        let (moved, printed) = self.execute("human-monitor-command", json!({"command-line": line}));
        (moved, printed.unwrap().as_str().unwrap().replace('\r', ""))
    }

    /// The drive with the tray, as `query-block` has it.
    fn cd(&mut self) -> Value {
        self.peer.execute("query-block")[1].clone()
    }
}

#[test]
fn drives_are_said_as_qemu_says_them() {
    let mut setup = Setup::new();
    let (disk, cd) = (setup.file("disk.img"), setup.file("a.iso"));
    let inserted = |file: &str, size: u64, read_only: bool, node: &str| {
        json!({
            "iops_rd": 0, "detect_zeroes": "off",
            "image": {
                "virtual-size": size, "filename": file, "format": "raw", "actual-size": 0,
                "dirty-flag": false
            },
            "iops_wr": 0, "ro": read_only, "node-name": node, "backing_file_depth": 0,
            "drv": "raw", "iops": 0, "bps_wr": 0, "write_threshold": 0, "encrypted": false,
            "bps": 0, "bps_rd": 0,
            "cache": {"no-flush": false, "direct": false, "writeback": true}, "file": file
        })
    };
    let expected = json!([
        {
            "io-status": "ok", "device": "ide0-hd0", "locked": false, "removable": false,
            "inserted": inserted(&disk, 1 << 20, false, "#block000"), "qdev": "ide0-hd0",
            "type": "unknown"
        },
        {
            "io-status": "ok", "device": "ide1-cd0", "locked": false, "removable": true,
            "inserted": inserted(&cd, 1 << 16, true, "#block100"), "qdev": "cd",
            "tray_open": false, "type": "unknown"
        }
    ]);
    assert_eq!(setup.peer.execute("query-block"), expected);

    let statistics = setup.peer.execute("query-blockstats");
    assert_eq!(statistics[0]["device"], "ide0-hd0");
    assert_eq!(statistics[0]["parent"]["driver-specific"]["driver"], "file");
    assert_eq!(statistics[1]["stats"]["rd_operations"], 0);
    assert_eq!(statistics[1]["stats"].as_object().map(serde_json::Map::len), Some(26));
    let nodes = setup.peer.execute_with("query-blockstats", json!({"query-nodes": true}));
    assert_eq!(nodes.as_array().map(Vec::len), Some(4));
    assert_eq!(
        (&nodes[0]["node-name"], &nodes[1]["node-name"]),
        (&json!("#block001"), &json!("#block000"))
    );

    let of_disk = format!(
        "ide0-hd0 (#block000): {disk} (raw)\n    Attached to:      ide0-hd0\n    \
         Cache mode:       writeback\n"
    );
    let of_cd = format!(
        "\nide1-cd0 (#block100): {cd} (raw, read-only)\n    Attached to:      cd\n    \
         Removable device: not locked, tray closed\n    Cache mode:       writeback\n"
    );
    assert_eq!(setup.human("info block").1, format!("{of_disk}{of_cd}"));
    let details = format!(
        "\nImages:\nimage: {cd}\nfile format: raw\nvirtual size: 64 KiB (65536 bytes)\n\
         disk size: 0 B\n"
    );
    assert_eq!(setup.human("info block -v ide1-cd0").1, format!("{of_cd}{details}"));
    assert_eq!(setup.human("info block nope").1, "");
    assert!(setup.human("info block -n").1.starts_with("#block100: "));
    let (_, statistics) = setup.human("info blockstats");
    assert!(statistics.starts_with("ide0-hd0: rd_bytes=0 wr_bytes=0 rd_operations=0 "));
}

#[test]
fn a_medium_is_taken_out_and_another_one_put_in() {
    let mut setup = Setup::new();
    let (a, b) = (setup.file("a.iso"), setup.file("b.iso"));
    let done = || Ok(json!({}));
    assert_eq!(setup.execute("eject", json!({"device": "ide1-cd0"})), (vec![true], done()));
    let cd = setup.cd();
    assert_eq!((cd.get("inserted"), &cd["tray_open"]), (None, &json!(true)));
    // It is open already.
    assert_eq!(setup.execute("eject", json!({"id": "cd"})), (vec![], done()));

    let change = json!({"device": "ide1-cd0", "filename": b, "format": "raw"});
    assert_eq!(setup.execute("blockdev-change-medium", change.clone()), (vec![false], done()));
    let cd = setup.cd();
    assert_eq!((&cd["inserted"]["file"], &cd["tray_open"]), (&json!(b), &json!(false)));
    assert_eq!(
        (&cd["inserted"]["ro"], &cd["inserted"]["image"]["virtual-size"]),
        (&json!(true), &json!(1 << 17))
    );
    assert_eq!(setup.execute("blockdev-change-medium", change), (vec![true, false], done()));

    assert_eq!(
        setup.human(&format!("change ide1-cd0 {a} raw read-write")),
        (vec![true, false], String::new())
    );
    assert_eq!(setup.cd()["inserted"]["ro"], false);
    assert_eq!(setup.human("eject -f ide1-cd0"), (vec![true], String::new()));
    let empty = "\nide1-cd0: [not inserted]\n    Attached to:      cd\n    \
                 Removable device: not locked, tray open\n";
    assert_eq!(setup.human("info block ide1-cd0").1, empty);
}

#[test]
fn what_cannot_be_exchanged_is_refused_in_qemus_words() {
    let mut setup = Setup::new();
    let (a, disk) = (setup.file("a.iso"), setup.file("disk.img"));
    let which = "GenericError: Need exactly one of 'device' and 'id'";
    let fixed = "GenericError: Device 'ide0-hd0' is not removable";
    let nope = "DeviceNotFound: Device 'nope' not found";
    for (command, arguments, expected) in [
        ("eject", json!({}), which),
        ("eject", json!({"device": "a", "id": "b"}), which),
        ("eject", json!({"device": "nope"}), nope),
        ("eject", json!({"device": "ide0-hd0"}), fixed),
        // A place for a drive is none.
        ("eject", json!({"device": "ide1"}), "DeviceNotFound: Device 'ide1' not found"),
        ("change", json!({"filename": a}), which),
        ("change", json!({"device": "ide1-cd0"}), "GenericError: Parameter 'filename' is missing"),
        ("change", json!({"device": "nope", "filename": a}), nope),
        ("change", json!({"device": "ide0-hd0", "filename": a}), fixed),
        (
            "change",
            json!({"device": "ide1-cd0", "filename": "/nonexistent"}),
            "GenericError: Could not open '/nonexistent': No such file or directory",
        ),
        (
            "change",
            json!({"device": "ide1-cd0", "filename": a, "format": "nope"}),
            "GenericError: Unknown driver 'nope'",
        ),
        (
            "change",
            json!({"device": "ide1-cd0", "filename": a, "read-only-mode": "foo"}),
            "GenericError: Parameter 'read-only-mode' does not accept value 'foo'",
        ),
        (
            "change",
            json!({"device": "ide1-cd0", "filename": disk}),
            "GenericError: Failed to get shared write lock",
        ),
    ] {
        let command = if command == "change" { "blockdev-change-medium" } else { command };
        let refused = (vec![], Err(expected.to_owned().replace('"', "")));
        let (moved, answer) = setup.execute(command, arguments.clone());
        assert_eq!((moved, answer.map_err(|e| e.replace('\\', ""))), refused, "{arguments}");
    }
    for (line, expected) in [
        ("eject", "eject: block device name expected\nTry \"help eject\" for more information\n"),
        ("eject nope", "Error: Device 'nope' not found\n"),
        ("eject -x a", "eject: unsupported option -x\nTry \"help eject\" for more information\n"),
        (
            "change ide1-cd0",
            "change: filename expected\nTry \"help change\" for more information\n",
        ),
        ("change ide1-cd0 /x raw foo", "Error: invalid parameter value: foo\n"),
        ("change ide1-cd0 /x raw", "Error: Could not open '/x': No such file or directory\n"),
    ] {
        assert_eq!(setup.human(line), (vec![], expected.to_owned()), "{line}");
    }
    // Nothing has come of all this.
    assert_eq!(setup.cd()["inserted"]["file"], json!(a));
    let unknown = setup.execute("change", json!({"device": "ide1-cd0", "target": a}));
    assert_eq!(unknown.1, Err("CommandNotFound: The command change has not been found".into()));
}

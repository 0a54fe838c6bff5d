//! Saved states from one machine type's format to another's.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use vmstate::{Layouts, Section, Stream};

use super::program::{Ended, Files, fail, run, succeed};
use super::state::{detect, fits, saved_by_xl};
use crate::data::{Golden, golden, named};

/// Converts a state; returns what is said, and the result if there is one.
fn convert(files: &Files, to: &str, more: &[&str], bytes: &[u8]) -> (Json, Option<Vec<u8>>) {
    let (input, output) = (files.write("in", bytes), files.text("out"));
    let _ = std::fs::remove_file(&output);
    let arguments =
        [&["state", "convert", "--json", "--to", to], more, &[&input, &output]].concat();
    let Ended { status, stdout, stderr } = run(&arguments);
    let said: Json = serde_json::from_str(&stdout).unwrap_or_else(|_| panic!("{stderr}"));
    let result = std::fs::read(&output).ok();
    assert_eq!(said["written"], result.is_some(), "{stderr}");
    assert_eq!(status, Some(i32::from(result.is_none())), "{stderr}");
    // Nothing is left beside it.
    let left = std::fs::read_dir(files.path("")).unwrap().count();
    assert_eq!(left, 1 + usize::from(result.is_some()));
    (said, result)
}

/// Converts a state that a guest cannot tell from the result.
fn converted(files: &Files, to: &str, more: &[&str], bytes: &[u8]) -> Vec<u8> {
    let (said, result) = convert(files, to, more, bytes);
    result.unwrap_or_else(|| panic!("{said:#}"))
}

fn read(bytes: &[u8]) -> Stream {
    Stream::read(bytes, Layouts::builtin()).unwrap()
}

/// The sections by name and instance: version and payload.
fn contents(bytes: &[u8]) -> BTreeMap<(String, u32), (u32, Vec<u8>)> {
    let content =
        |section: Section| ((section.name, section.instance), (section.version, section.payload));
    read(bytes).devices.sections.into_iter().map(content).collect()
}

fn list<'a>(said: &'a Json, key: &str) -> &'a [Json] {
    said[key].as_array().unwrap()
}

/// The names of the fields in a list.
fn fields<'a>(said: &'a Json, key: &str) -> Vec<&'a str> {
    list(said, key).iter().map(|entry| entry["field"].as_str().unwrap()).collect()
}

/// Xen's states: with the machine type each is of, and the other one.
fn xen() -> impl Iterator<Item = (&'static Golden, &'static str, &'static str)> {
    golden().iter().filter_map(|golden| {
        let (old, new) = ("xenfv-3.1", "xenfv-4.2");
        match golden.name.contains("xenfv") {
            false => None,
            true if golden.name.contains("xenfv-4.2") => Some((golden, new, old)),
            true => Some((golden, old, new)),
        }
    })
}

/// Whether SMBus is idle in a state.
fn is_idle(golden: &Golden) -> bool {
    !golden.name.contains("smbus")
}

#[test]
fn states_of_xenfv_go_there_and_back() {
    let files = Files::new();
    let (mut there, mut refused) = (0, 0);
    for (golden, own, other) in xen() {
        let (said, result) = convert(&files, other, &[], &golden.bytes);
        assert_eq!((&said["from"], &said["to"]), (&own.into(), &other.into()), "{}", golden.name);
        let Some(result) = result else {
            assert!(!is_idle(golden) && other == "xenfv-3.1", "{}: {said:#}", golden.name);
            refused += 1;
            continue;
        };
        assert_eq!(fits(&detect(&files.text("out"))), [other], "{}", golden.name);
        // QEMU drops a transfer that it finds in a state without the controller's.
        if !is_idle(golden) {
            continue;
        }
        assert_eq!(list(&said, "changed"), [Json::Null; 0], "{}", golden.name);
        let back = converted(&files, own, &[], &result);
        assert!(contents(&back) == contents(&golden.bytes), "{}", golden.name);
        if own == "xenfv-3.1" {
            assert!(back == golden.bytes, "{}", golden.name);
        }
        there += 1;
    }
    assert!(there >= 30 && refused >= 6, "{there} there and back, {refused} refused");
}

#[test]
fn a_transaction_in_progress_is_not_dropped_silently() {
    let files = Files::new();
    for (case, to) in [
        ("xenfv-4.2/smbus.xsds", "xenfv-3.1"),
        ("xenfv-4.2/smbus-inflight.xsds", "xenfv-3.1"),
        ("pc-i440fx-4.0/smbus-pending.bin", "pc-i440fx-3.1"),
    ] {
        let golden = named(&format!("qemu-7.2/{case}"));
        let (said, result) = convert(&files, to, &[], &golden.bytes);
        assert_eq!(result, None, "{case}");
        let noticed = fields(&said, "noticeable");
        assert!(noticed.iter().any(|field| field.starts_with("piix4_pm.smb.")), "{noticed:?}");

        let (said, result) = convert(&files, to, &["--force"], &golden.bytes);
        assert_eq!(fields(&said, "noticeable"), noticed);
        assert_eq!(fits(&detect(&files.text("out"))), [to]);
        // All but what has to do with SMBus is as it was.
        let (old, new) = (contents(&golden.bytes), contents(&result.unwrap()));
        for (key, new) in &new {
            let is_smbus = key.0 == "i2c_bus" || key.0.ends_with("piix4_pm");
            assert!(is_smbus || old[key] == *new, "{key:?}");
        }
        for (name, _) in old.keys().filter(|key| !new.contains_key(key)) {
            assert_eq!(name, "smbus-eeprom");
        }
    }
}

#[test]
fn what_is_dropped_is_said_with_value_and_place() {
    let files = Files::new();
    let bytes = &named("qemu-7.2/xenfv-4.2/smbus.xsds").bytes;
    let (said, _) = convert(&files, "xenfv-3.1", &[], bytes);
    let section = read(bytes).devices.section("0000:00:01.3/piix4_pm", 0).unwrap().clone();
    // Behind the function, PM1 and APM.
    let start = section.offset as usize + 284;
    let dropped: Vec<_> = list(&said, "dropped")
        .iter()
        .filter(|entry| entry["section"] == "0000:00:01.3/piix4_pm")
        .collect();
    assert_eq!(dropped.len(), 14);
    for (at, name) in ["smb_stat", "smb_ctl", "smb_cmd", "smb_addr"].iter().enumerate() {
        assert_eq!(dropped[at]["field"], format!("smb.{name}"));
        assert_eq!(dropped[at]["offset"], start + at);
        assert_eq!(dropped[at]["value"], bytes[start + at]);
    }
    assert_eq!(list(&said, "invented"), [Json::Null; 0]);

    let (input, output) = (files.text("in"), files.text("out"));
    let arguments = ["state", "convert", "--to", "xenfv-3.1", &input, &output];
    let Ended { status, stdout, stderr } = run(&arguments);
    assert_eq!(status, Some(1));
    let count = list(&said, "noticeable").len();
    let line = format!(
        "southbridge: error: {input}: not converted: a guest could notice that {count} values \
         would be lost, which are listed; pass --force to convert all the same\n"
    );
    assert_eq!(stderr, line);
    assert!(stdout.contains(": xenfv-4.2 to xenfv-3.1, nothing written\n"), "{stdout}");
    let row = format!("{start:#x}  0000:00:01.3/piix4_pm  smb.smb_stat ");
    assert!(stdout.contains(&row), "{stdout}");
    assert!(stdout.contains("\na guest could notice:\n  DEVICE "), "{stdout}");
    let arguments = ["state", "convert", "--force", "--to", "xenfv-3.1", &input, &output];
    let text = succeed(&arguments);
    assert!(text.contains(&format!("xenfv-3.1, written to {output}\n")), "{text}");
}

#[test]
fn what_is_invented_is_said_with_value_and_place() {
    let files = Files::new();
    let (said, result) = convert(&files, "xenfv-4.2", &[], &named("xl/qemu7.2-xenfv.qevm").bytes);
    let result = result.unwrap();
    assert_eq!(list(&said, "dropped"), [Json::Null; 0]);
    assert_eq!(list(&said, "noticeable"), [Json::Null; 0]);
    let invented = list(&said, "invented");
    let auxctl = invented.iter().find(|entry| entry["field"] == "smb.smb_auxctl").unwrap();
    // PIIX4 starts with the block buffer on.
    assert_eq!(auxctl["value"], 2);
    assert_eq!(result[auxctl["offset"].as_u64().unwrap() as usize], 2);
    // Devices nobody here has are said to be as they were.
    let kept = list(&said, "kept");
    assert!(kept.iter().any(|entry| entry["section"] == "apic"), "{said:#}");
}

/// Streams of two machine types in which the same was done.
const PAIRS: [(&str, &str, &str); 5] = [
    ("qemu-7.2", "pc-i440fx-2.3", "pc-i440fx-2.5"),
    ("qemu-7.2", "pc-i440fx-3.1", "pc-i440fx-4.0"),
    ("qemu-7.2", "pc-i440fx-6.2", "pc-i440fx-7.2"),
    ("qemu-10.0", "pc-i440fx-7.2", "pc-i440fx-10.0"),
    ("qemu-10.0", "pc-i440fx-9.2", "pc-i440fx-10.0"),
];

#[test]
fn the_result_is_what_qemu_saves_on_the_other_machine() {
    let files = Files::new();
    for (qemu, old, new) in PAIRS {
        for (from, to) in [(old, new), (new, old)] {
            for case in ["reset", "poked"] {
                let of = |machine: &str| named(&format!("{qemu}/{machine}/{case}.bin"));
                // The oldest do not say of which machine they are.
                let (said, result) = convert(&files, to, &["--from", from], &of(from).bytes);
                let result = result.unwrap_or_else(|| panic!("{from} to {to}: {said:#}"));
                let (found, expected) = (read(&result), of(to).read());
                assert_eq!(found.configuration, expected.configuration, "{from} to {to}");
                assert_eq!(found.devices.footers, expected.devices.footers, "{from} to {to}");
                let described = |stream: &Stream| stream.devices.description.is_some();
                assert_eq!(described(&found), described(&expected), "{from} to {to}");
                assert_eq!(found.live.commands, expected.live.commands, "{from} to {to}");
                assert_eq!(found.live.pages, of(from).read().live.pages);
                let kept: Vec<_> = list(&said, "kept")
                    .iter()
                    .map(|kept| kept["section"].as_str().unwrap())
                    .collect();
                let (found, expected) = (contents(&result), contents(&of(to).bytes));
                let modelled = |key: &&(String, u32)| {
                    !kept.contains(&key.0.as_str()) && key.0 != "timer" && key.0 != "globalstate"
                };
                let mut count = 0;
                for key in expected.keys().filter(modelled) {
                    assert!(
                        found.get(key) == Some(&expected[key]),
                        "{from} to {to} {case}: {key:?}"
                    );
                    count += 1;
                }
                assert!(count > 10, "{count} sections");
                assert_eq!(
                    found.contains_key(&("globalstate".to_owned(), 0)),
                    expected.contains_key(&("globalstate".to_owned(), 0)),
                    "{from} to {to}"
                );
            }
        }
    }
}

#[test]
fn the_result_is_read_by_its_own_description() {
    let files = Files::new();
    let golden = named("qemu-7.2/pc-i440fx-3.1/poked.bin");
    let result = converted(&files, "pc-i440fx-4.0", &[], &golden.bytes);
    let stream = Stream::read(&result, &Layouts::default()).unwrap();
    let layouts = stream.devices.layouts().unwrap().unwrap();
    let section = stream.devices.section("0000:00:01.3/piix4_pm", 0).unwrap();
    let structure = layouts.decode(section).unwrap().structure;
    assert!(structure.get(&["smb", "smb_stat"]).is_some());
}

#[test]
fn guest_memory_is_copied() {
    let files = Files::new();
    let golden = named("qemu-10.0/pc-i440fx-9.2/reset.bin");
    let result = converted(&files, "pc-i440fx-10.0", &[], &golden.bytes);
    let live = |bytes: &[u8]| {
        let range = read(bytes).live.range;
        bytes[range.start as usize..range.end as usize].to_vec()
    };
    assert!(live(&result) == live(&named("qemu-10.0/pc-i440fx-10.0/reset.bin").bytes));
    let back = converted(&files, "pc-i440fx-9.2", &[], &result);
    // The description was written anew, as the machine's name has another length.
    let described = |bytes: &[u8]| {
        let mut stream = read(bytes);
        let description = stream.devices.description.take().unwrap();
        (stream, serde_json::from_str::<Json>(&description).unwrap())
    };
    assert!(described(&back) == described(&golden.bytes));
    assert!(live(&back) == live(&golden.bytes));
}

#[test]
fn of_a_file_of_xl_save_only_the_devices_state_changes() {
    let files = Files::new();
    let golden = named("xl/qemu7.2-xenfv.qevm");
    let state = converted(&files, "xenfv-4.2", &[], &golden.bytes);
    for memory in [0, 8192, (3 << 20) + 8] {
        let (said, result) = convert(&files, "xenfv-4.2", &[], &saved_by_xl(memory, &golden.bytes));
        let result = result.unwrap();
        assert!(result == saved_by_xl(memory, &state), "{memory} bytes of memory");
        let invented = list(&said, "invented");
        let auxctl = invented.iter().find(|entry| entry["field"] == "smb.smb_auxctl").unwrap();
        assert_eq!(result[auxctl["offset"].as_u64().unwrap() as usize], 2);
        let back = converted(&files, "xenfv-3.1", &[], &result);
        assert!(back == saved_by_xl(memory, &golden.bytes));
    }
}

#[test]
fn a_state_that_names_no_machine_is_checked_by_its_format() {
    let files = Files::new();
    let of = |machine: &str| &named(&format!("qemu-7.2/{machine}/poked.xsds")).bytes;
    // Several versions save such a state, and not all of them mean the same by it.
    let from_3_1 = ["--from", "pc-i440fx-3.1"];
    let (said, result) = convert(&files, "pc-i440fx-4.0", &from_3_1, of("pc-i440fx-3.1"));
    let result = result.unwrap();
    let stream = read(&result);
    assert_eq!(stream.configuration, None);
    assert!(stream.live.range.is_empty() && stream.devices.description.is_none());
    assert!(fits(&detect(&files.text("in"))).contains(&said["from"].as_str().unwrap()));
    assert!(fits(&detect(&files.text("out"))).contains(&"pc-i440fx-4.0"));
    let line = fail(&["state", "convert", "--to", "pc", &files.text("in"), &files.text("out")]);
    assert!(line.contains("--from says which it is"), "{line}");

    // A machine type that saves so too, but never without one device more.
    let machine = "[machine.more]\ninherits = \"pc-i440fx-3.1\"\n\
                   [machine.more.device.com3]\ncomponent = \"serial\"\ngrants = [\"streams\"]\n\
                   properties = { iobase = 0x3e8 }\nstreams = { data = \"com3\" }\n";
    let machines = files.write("more.toml", machine);
    let (input, output) = (files.text("in"), files.text("more"));
    let arguments = ["state", "convert", "--to", "pc-i440fx-4.0", "--machine-file", &machines];
    let text = succeed(&[&arguments[..], &from_3_1, &[&input, &output]].concat());
    assert!(!text.contains(": more to "), "{text}");
    assert!(std::fs::read(&output).unwrap() == result);
    let from = ["--from", "more", &input, &output];
    let line = fail(&[&arguments[..], &from].concat());
    assert!(line.contains("the state is not one of more: section serial is missing"), "{line}");
    // Hot-plug on bridges switched off, which no machine type does.
    let mut stream = named("qemu-7.2/pc-i440fx-4.2/nobridge.bin").read();
    (stream.configuration, stream.devices.description) = (None, None);
    let none = files.write("none", stream.write(&[]));
    let line = fail(&["state", "convert", "--to", "pc", &none, &output]);
    assert!(line.contains("no machine type saves such a state"), "{line}");
}

#[test]
fn a_file_can_be_converted_in_place() {
    let files = Files::new();
    let golden = named("qemu-10.0/xenfv/libxl.xsds");
    let expected = converted(&files, "xenfv-4.2", &[], &golden.bytes);
    let file = files.text("in");
    succeed(&["state", "convert", "--to", "xenfv-4.2", &file, &file]);
    assert!(std::fs::read(&file).unwrap() == expected);
    let link = files.text("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    succeed(&["state", "convert", "--to", "xenfv", &file, &link]);
    assert!(std::fs::read(&file).unwrap() == golden.bytes);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn what_exists_stays_if_nothing_is_written() {
    let files = Files::new();
    let input = files.write("in", &named("qemu-7.2/xenfv-4.2/smbus.xsds").bytes);
    let output = files.write("out", "precious");
    let ended = run(&["state", "convert", "--to", "xenfv-3.1", &input, &output]);
    assert_eq!(ended.status, Some(1));
    assert_eq!(std::fs::read(&output).unwrap(), b"precious");
}

#[test]
fn only_who_could_read_the_guest_can_read_the_result() {
    use std::fs::{Permissions, metadata, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::new();
    let input = files.write("in", &named("xl/qemu7.2-xenfv.qevm").bytes);
    set_permissions(&input, Permissions::from_mode(0o600)).unwrap();
    let output = files.text("out");
    succeed(&["state", "convert", "--to", "xenfv-4.2", &input, &output]);
    assert_eq!(metadata(&output).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_cannot_be_converted_is_refused_in_one_line() {
    let files = Files::new();
    let xen = files.write("xen", &named("xl/qemu7.2-xenfv-4.2.qevm").bytes);
    let pc = files.write("pc", &named("qemu-7.2/pc-i440fx-4.2/reset.bin").bytes);
    let cut = files.write("cut", &named("qemu-7.2/pc-i440fx-4.2/reset.bin").bytes[..61_000]);
    let video = files.write("video", &named("qemu-7.2/pc-i440fx-4.2/full.bin").bytes);
    let (out, missing, directory) = (files.text("out"), files.text("none"), files.text(""));
    let nowhere = files.text("none/out");
    for (arguments, expected) in [
        (
            &["--to", "pc", &xen, &out][..],
            "xenfv-4.2 and pc-i440fx-10.0 are not versions of one machine",
        ),
        (
            &["--to", "xenfv", &pc, &out],
            "pc-i440fx-4.2 and xenfv-3.1 are not versions of one machine",
        ),
        (&["--to", "xenfv-4.3", &xen, &out], "xenfv-4.3"),
        (&["--to", "xenfv", "--from", "xen", &xen, &out], "\"xen\""),
        (
            &["--to", "xenfv", "--from", "xenfv", &xen, &out],
            "the state is not one of xenfv-3.1: at offset 0x",
        ),
        (
            &["--to", "pc", "--from", "pc-i440fx-5.0", &pc, &out],
            "the state is not one of pc-i440fx-5.0: ",
        ),
        (&["--to", "xenfv", &missing, &out], "cannot read: "),
        (&["--to", "pc", &cut, &out], "the data ends inside "),
        (&["--to", "xenfv-4.2", &xen, &directory], "not a regular file"),
        (&["--to", "xenfv-4.2", &xen, &nowhere], "cannot write: "),
        (
            &["--to", "pc-i440fx-2.12", &video, &out],
            "\"0000:00:02.0/vga.vram\", which pc-i440fx-2.12 has under another name",
        ),
    ] {
        let line = fail(&[&["state", "convert"], arguments].concat());
        assert!(line.contains(expected), "{line}");
        assert!(!files.path("out").exists());
    }
}

//! What the program says of saved states.

use serde_json::Value;

use super::program::{Files, fail, succeed};
use crate::data::{golden, named};

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&succeed(arguments)).unwrap()
}

pub(super) fn detect(file: &str) -> Value {
    json(&["state", "detect", "--json", file])
}

pub(super) fn fits(detection: &Value) -> Vec<&str> {
    let fits = detection["fits"].as_array().unwrap().iter();
    fits.map(|fit| fit["name"].as_str().unwrap()).collect()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn record(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut bytes = [words(&[kind, body.len() as u32]), body.to_vec()].concat();
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// A file as `xl save` writes it, with so many bytes of guest memory.
pub(crate) fn saved_by_xl(memory: usize, state: &[u8]) -> Vec<u8> {
    [
        vmstate::xl::MAGIC.to_vec(),
        words(&[0x0102_0304, 3, 0, 5]),
        b"{   }LibxlFmt\0\0\0\x02\0\0\0\0".to_vec(),
        record(1, &[]),
        [[0xff; 8].as_slice(), b"XENF\0\0\0\x03\0\0\0\0\0\0\0\0"].concat(),
        words(&[2, 12, 4, 17]),
        record(1, &vec![7; memory]),
        record(0, &[]),
        record(3, &[words(&[2, 0]), state.to_vec()].concat()),
        record(0, &[]),
    ]
    .concat()
}

#[test]
fn every_state_of_a_xenfv_machine_is_told_from_the_other() {
    let files = Files::new();
    let mut count = 0;
    for golden in golden().iter().filter(|golden| golden.name.contains("xenfv")) {
        let machine = if golden.name.contains("xenfv-4.2") { "xenfv-4.2" } else { "xenfv-3.1" };
        let detection = detect(&files.write("state", &golden.bytes));
        assert_eq!(fits(&detection), [machine], "{}", golden.name);
        assert_eq!(detection["form"], "bare", "{}", golden.name);
        count += 1;
    }
    assert!(count >= 8 + 36, "{count} states");
}

#[test]
fn a_stream_fits_the_machine_it_names() {
    let files = Files::new();
    let mut count = 0;
    for golden in golden().iter().filter(|golden| golden.name.ends_with("/reset.bin")) {
        let detection = detect(&files.write("state", &golden.bytes));
        let machine = golden.name.split('/').nth(1).unwrap();
        if detection["form"] == "unconfigured" {
            // From 2.0 on only a subsection is new, which may be absent.
            assert!(fits(&detection).contains(&machine), "{}", golden.name);
            continue;
        }
        assert_eq!(detection["machine"], machine, "{}", golden.name);
        assert_eq!(detection["footers"], true, "{}", golden.name);
        assert_eq!(fits(&detection), [machine], "{}", golden.name);
        count += 1;
    }
    assert!(count > 15, "{count} streams");
}

#[test]
fn a_stream_of_devices_otherwise_configured_fits_no_machine() {
    let files = Files::new();
    let mut count = 0;
    for golden in golden().iter().filter(|golden| golden.name.ends_with("/nobridge.bin")) {
        let file = files.write("state", &golden.bytes);
        assert_eq!(fits(&detect(&file)), [""; 0], "{}", golden.name);
        count += 1;
    }
    assert!(count > 5, "{count} streams");
    let text = succeed(&["state", "detect", &files.text("state")]);
    assert!(text.contains("\nfits         no machine type of this program\n"), "{text}");
    assert!(text.contains("piix4_pm, at offset") && text.contains("without bridge-hotplug"));
}

#[test]
fn the_evidence_is_where_it_is_said_to_be() {
    let files = Files::new();
    let golden = named("xl/qemu7.2-xenfv-4.2-smbus.qevm");
    let memory = 3 << 20;
    let bytes = saved_by_xl(memory, &golden.bytes);
    let file = files.write("guest.save", &bytes);
    let detection = detect(&file);
    assert_eq!(fits(&detection), ["xenfv-4.2"]);
    assert_eq!(detection["xl-save-file"], true);
    let evidence = detection["evidence"].as_array().unwrap();
    let pm = evidence.iter().find(|pm| pm["section"] == "0000:00:01.3/piix4_pm").unwrap();
    assert_eq!(pm["properties"]["smbus"], true);
    let carried = pm["carries"].as_array().unwrap();
    let smb = carried.iter().find(|field| field["field"] == "smb").unwrap();

    // QEMU saves the function, six bytes of PM1 and two of APM before it.
    let stream = golden.read();
    let section = stream.devices.section("0000:00:01.3/piix4_pm", 0).unwrap();
    let offset = smb["offset"].as_u64().unwrap() as usize;
    assert_eq!(bytes[offset..offset + 48], section.payload[284..332]);
    assert_eq!(smb["bytes"], 48);
    assert!(offset > memory);

    let text = succeed(&["state", "detect", &file]);
    assert!(text.contains(": a file of xl save, the stream at offset 0x3000"), "{text}");
    assert!(text.contains("\nfits         xenfv-4.2\n"), "{text}");
    assert!(text.contains(&format!("  carries smb, at offset {offset:#x} (48 bytes)\n")), "{text}");

    let other = saved_by_xl(0, &named("xl/qemu7.2-xenfv-smbus.qevm").bytes);
    let text = succeed(&["state", "detect", &files.write("other.save", other)]);
    assert!(text.contains("\nfits         xenfv-3.1 (alias xenfv)\n"), "{text}");
    assert!(text.contains("\n  does not carry smb (48 bytes)\n"), "{text}");
}

#[test]
fn a_machine_of_ones_own_is_among_those_that_fit() {
    let files = Files::new();
    let machine = "[machine.mine]\ninherits = \"xenfv-3.1\"\n\
                   device.pm.properties = { smbus-migration = true }\n";
    let machines = files.write("mine.toml", machine);
    let state = files.write("state", &named("xl/qemu7.2-xenfv-4.2.qevm").bytes);
    let detection = json(&["state", "detect", "--json", "--machine-file", &machines, &state]);
    assert_eq!(fits(&detection), ["mine", "xenfv-4.2"]);
}

#[test]
fn sections_are_listed_with_their_offsets() {
    let files = Files::new();
    for name in ["qemu-10.0/pc-i440fx-10.0/smbus.bin", "xl/qemu5.2-xenfv.qevm"] {
        let golden = named(name);
        let file = files.write("state", &golden.bytes);
        let shown = json(&["state", "inspect", "--json", &file]);
        let shown = shown["sections"].as_array().unwrap();
        let text = succeed(&["state", "inspect", &file]);
        let sections = golden.read().devices.sections;
        assert_eq!(shown.len(), sections.len());
        for (shown, section) in shown.iter().zip(sections) {
            assert_eq!(shown["name"], section.name);
            assert_eq!(shown["instance"], section.instance);
            assert_eq!(shown["version"], section.version);
            assert_eq!(shown["offset"], section.offset);
            assert_eq!(shown["bytes"], section.payload.len());
            assert!(text.contains(&format!("{:#x}  {}", section.offset, section.name)), "{text}");
        }
    }
}

/// The value and place of a field, which may be one of a field.
fn find<'a>(shown: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(shown, |shown, name| {
        let mut fields = shown["fields"].as_array().unwrap().iter();
        fields.find(|field| field["name"] == *name).unwrap_or_else(|| panic!("no {name}"))
    })
}

#[test]
fn fields_are_what_another_reader_found() {
    let files = Files::new();
    let golden = named("qemu-7.2/pc-i440fx-4.2/smbus.bin");
    let file = files.write("state", &golden.bytes);
    let shown = json(&["state", "inspect", "--json", "--section", "piix4_pm", &file]);
    let shown = &shown["sections"][0];
    let mut expected = golden.decoded["sections"].as_array().unwrap().iter();
    let expected = expected.rfind(|section| section["vmsd"] == "piix4_pm").unwrap();
    let smb = expected["fields"]["smb"].as_object().unwrap();
    assert!(smb.len() > 10 && smb["smb_stat"] != 0, "{smb:?}");
    for (name, value) in smb {
        let field = find(shown, &["smb", name]);
        assert_eq!(field["value"], *value, "{name}");
        let offset = field["offset"].as_u64().unwrap() as usize;
        if field["bytes"] == 1 && value.is_u64() {
            assert_eq!(*value, golden.bytes[offset], "{name}");
        }
    }
    let text = succeed(&["state", "inspect", "--section", "0000:00:01.3/piix4_pm", &file]);
    let offset = find(shown, &["smb", "smb_stat"])["offset"].as_u64().unwrap();
    let row = text.lines().find(|line| line.contains(" smb_stat ")).unwrap();
    assert!(row.contains(&format!(" {offset:#x} ")), "{row}");
}

#[test]
fn every_section_of_a_name_is_shown() {
    let files = Files::new();
    let file = files.write("state", &named("qemu-7.2/pc-i440fx-4.2/smbus.bin").bytes);
    let shown = json(&["state", "inspect", "--json", "--section", "dma", &file]);
    let shown = shown["sections"].as_array().unwrap();
    let instances: Vec<_> = shown.iter().map(|section| &section["instance"]).collect();
    assert_eq!(instances, [0, 1]);
    let line = fail(&["state", "inspect", "--section", "piix5_pm", &file]);
    assert!(line.contains("no section \"piix5_pm\"") && line.contains("piix4_pm"), "{line}");
}

/// What both commands say of a file that is wrong.
fn refused(files: &Files, bytes: &[u8]) -> String {
    let file = files.write("bad", bytes);
    let line = fail(&["state", "inspect", &file]);
    assert_eq!(fail(&["state", "detect", &file]), line);
    let reason = line.strip_prefix(&format!("{file}: at offset 0x"));
    reason.unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn what_is_no_state_is_refused_with_the_offset() {
    let files = Files::new();
    let state = &named("xl/qemu7.2-xenfv-4.2.qevm").bytes;
    for (bytes, expected) in [
        (&b""[..], "0: there is no data"),
        (b"QEVM", "4: the data ends inside the magic number and version"),
        (b"no state at all", "0: not a QEMU device state: it starts with 0x6e6f2073"),
        (b"QEVM\0\0\0\x02\0", "0: stream version 2 is not supported"),
        (b"Xen saved domain, xl format\n \0 \r", "20: the data ends inside the save file"),
    ] {
        let reason = refused(&files, bytes);
        assert!(reason.starts_with(expected), "{reason}");
    }
    let reason = refused(&files, &[state.as_slice(), b"x"].concat());
    // The offset is that of the byte that ends the stream.
    let expected = format!("{:x}: 1 bytes follow the end of the stream", state.len() - 1);
    assert_eq!(reason, expected);
    let missing = files.text("none");
    assert!(fail(&["state", "detect", &missing]).starts_with(&format!("{missing}: cannot read: ")));
    let directory = files.text("");
    let line = fail(&["state", "inspect", &directory]);
    assert!(line.contains(": cannot read: "), "{line}");
}

#[test]
fn a_file_that_was_cut_off_is_refused_wherever_that_is() {
    let files = Files::new();
    let state = &named("xl/qemu7.2-xenfv-4.2.qevm").bytes;
    let xl = saved_by_xl(4096, state);
    let stream = &named("qemu-7.2/pc-i440fx-4.2/smbus.bin").bytes;
    for whole in [state, &xl, stream] {
        for part in 1..16 {
            refused(&files, &whole[..whole.len() * part / 16]);
        }
        refused(&files, &whole[..whole.len() - 1]);
    }
}

#[test]
fn offsets_of_errors_are_in_the_file() {
    let files = Files::new();
    let golden = named("xl/qemu7.2-xenfv-4.2.qevm");
    let reason = refused(&files, &saved_by_xl(64, b"QEVN\0\0\0\x03"));
    let bytes = saved_by_xl(64, &golden.bytes);
    let start = bytes.windows(4).position(|window| window == b"QEVM").unwrap();
    assert!(reason.starts_with(&format!("{start:x}: not a QEMU device state")), "{reason}");
}

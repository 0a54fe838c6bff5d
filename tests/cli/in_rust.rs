//! The card of `examples/sector-card`: built from outside this workspace, checked, and used
//! by a guest's driver.

use std::path::Path;
use std::process::Command;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::card_guest;
use super::program::{self, Files, fail, no_kvm, succeed};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sector-card");

/// The part of the guest's memory that the card reaches.
const WINDOW: &str = "dma:0x200000+0x10000";

/// Runs cargo, or has it run, as somebody who has the crates already.
fn offline(mut command: Command) -> String {
    // Compiled as they are for this project's devices.
    let compiled = Path::new(env!("COMPONENTS_TARGET")).join("plain");
    command.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", compiled);
    let output = command.output().expect("it can be started");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

/// Builds the card.
fn build(files: &Files) -> String {
    let component = files.text("sector-card.wasm");
    let said = offline(program::command(&["device", "build", FOLDER, "--out", &component]));
    assert!(said.contains("sector-card.wasm: sector-card 0.1.0, "), "{said}");
    component
}

/// An image of 16 sectors, each full of its number.
fn image(files: &Files) -> String {
    files.write("disk.img", (0..16).flat_map(|sector| [sector; 512]).collect::<Vec<_>>())
}

/// Runs the guest. Checks that it has found everything right, and what has become of the
/// image.
fn run(files: &Files, image: &str, more: &[&str]) {
    let kernel = files.write("guest.bin", card_guest::driver());
    let drive = format!("card={image}");
    let guest = ["run", "--kernel", &kernel, "--format", "flat", "--memory", "16M"];
    let with = ["--device", "isa-debug-exit", "--drive", &drive];
    let ended = program::run(&[&guest[..], &with, more].concat());
    let end = (ended.status, ended.stdout.as_str());
    assert_eq!(end, (Some(i32::from(card_guest::RIGHT)), card_guest::SAYS), "{}", ended.stderr);
    let sectors = std::fs::read(files.path("disk.img")).expect("it is there");
    let mut expected: Vec<u8> = (0..16).flat_map(|sector| [sector; 512]).collect();
    expected[9 * 512..10 * 512].fill(2);
    expected[9 * 512] = 0x77;
    // What lies outside the window reads as zeros.
    expected[10 * 512..11 * 512].fill(0);
    for (sector, (found, expected)) in sectors.chunks(512).zip(expected.chunks(512)).enumerate() {
        assert_eq!(found, expected, "sector {sector}");
    }
}

#[test]
fn a_card_in_rust_moves_sectors_for_a_guest() {
    let files = Files::new();
    let mut tests = Command::new(env!("CARGO"));
    tests.args(["test", "--manifest-path", &format!("{FOLDER}/Cargo.toml")]);
    let said = offline(tests);
    assert!(said.contains("6 passed"), "{said}");
    let component = build(&files);
    let said = succeed(&["device", "check", &component, "--out", &files.text(".")]);
    assert!(said.contains("\nreplay       holds\n"), "{said}");
    let fuzz = ["device", "fuzz", &component, "--time", "2s", "--out", &files.text(".")];
    let said = succeed(&fuzz);
    assert!(said.ends_with(": 0 kinds of failure\n"), "{said}");
    if no_kvm() {
        return;
    }

    let device = format!(
        "{component},id=card,addr=5,grant=storage,grant={WINDOW},drive.disk=card,\
         limit.memory-mib=8"
    );
    run(&files, &image(&files), &["--device", &device]);

    let hash = succeed(&["device", "inspect", &component]);
    let hash = hash.split_whitespace().find(|word| word.len() == 64).expect("its hash is shown");
    let machine = format!(
        "[machine.pc-with-card]\n\
         inherits = \"pc-i440fx-10.0\"\n\
         description = \"A PC with a sector card\"\n\n\
         [machine.pc-with-card.device.card]\n\
         component = \"{component}\"\n\
         sha256 = \"{hash}\"\n\
         at = \"host-bridge/pci@05.0\"\n\
         grants = [\"storage\", \"{WINDOW}\"]\n\
         drives = {{ disk = \"card\" }}\n"
    );
    let machine = files.write("pc.toml", machine);
    let shown = succeed(&["machine", "show", "pc-with-card", "--machine-file", &machine]);
    assert!(shown.ends_with(&format!("file {component}: sha256 {hash}\n")), "{shown}");
    assert!(shown.contains("may use dma:0x200000+0x10000, storage\n"), "{shown}");
    let machine = ["--machine-file", &machine, "--machine", "pc-with-card"];
    run(&files, &image(&files), &machine);
}

/// Makes an OCI image layout of a component, as tools that copy from registries do.
fn layout(files: &Files, component: &str) -> String {
    let directory = files.path("layout");
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).expect("the directory is ours");
    let add = |media_type: &str, bytes: &[u8]| {
        let hash: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        std::fs::write(blobs.join(&hash), bytes).expect("the directory is ours");
        json!({
            "mediaType": media_type,
            "digest": format!("sha256:{hash}"),
            "size": bytes.len(),
            "annotations": {"org.opencontainers.image.ref.name": "1.0"},
        })
    };
    let bytes = std::fs::read(component).expect("it was built");
    let layers = [add("application/wasm", &bytes)];
    let config = add("application/vnd.wasm.config.v0+json", b"{}");
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers}).to_string();
    let manifest = add("application/vnd.oci.image.manifest.v1+json", manifest.as_bytes());
    let index = json!({"schemaVersion": 2, "manifests": [manifest]}).to_string();
    std::fs::write(directory.join("index.json"), index).expect("the directory is ours");
    let mark = r#"{"imageLayoutVersion": "1.0.0"}"#;
    std::fs::write(directory.join("oci-layout"), mark).expect("the directory is ours");
    files.text("layout")
}

#[test]
fn a_layout_of_oci_is_as_good_as_a_file() {
    let files = Files::new();
    let component = build(&files);
    let layout = layout(&files, &component);
    let known = succeed(&["device", "inspect", &component]);
    for reference in [layout.clone(), format!("{layout}:1.0")] {
        assert_eq!(succeed(&["device", "inspect", &reference]), known, "{reference}");
    }
    let line = fail(&["device", "inspect", &format!("{layout}:2.0")]);
    assert_eq!(line, format!("{layout}:2.0: no manifest \"2.0\" in it; it has 1.0"));
    if no_kvm() {
        return;
    }
    let device = format!("{layout}:1.0,addr=5,grant=storage,grant={WINDOW},drive.disk=card");
    run(&files, &image(&files), &["--device", &device]);
}

#[test]
fn what_is_said_of_a_file_is_checked() {
    let files = Files::new();
    let (component, disk) = (build(&files), image(&files));
    let (kernel, drive) = (files.write("guest.bin", [0xf4]), format!("card={disk}"));
    let refused = |settings: &str, drives: &[&str]| {
        let device = format!("{component},{settings}");
        let guest = ["run", "--kernel", &kernel, "--format", "flat", "--device", &device];
        fail(&[&guest[..], drives].concat())
    };
    let grants = format!("addr=5,grant=storage,grant={WINDOW}");
    for (settings, why) in [
        ("addr=5", "imports storage, which is not granted here; grant it"),
        ("addr=5,grant=storage,grant=dma", "--device: sector-card.grant: \"dma\" does not say"),
        ("grant=dma:1+0", "sector-card.grant: the window \"1+0\" of memory is empty"),
        ("grant=disk", "sector-card.grant: unknown grant \"disk\""),
        ("addr=20", "sector-card.addr: PCI address \"20\" is not 00.0 to 1f.7"),
        ("addr=1", "sector-card.addr: host-bridge/pci@01.0 is taken twice"),
        ("bus=usb", "sector-card.bus: no bus \"usb\"; this machine has host-bridge/pci, "),
        ("bus=pm/smbus", "sector-card.bus: "),
        ("id=pm", "the id \"pm\" is taken"),
        ("id=0", "\"0\" is not an id for a device"),
        ("sha256=12", "sector-card.sha256: \"12\" is no SHA-256; 64 digits"),
        ("wire.irq=gsi:5", "sector-card.wire.irq: component"),
        ("wire.inta=gsi:99", "sector-card.wire.inta: unknown interrupt \"gsi:99\""),
        ("stream.log=x", "has no stream \"log\""),
        ("drive.tape=card", "has no drive \"tape\"; known: disk"),
        ("rom.bios=x", "has no ROM \"bios\""),
        ("limit.memory=8", "sector-card.limit.memory: no limit \"memory\"; there is deadline-ms, "),
        ("limit.memory-mib=0", "sector-card.limit.memory-mib: 0 is out of range; 1 to 4096"),
        ("limit.memory-mib=x", "sector-card.limit.memory-mib: \"x\" is no number"),
        ("speed=9", "has no property \"speed\""),
    ] {
        let line = refused(settings, &[]);
        assert!(line.contains(why), "{settings}: {line}");
    }
    let pinned = format!("{grants},sha256={}", "0".repeat(64));
    let line = refused(&pinned, &[]);
    assert!(line.contains("it is not the file that was pinned"), "{line}");
    let line = refused(&grants, &["--drive", &drive]);
    assert!(line.starts_with("no drive \"card\"; this machine has floppy0, "), "{line}");
    let with_drive = format!("{grants},drive.disk=card");
    let line = refused(&with_drive, &["--drive", &drive, "--drive", "ide0=/nowhere"]);
    assert!(line.contains("--drive ide0=/nowhere: "), "{line}");
    let twice =
        ["--drive", &format!("{drive},readonly=on"), "--drive", &format!("{drive},readonly=on")];
    let line = refused(&with_drive, &twice);
    assert!(line.contains("drive \"card\" is given twice"), "{line}");
    let ended = program::run(&["run", "--kernel", &kernel, "--drive", "card"]);
    assert!(ended.stderr.contains("NAME=VALUE expected"), "{}", ended.stderr);
    let help = succeed(&["-device", &format!("{component},help")]);
    assert!(help.starts_with(&format!("{component} options:\n  addr=<int32> ")), "{help}");
    let line = fail(&["run", "--kernel", &kernel, "--device", "./no.wasm"]);
    assert!(line.contains("device no: ./no.wasm: cannot read: "), "{line}");
}

//! Saved states that are checked, loaded and saved again.

use serde_json::Value;

use super::program::{Ended, Files, Running, fail, no_kvm, run, succeed};
use crate::data::{golden, named};

const OTHER: &str = "this state is in xenfv-4.2's format (0000:00:01.3/piix4_pm carries smb (48 bytes at offset 0x1888)); \
    start with --machine xenfv-4.2, or convert it with southbridge state convert --to xenfv-3.1";

#[test]
fn a_state_fits_its_machine_alone() {
    let files = Files::new();
    for golden in golden().iter().filter(|golden| golden.name.starts_with("xl/")) {
        let file = files.write("state", &golden.bytes);
        let (own, other) = match golden.name.contains("xenfv-4.2") {
            true => ("xenfv-4.2", "xenfv"),
            false => ("xenfv", "xenfv-4.2"),
        };
        let text = succeed(&["state", "check", &file, "--machine", own]);
        assert!(text.starts_with(&format!("{file}: fits xenfv-")), "{text}");
        let Ended { status, stdout, stderr } =
            run(&["state", "check", &file, "--machine", other, "--json"]);
        assert_eq!((status, stderr.as_str()), (Some(1), ""));
        let answer: Value = serde_json::from_str(&stdout).unwrap();
        assert_eq!(answer["fits"], false);
        assert_eq!(answer["problems"].as_array().unwrap().len(), 1, "{answer}");
        let advice = answer["advice"].as_str().unwrap();
        assert!(advice.contains("southbridge state convert --to xenfv-"), "{advice}");
    }
}

#[test]
fn what_does_not_fit_is_listed_with_what_to_do() {
    let files = Files::new();
    let file = files.write("state", &named("xl/qemu7.2-xenfv-4.2-smbus.qevm").bytes);
    let Ended { status, stdout, stderr } = run(&["state", "check", &file, "--machine", "xenfv"]);
    assert_eq!((status, stderr.as_str()), (Some(1), ""));
    let expected = format!(
        "{file}: does not fit xenfv-3.1\n  at offset 0x176c: section 0000:00:01.3/piix4_pm is not \
         in xenfv-3.1's format: it carries smb (48 bytes at offset 0x1888)\n{OTHER}\n"
    );
    assert_eq!(stdout, expected);
    let line = fail(&["state", "check", &file, "--machine", "xenfv-5.0"]);
    assert!(line.contains("xenfv-5.0"), "{line}");
}

/// A guest that goes round for ever on a state, with a control socket, running.
fn started_from(files: &Files, state: &str, machine: &str) -> Vec<String> {
    let kernel = files.write("spin.bin", [0xeb, 0xfe]);
    let socket = files.text("socket");
    let arguments = [
        &["run", "--machine", machine, "--kernel", &kernel][..],
        &["--format", "flat"],
        &["--control", &socket, "--incoming", state],
    ];
    arguments.concat().into_iter().map(str::to_owned).collect()
}

#[test]
fn a_guest_starts_from_a_state_and_saves_it_again() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let golden = named("xl/qemu7.2-xenfv-4.2-smbus.qevm");
    let state = files.write("state", &golden.bytes);
    let arguments = started_from(&files, &state, "xenfv-4.2");
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let mut guest = Running::start(&arguments);
    guest.wait_until("the socket", || files.path("socket").exists());
    let (socket, saved) = (files.text("socket"), files.text("saved"));
    let said = succeed(&["state", "save", "--control", &socket, &saved]);
    let bytes = std::fs::metadata(&saved).unwrap().len();
    assert!(said.starts_with(&format!("{saved}: ")) && said.contains(&bytes.to_string()), "{said}");
    assert!(!files.path("saved.new").exists());
    guest.signal(rustix::process::Signal::TERM);
    guest.end();

    let text = succeed(&["state", "check", "--machine", "xenfv-4.2", &saved]);
    assert!(text.contains("fits xenfv-4.2"), "{text}");
    let sections = golden.read().devices.sections;
    let again = std::fs::read(&saved).unwrap();
    let again = vmstate::Stream::read(&again, vmstate::Layouts::builtin()).unwrap();
    for (again, expected) in again.devices.sections.iter().zip(&sections) {
        assert_eq!(again.name, expected.name);
        match again.kind() {
            // The guest's clock has gone on.
            "timer" => assert!(again.payload[16..] > expected.payload[16..]),
            // As far as the PM timer, which may have run over.
            "piix4_pm" => assert_eq!(again.payload[284..332], expected.payload[284..332]),
            _ => assert_eq!(again.payload, expected.payload, "{}", again.name),
        }
    }
    assert_eq!(again.devices.sections.len(), sections.len());
}

#[test]
fn a_guest_does_not_start_from_the_state_of_another_machine() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let state = files.write("state", &named("xl/qemu7.2-xenfv-4.2-smbus.qevm").bytes);
    let arguments = started_from(&files, &state, "xenfv");
    let line = fail(&arguments);
    assert!(line.starts_with(&format!("{state}: {OTHER}: at offset 0x176c: ")), "{line}");
}

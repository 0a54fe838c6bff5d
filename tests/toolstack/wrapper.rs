//! `exec southbridge "$@" -machine xenfv-4.2`: a script in the place of QEMU, started
//! with the command lines that libxl 4.17 starts QEMU with, and driven over QMP as libxl
//! drives it.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rustix::io::FdFlags;
use rustix::process::Signal;
use serde_json::{Value, json};
use vmstate::{Layouts, Stream};

use super::process::{Files, PATIENCE, Process, no_kvm, with_program};
use crate::common::qmp_peer::Peer;

const CREATE: &str = include_str!("../data/qemu-command-lines/libxl-create.argv");
const RESTORE: &str = include_str!("../data/qemu-command-lines/libxl-restore.argv");

/// The script, with what it adds to the arguments.
fn wrapper(files: &Files, added: &str) -> PathBuf {
    let path = files.path("device-model");
    let program = env!("CARGO_BIN_EXE_southbridge");
    fs::write(&path, format!("#!/bin/sh\nexec {program} \"$@\" {added}\n")).expect("there is room");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    path
}

/// A directory with the disk that the recorded command lines name.
fn files() -> Files {
    let files = Files::new();
    let disk = File::create(files.path("hd_plain.img")).expect("there is room");
    disk.set_len(1 << 20).expect("there is room");
    files
}

/// A recorded command line, with this test's paths in place of the recording's. `fd` is
/// the descriptor in place of the recording's.
fn arguments(recorded: &str, files: &Files, fd: Option<i32>) -> Vec<String> {
    let directory = files.text("");
    let replaced = |argument: &str| {
        let argument = argument.replace("/var/run/xen/", &directory);
        let argument = argument.replace("/path/to/", &directory);
        match fd {
            Some(fd) if argument.starts_with("fd:") => format!("fd:{fd}"),
            _ => argument,
        }
    };
    recorded.lines().skip(1).map(replaced).collect()
}

/// The path of the socket that libxl uses.
fn socket(arguments: &[String]) -> PathBuf {
    let chardev = arguments.iter().find(|argument| argument.contains("id=libxl-cmd"));
    let mut parts = chardev.expect("libxl has a socket").split(',');
    let path = parts.find_map(|part| part.strip_prefix("path="));
    path.expect("it has a path").into()
}

/// A step of libxl's: a connection of its own, and what is said over it. Returns the
/// answers.
fn step(path: &Path, requests: &[Value], file: Option<&File>) -> Vec<Value> {
    let mut peer = Peer::connect(path);
    assert_eq!(peer.receive()["QMP"]["version"]["qemu"]["major"], 7);
    let negotiation = json!({"execute": "qmp_capabilities", "id": 2_020_372_737});
    let mut answers = Vec::new();
    for request in [&negotiation].into_iter().chain(requests) {
        let line = format!("{request}\r\n");
        match file {
            Some(file) if request["execute"] == "add-fd" => {
                let file = file.try_clone().expect("there are descriptors");
                peer.send_fds(line.as_bytes(), &[file.into()]);
            }
            _ => peer.send(line.as_bytes()),
        }
        let (_, answer) = peer.answer();
        assert_eq!(answer["id"], request["id"], "{request}");
        assert!(answer.get("return").is_some(), "{request}: {answer}");
        answers.push(answer["return"].clone());
    }
    answers.split_off(1)
}

fn request(name: &str) -> Value {
    json!({"execute": name, "id": 2_020_372_736})
}

/// What libxl does when a guest is saved. Returns the state.
fn save(path: &Path, files: &Files) -> Vec<u8> {
    step(path, &[request("query-cpus-fast")], None);
    let log = |enable: bool| {
        let mut command = request("xen-set-global-dirty-log");
        command["arguments"] = json!({"enable": enable});
        step(path, &[command], None);
    };
    log(true);
    let saved = files.path("qemu-save");
    // libxl opens it for writing alone.
    let file = File::create(&saved).expect("there is room");
    let mut save = request("xen-save-devices-state");
    save["arguments"] = json!({"live": false, "filename": "/dev/fdset/0"});
    let answers = step(path, &[request("stop"), request("add-fd"), save], Some(&file));
    assert_eq!(answers[1]["fdset-id"], 0);
    log(false);
    fs::read(&saved).expect("it is there")
}

/// Starts the script with an inherited descriptor for the state, as libxl does.
fn restore(script: &Path, state: &[u8], files: &Files) -> (Process, PathBuf) {
    let path = files.path("qemu-resume.3");
    fs::write(&path, state).expect("there is room");
    let file = File::open(&path).expect("it is there");
    rustix::io::fcntl_setfd(file.as_fd(), FdFlags::empty()).expect("the descriptor is ours");
    let arguments = arguments(RESTORE, files, Some(file.as_raw_fd()));
    let process = Process::start(with_program(script).args(&arguments));
    (process, socket(&arguments))
}

/// The life of a guest under libxl: created, saved, restored, saved again.
fn live(added: &str, between: impl Fn(&Files)) {
    let files = files();
    let script = wrapper(&files, added);
    let arguments = arguments(CREATE, &files, None);
    let path = socket(&arguments);
    let mut first = Process::start(with_program(&script).args(&arguments));
    first.wait_for(&path);
    let answers = step(&path, &[request("query-chardev"), request("query-vnc")], None);
    let chardevs = answers[0].as_array().expect("it is a list");
    let labels: Vec<_> = chardevs.iter().map(|chardev| &chardev["label"]).collect();
    assert_eq!(labels[..3], ["libxl-cmd", "libxenstat-cmd", "serial0"]);
    step(&path, &[request("cont")], None);
    let mut peer = Peer::negotiated(&path);
    let machine = json!({"path": "/machine", "property": "type"});
    assert_eq!(peer.execute_with("qom-get", machine), "xenfv-4.2-machine");
    drop(peer);
    between(&files);

    let state = save(&path, &files);
    let stream = Stream::read(&state, Layouts::builtin()).expect("it is a stream");
    let kinds: Vec<_> = stream.devices.sections.iter().map(|section| section.kind()).collect();
    assert!(kinds.contains(&"piix4_pm") && kinds.contains(&"platform"), "{kinds:?}");
    assert_eq!((&stream.configuration, &stream.devices.description), (&None, &None));
    first.signal(Signal::HUP);
    let (status, said) = first.end();
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("terminating on signal 1\n"), "{said}");
    assert!(!path.exists(), "the socket is left behind");

    let (mut second, path) = restore(&script, &state, &files);
    second.wait_for(&path);
    step(&path, &[request("query-chardev"), request("query-vnc")], None);
    // The state arrives while libxl asks; it is there before the guest goes on.
    let mut peer = Peer::negotiated(&path);
    let deadline = Instant::now() + PATIENCE;
    while peer.execute("query-status")["status"] == "inmigrate" {
        assert!(Instant::now() < deadline, "the state does not arrive");
        std::thread::yield_now();
    }
    peer.execute("stop");
    drop(peer);
    let again = Stream::read(&save(&path, &files), Layouts::builtin()).expect("it is a stream");
    // Time goes on, and with it what devices say of it.
    let still = |stream: &Stream| {
        let sections = stream.devices.sections.iter();
        let moves = |kind: &str| matches!(kind, "timer" | "mc146818rtc");
        // Processors begin anew without their memory.
        let anew = |kind: &str| {
            matches!(kind, "cpu" | "cpu_common" | "apic" | "kvmclock")
                || matches!(kind, "i8259" | "i8254" | "ioapic")
        };
        let still = sections.filter(|section| !moves(section.kind()) && !anew(section.kind()));
        still.cloned().collect::<Vec<_>>()
    };
    assert_eq!(still(&again), still(&stream));
    second.signal(Signal::TERM);
    assert_eq!(second.end().0, Some(0));
}

/// Says something to the machine by QEMU's test protocol.
fn ask(client: &mut UnixStream, line: &str) -> String {
    client.write_all(format!("{line}\n").as_bytes()).expect("the machine receives");
    let mut reply = Vec::new();
    while reply.last() != Some(&b'\n') {
        let mut byte = [0];
        client.read_exact(&mut byte).expect("the machine answers");
        reply.push(byte[0]);
    }
    String::from_utf8(reply).expect("it is text").trim_end().to_owned()
}

#[test]
fn without_processors_the_registers_survive() {
    let files = files();
    let qtest = files.text("qtest");
    let added = format!(
        "-machine xenfv-4.2 -accel qtest -qtest unix:{qtest},server=on,wait=off -qtest-log none"
    );
    live(&added, |_| {
        let mut client = UnixStream::connect(&qtest).expect("the machine listens");
        // The SMBus controller's data registers, and the platform device's flags.
        assert_eq!(ask(&mut client, "outb 0xb105 0x5a"), "OK");
        assert_eq!(ask(&mut client, "outb 0x10 1"), "OK");
        assert_eq!(ask(&mut client, "inb 0xb105"), "OK 0x005a");
    });
}

/// Xen lets a guest run when libxl says so; here it is `cont` that does.
#[test]
fn on_kvm_a_guest_lives_under_libxl() {
    if !no_kvm() {
        live("-machine xenfv-4.2 -S", |_| {});
    }
}

#[test]
fn a_state_of_the_other_format_is_refused_and_says_what_to_do() {
    let files = files();
    let created = arguments(CREATE, &files, None);
    let script = wrapper(&files, "-accel qtest");
    let mut first = Process::start(with_program(&script).args(&created));
    let path = socket(&created);
    first.wait_for(&path);
    let state = save(&path, &files);
    drop(first);
    let script = wrapper(&files, "-machine xenfv-4.2 -accel qtest");
    let (mut second, _) = restore(&script, &state, &files);
    let (status, said) = second.end();
    assert_eq!(status, Some(1), "{said}");
    let line = said.lines().last().expect("it says why");
    assert!(line.contains("load of migration failed") && line.contains("piix4_pm"), "{said}");
}

#[test]
fn every_recorded_line_starts_a_machine() {
    for (name, recorded) in [
        ("create", CREATE),
        ("full", include_str!("../data/qemu-command-lines/libxl-create-full.argv")),
        ("pc", include_str!("../data/qemu-command-lines/libxl-create-without-platform.argv")),
    ] {
        let files = files();
        let arguments = arguments(recorded, &files, None);
        let path = socket(&arguments);
        let mut command: Command = with_program(env!("CARGO_BIN_EXE_southbridge"));
        let mut process =
            Process::start(command.args(&arguments).args(["-machine", "accel=qtest"]));
        let mut peer = process.monitor(&path);
        assert_eq!(peer.execute("query-status")["status"], "running", "{name}");
        peer.execute("quit");
        let (status, said) = process.end();
        assert_eq!(status, Some(0), "{name}: {said}");
        assert!(said.contains("no display"), "{name}: {said}");
    }
}

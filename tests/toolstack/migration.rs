//! A machine goes from one process to another, as QMP's clients have it go.

use std::fs::File;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vmstate::{Layouts, Section, Stream};

use super::process::{Files, Process, command, no_kvm};
use crate::common::qmp_peer::Peer;
use crate::data;

/// A process with a monitor and, without processors, a way to the machine.
struct Host {
    process: Process,
    peer: Peer,
    files: Files,
}

impl Host {
    fn new(added: &[&str]) -> Self {
        let files = Files::new();
        let monitor = format!("unix:{},server=on,wait=off", files.text("qmp"));
        let qtest = format!("unix:{},server=on,wait=off", files.text("qtest"));
        let mut line = command();
        line.args(["-machine", "pc-i440fx-7.2", "-m", "16", "-nodefaults", "-qmp", &monitor]);
        if !added.contains(&"kvm") {
            line.args(["-accel", "qtest", "-qtest", &qtest, "-qtest-log", "/dev/null"]);
        }
        let mut process = Process::start(line.args(added));
        let peer = process.monitor(&files.path("qmp"));
        Self { process, peer, files }
    }

    fn ask(&self, line: &str) -> String {
        use std::io::{BufRead as _, BufReader, Write as _};
        let mut client = UnixStream::connect(self.files.path("qtest")).expect("it listens");
        client.write_all(format!("{line}\n").as_bytes()).expect("the machine receives");
        let mut reply = String::new();
        BufReader::new(client).read_line(&mut reply).expect("the machine answers");
        reply.trim_end().to_owned()
    }

    fn status(&mut self) -> String {
        self.peer.execute("query-status")["status"].as_str().expect("it is text").to_owned()
    }

    /// Waits for the end of the migration and returns what is said of it.
    fn migrated(&mut self) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let info = self.peer.execute("query-migrate");
            if matches!(info["status"].as_str(), Some("completed" | "failed" | "cancelled")) {
                return info;
            }
            assert!(Instant::now() < deadline, "it does not end: {info}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// What is set where it comes from, and found where it goes.
fn set(host: &Host) {
    assert_eq!(host.ask("writeq 0x123450 0x1122334455667788"), "OK");
    assert_eq!(host.ask("outb 0xb105 0x5a"), "OK");
}

fn check(host: &Host) {
    assert_eq!(host.ask("readq 0x123450"), "OK 0x1122334455667788");
    assert_eq!(host.ask("inb 0xb105"), "OK 0x005a");
}

#[test]
fn a_machine_goes_over_a_socket() {
    let mut there = Host::new(&["-incoming", "defer"]);
    assert_eq!(there.status(), "inmigrate");
    let uri = json!({"uri": format!("unix:{}", there.files.text("way"))});
    there.peer.execute_with("migrate-incoming", uri.clone());
    let mut here = Host::new(&[]);
    set(&here);
    here.peer.execute_with("migrate", uri);
    let info = here.migrated();
    assert_eq!(info["status"], "completed", "{info}");
    assert!(info["ram"]["total"].as_u64() >= Some(16 << 20), "{info}");
    assert_eq!(here.status(), "postmigrate");
    assert_eq!(there.migrated()["status"], "completed");
    assert_eq!(there.status(), "running");
    check(&there);
    let again = here.peer.try_execute("migrate", json!({"uri": "exec:cat >/dev/null"}));
    assert_eq!(
        again["error"]["desc"],
        "Can't migrate the vm that was paused due to previous migration"
    );
    // It goes on here if that is what is wanted.
    here.peer.execute("cont");
    assert_eq!(here.status(), "running");
}

#[test]
fn events_tell_how_it_goes() {
    let mut here = Host::new(&["-S"]);
    let events = json!({"capabilities": [{"capability": "events", "state": true}]});
    here.peer.execute_with("migrate-set-capabilities", events);
    here.peer
        .send(b"{\"execute\": \"migrate\", \"arguments\": {\"uri\": \"exec:cat >/dev/null\"}}");
    let (mut statuses, mut answered) = (Vec::new(), false);
    while !answered || statuses.last().is_none_or(|last| last != "completed") {
        let said = here.peer.receive();
        match said["event"].as_str() {
            Some("MIGRATION") => statuses.push(said["data"]["status"].as_str().unwrap().to_owned()),
            Some(other) => panic!("{other} of a machine that did not run"),
            None => answered = true,
        }
    }
    assert_eq!(statuses, ["setup", "active", "completed"]);
}

#[test]
fn a_file_is_as_good_as_a_peer() {
    let mut here = Host::new(&["-S"]);
    set(&here);
    let path = here.files.text("state");
    here.peer.execute_with("migrate", json!({"uri": format!("file:{path}")}));
    assert_eq!(here.migrated()["status"], "completed");
    let mut there = Host::new(&["-incoming", &format!("file:{path}")]);
    assert_eq!(there.migrated()["status"], "completed");
    // It had not run where it was saved.
    assert_eq!(there.status(), "prelaunch");
    check(&there);
}

#[test]
fn a_descriptor_that_a_client_sends_is_a_way() {
    let mut here = Host::new(&[]);
    set(&here);
    let file = File::create(here.files.path("state")).expect("there is room");
    let named = json!({"execute": "getfd", "arguments": {"fdname": "way"}}).to_string();
    here.peer.send_fds(named.as_bytes(), &[file.into()]);
    assert_eq!(here.peer.answer().1["return"], json!({}));
    here.peer.execute_with("migrate", json!({"uri": "fd:way"}));
    assert_eq!(here.migrated()["status"], "completed");
    let mut there = Host::new(&["-incoming", &format!("exec:cat {}", here.files.text("state"))]);
    assert_eq!(there.migrated()["status"], "completed");
    check(&there);
}

#[test]
fn who_vanishes_in_the_middle_leaves_the_machine_running() {
    let mut here = Host::new(&[]);
    set(&here);
    for uri in ["exec:head -c 100 >/dev/null", "unix:/no/such/socket", "exec:exit 3"] {
        here.peer.execute_with("migrate", json!({"uri": uri}));
        let info = here.migrated();
        assert_eq!(info["status"], "failed", "{uri}: {info}");
        assert_eq!(here.status(), "running", "{uri}");
        check(&here);
    }
    let unknown = here.peer.try_execute("migrate", json!({"uri": "foo:bar"}));
    let desc = "Parameter 'uri' expects a valid migration protocol";
    assert_eq!(unknown["error"]["desc"], desc);
    // A peer that does not read, and a client that goes away meanwhile.
    here.peer.execute_with("migrate", json!({"uri": "exec:sleep 60"}));
    let busy = here.peer.try_execute("migrate", json!({"uri": "exec:cat >/dev/null"}));
    assert_eq!(busy["error"]["desc"], "There's a migration process in progress");
    here.peer.stream().shutdown(Shutdown::Both).expect("it is connected");
    here.peer = Peer::negotiated(&here.files.path("qmp"));
    here.peer.execute("migrate_cancel");
    assert_eq!(here.migrated()["status"], "cancelled");
    check(&here);
}

#[test]
fn what_does_not_come_ends_the_process_that_waits() {
    let mut there = Host::new(&["-incoming", "defer"]);
    there.peer.execute_with("migrate-incoming", json!({"uri": "exec:echo no stream"}));
    let (status, said) = there.process.end();
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("load of migration failed: "), "{said}");
}

/// Firmware that does nothing but count in EAX, for ever.
fn counting() -> Vec<u8> {
    let mut image = vec![0xf4; 64 << 10];
    // At f000:0000: xor eax, eax; then inc eax, over and over.
    image[..7].copy_from_slice(&[0x66, 0x31, 0xc0, 0x66, 0x40, 0xeb, 0xfc]);
    // jmp far f000:0000
    image[0xfff0..0xfff5].copy_from_slice(&[0xea, 0x00, 0x00, 0x00, 0xf0]);
    image
}

/// How far the guest has counted.
fn count(host: &mut Host) -> u64 {
    let line = json!({"command-line": "info registers"});
    let said = host.peer.execute_with("human-monitor-command", line);
    let said = said.as_str().expect("it is text");
    let digits = said.split_once("EAX=").and_then(|(_, rest)| rest.get(..8)).expect("it has EAX");
    u64::from_str_radix(digits, 16).expect("it is a number")
}

fn wait_for_count(host: &mut Host, from: u64) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while count(host) == from {
        assert!(Instant::now() < deadline, "the guest does not run");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn processors_go_on_where_they_were() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    std::fs::write(files.path("bios"), counting()).expect("it can be written");
    let kvm = |added: &[&str]| {
        let bios = files.text("bios");
        Host::new(&[&["-accel", "kvm", "-bios", &bios], added].concat())
    };
    let mut here = kvm(&[]);
    wait_for_count(&mut here, 0);
    let path = here.files.text("state");
    here.peer.execute_with("migrate", json!({"uri": format!("file:{path}")}));
    assert_eq!(here.migrated()["status"], "completed");
    assert_eq!(here.status(), "postmigrate");
    let counted = count(&mut here);

    let incoming = ["-incoming", &format!("file:{path}")];
    let mut there = kvm(&[&incoming[..], &["-S"]].concat());
    assert_eq!(there.migrated()["status"], "completed");
    assert_eq!((there.status(), count(&mut there)), ("paused".to_owned(), counted));
    there.peer.execute("cont");
    wait_for_count(&mut there, counted);
    assert!(count(&mut there) > counted);

    let mut other = kvm(&["-incoming", "defer", "-smp", "2"]);
    other.peer.execute_with("migrate-incoming", json!({"uri": format!("file:{path}")}));
    let (status, said) = other.process.end();
    assert_eq!(status, Some(1), "{said}");
    let expected = "the state has 1 processors, this machine has 2; start it with as many";
    assert!(said.contains(expected), "{said}");
}

/// The fields of two sections that differ, by name.
fn differences(a: &Section, b: &Section) -> Vec<String> {
    let fields =
        |section| Layouts::builtin().decode(section).expect("it is known").structure.fields;
    let pairs = fields(a).into_iter().zip(fields(b));
    pairs.filter(|(a, b)| a.value != b.value).map(|(a, _)| a.name.to_string()).collect()
}

/// What QEMU saved of its own processors and devices goes into those of KVM and our own,
/// and comes out again: all of it but for what KVM has otherwise.
#[test]
fn a_recorded_machine_becomes_one_on_kvm() {
    if no_kvm() {
        return;
    }
    for name in ["qemu-7.2/pc-i440fx-7.2/poked", "qemu-7.2/pc-i440fx-4.2/reset"] {
        let golden = data::named(&format!("{name}.bin"));
        let machine = name.split('/').nth(1).expect("it is in a folder");
        let files = Files::new();
        std::fs::write(files.path("recorded"), &golden.bytes).expect("it can be written");
        // It was recorded with firmware of this size, all zeros.
        std::fs::write(files.path("bios"), vec![0; 64 << 10]).expect("it can be written");
        let mut host = Host::new(&[
            "-accel",
            "kvm",
            "-machine",
            &format!("{machine},kernel-irqchip=split"),
            "-bios",
            &files.text("bios"),
            "-S",
            "-incoming",
            &format!("file:{}", files.text("recorded")),
        ]);
        assert_eq!(host.migrated()["status"], "completed", "{name}");
        let uri = format!("file:{}", files.text("again"));
        host.peer.execute_with("migrate", json!({ "uri": uri }));
        assert_eq!(host.migrated()["status"], "completed", "{name}");

        let again = std::fs::read(files.path("again")).expect("it was written");
        let again = Stream::read(&again, Layouts::builtin()).expect("it is a stream");
        for old in golden.read().devices.sections {
            let new = again.devices.section(&old.name, old.instance).expect("it is there");
            let different = differences(&old, new);
            let allowed: &[&str] = match old.name.as_str() {
                "cpu" => &["env.dr", "env.mtrr_var", "env.tsc", "env.mcg_cap"],
                "apic" => &["count_shift", "initial_count_load_time"],
                // It has not been let run.
                "globalstate" => &["size", "runstate"],
                _ => &[],
            };
            let allowed = different.iter().all(|field| allowed.contains(&field.as_str()));
            assert!(allowed, "{name}: {}: {different:?}", old.name);
        }
    }
}

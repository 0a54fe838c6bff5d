//! What a running guest's devices are seen to do: metrics, the log, faults, and
//! devices that come back.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;

use iced_x86::code_asm::{CodeAssembler, al, dx, eax};
use rustix::process::Signal;
use serde_json::Value;
use southbridge::vm::boot::Kernel;

use super::program::{Files, Running, fail, no_kvm, run, succeed};
use crate::zoo;

/// The counter's first port. Its default is where firmware puts power management.
const COUNT: i32 = 0x700;

/// A guest that puts 5 into the counter, says so, and then answers each byte it
/// gets with `y` if the counter still says 5 and with `n` if not.
fn asking() -> Vec<u8> {
    let mut code = CodeAssembler::new(32).unwrap();
    let [mut again, mut other, mut say] = [(); 3].map(|()| code.create_label());
    let say_line = |code: &mut CodeAssembler, text: &[u8]| {
        for byte in text {
            code.mov(dx, 0x3f8).unwrap();
            code.mov(al, i32::from(*byte)).unwrap();
            code.out(dx, al).unwrap();
        }
    };
    code.mov(dx, COUNT).unwrap();
    code.mov(eax, 5).unwrap();
    code.out(dx, eax).unwrap();
    say_line(&mut code, b"ready\n");
    code.set_label(&mut again).unwrap();
    // Data ready, in the line status.
    code.mov(dx, 0x3fd).unwrap();
    code.in_(al, dx).unwrap();
    code.test(al, 1).unwrap();
    code.jz(again).unwrap();
    code.mov(dx, 0x3f8).unwrap();
    code.in_(al, dx).unwrap();
    code.mov(dx, COUNT).unwrap();
    code.in_(eax, dx).unwrap();
    code.cmp(eax, 5).unwrap();
    code.jne(other).unwrap();
    say_line(&mut code, b"y");
    code.jmp(say).unwrap();
    code.set_label(&mut other).unwrap();
    say_line(&mut code, b"n");
    code.set_label(&mut say).unwrap();
    say_line(&mut code, b"\n");
    code.jmp(again).unwrap();
    code.assemble(Kernel::FLAT_ADDRESS.into()).unwrap()
}

/// The guest with a counter of a kind, a control socket and metrics at another.
fn start(files: &Files, kind: &str, more: &[&str]) -> Running {
    let counter = files.write("counter.wasm", zoo::component(kind));
    let machine = format!(
        "[machine.counter]\n\
         inherits = \"pc-i440fx-10.0\"\n\
         description = \"A PC with a counter\"\n\
         device.counter = {{ component = \"{counter}\", grants = [\"streams\"], \
         properties = {{ iobase = {COUNT} }} }}\n"
    );
    let machine = files.write("counter.toml", machine);
    let kernel = files.write("guest.bin", asking());
    let (socket, metrics) = (files.text("socket"), format!("unix:{}", files.text("metrics")));
    let guest = ["run", "--kernel", &kernel, "--format", "flat", "--memory", "16M"];
    let machine = ["--machine-file", &machine, "--machine", "counter"];
    let seen = ["--control", &socket, "--metrics", &metrics];
    let mut guest = Running::start(&[&guest[..], &machine, &seen, more].concat());
    guest.wait_for("ready");
    guest
}

/// Has the guest read the counter, and waits for what it says of it.
fn ask(guest: &mut Running, expected: &str) {
    guest.said.clear();
    guest.send(b"?");
    guest.wait_for(expected);
}

/// The metrics at a Unix socket.
fn scrape(files: &Files) -> String {
    let mut stream = UnixStream::connect(files.path("metrics")).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK\r\n"), "{text}");
    text
}

/// The value of a sample of the counter's; `more` is the rest of its labels.
fn sample(metrics: &str, name: &str, more: &str) -> f64 {
    let start = format!("southbridge_device_{name}{{slot=\"counter\",device=\"counter\",");
    let found = metrics.lines().find(|line| line.starts_with(&start) && line.contains(more));
    let line = found.unwrap_or_else(|| panic!("no {name} {more} in {metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_device_that_fails_comes_back_with_its_checkpoint() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let mut guest = start(&files, "traps-in-read", &["--log-format", "json"]);
    let socket = files.text("socket");
    let arguments = |arguments: &[&str]| {
        let all = [&["swap", "--control", socket.as_str()], arguments].concat();
        all.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let swap = |text: &[&str]| succeed(&arguments(text));
    let refused = |text: &[&str]| fail(&arguments(text));

    assert_eq!(sample(&scrape(&files), "accesses_total", "kind=\"write\""), 1.0);
    let line = refused(&["--restore", "counter"]);
    assert!(line.starts_with("slot counter: the device is in service"), "{line}");
    let line = swap(&["--checkpoint", "counter"]);
    assert!(line.starts_with("counter: counter 1.0.0, ") && line.contains(" bytes kept"), "{line}");

    ask(&mut guest, "n");
    let line = swap(&["--faults", "counter"]);
    assert!(line.starts_with("counter: fault 1 at "), "{line}");
    assert!(line.contains("io-read failed: wasm `unreachable` instruction executed"), "{line}");
    assert_eq!(line.lines().count(), 1);
    let faults: Value = serde_json::from_str(&swap(&["--faults", "--json"])).unwrap();
    assert!(faults[0]["backtrace"].as_str().unwrap().contains("io-read"), "{faults}");
    let metrics = scrape(&files);
    assert_eq!(sample(&metrics, "in_service", ""), 0.0);
    assert_eq!(sample(&metrics, "faults_total", ""), 1.0);
    assert!(metrics.contains("\nsouthbridge_guest_running 1\n"), "{metrics}");
    let exits = metrics.lines().find_map(|line| line.strip_prefix("southbridge_vcpu_exits_total "));
    assert!(exits.unwrap().parse::<u64>().unwrap() > 8);

    let line = swap(&["--restore", "counter"]);
    assert!(line.starts_with("counter: counter 1.0.0 -> counter 1.0.0, blackout "), "{line}");
    assert!(line.contains(", with the checkpoint of "), "{line}");
    assert_eq!(sample(&scrape(&files), "in_service", ""), 1.0);
    ask(&mut guest, "n");

    let first = files.write("first.wasm", zoo::component("first"));
    let refuses = files.write("refuses.wasm", zoo::component("refuses"));
    let line = refused(&["counter", &refuses]);
    assert!(line.contains("before: the new version refuses the state: count 5 is not"), "{line}");
    let swapped: Value = serde_json::from_str(&swap(&["counter", &first, "--json"])).unwrap();
    assert_eq!(swapped["state-moved"], false);
    assert!(swapped["checkpoint-age-ns"].as_u64().unwrap() > 0);
    ask(&mut guest, "y");

    let metrics = scrape(&files);
    for (name, expected) in [("swaps_total", 1.0), ("restores_total", 1.0), ("faults_total", 2.0)] {
        assert_eq!(sample(&metrics, name, ""), expected, "{name}");
    }
    assert!(sample(&metrics, "seconds_total", "") > 0.0);
    assert_eq!(swap(&["--forget-checkpoint", "counter"]), "");
    let list: Value = serde_json::from_str(&swap(&["--list", "--json"])).unwrap();
    let mut devices = list.as_array().unwrap().iter();
    let counter = devices.find(|device| device["slot"] == "counter").unwrap();
    assert_eq!(counter.get("checkpoint-age-ns"), None);
    assert_eq!((&counter["reads"], &counter["writes"]), (&3.into(), &1.into()));
    assert!(swap(&["--checkpoint"]).lines().count() > 5);

    guest.signal(Signal::TERM);
    let (status, _, stderr) = guest.end();
    assert_eq!(status, Some(143));
    assert!(!files.path("metrics").exists());
    let lines: Vec<Value> =
        stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{stderr}");
    for line in &lines {
        assert_eq!((&line["level"], &line["device"]), (&"ERROR".into(), &"counter".into()));
        assert_eq!(line["message"], "device fault: out of service");
        assert_eq!(line["export"], "io-read");
        assert!(line["timestamp"].is_string() && line["time"].is_u64());
    }
}

#[test]
fn metrics_are_served_at_a_port() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let kernel = files.write("spin.bin", [0xeb, 0xfe]);
    // One that is free.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = port.to_string();
    let arguments = ["run", "--kernel", &kernel, "--format", "flat", "--metrics", &address];
    let mut guest = Running::start(&arguments);
    guest.wait_until("the port", || TcpStream::connect(port).is_ok());
    let mut stream = TcpStream::connect(port).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.contains("\nsouthbridge_build_info{version=\""), "{text}");
    let line = fail(&arguments);
    assert!(line.starts_with("metrics at 127.0.0.1:") && line.contains("in use"), "{line}");
    guest.signal(Signal::TERM);
    assert_eq!(guest.end().0, Some(143));
}

#[test]
fn metrics_are_for_this_host_only() {
    for (address, reason) in [
        ("0.0.0.0:9100", "0.0.0.0 can be reached from other hosts: 127.0.0.1:PORT"),
        ("[::]:9100", ":: can be reached from other hosts"),
        ("localhost:9100", "not an address"),
        ("unix:", "no path"),
    ] {
        let ended = run(&["run", "--kernel", "x", "--metrics", address]);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""));
        assert!(ended.stderr.contains(reason), "{address}: {}", ended.stderr);
    }
}

#[test]
fn the_log_is_text_or_json() {
    let files = Files::new();
    let cache = files.text("code");
    let inspect = ["device", "inspect", "piix4-pm", "--code-cache", &cache];
    succeed(&inspect);
    // Code that is none is compiled anew, which is worth a message.
    let spoil = || {
        for file in files.path("code").read_dir().unwrap() {
            std::fs::write(file.unwrap().path(), "garbage").unwrap();
        }
    };
    spoil();
    let ended = run(&[&inspect[..], &["-vv", "--log-format", "json"]].concat());
    assert_eq!(ended.status, Some(0));
    let lines: Vec<Value> = ended
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    let line = lines.iter().find(|line| line["message"] == "stale code").unwrap();
    assert_eq!(line["level"], "DEBUG");
    assert!(line["path"].as_str().unwrap().ends_with(".cwasm"), "{line}");
    assert_eq!(line["target"], "southbridge::component::cache");

    spoil();
    let ended = run(&[&inspect[..], &["-vv"]].concat());
    assert!(ended.stderr.lines().any(|line| line.starts_with("DEBUG stale code path=")));
    let ended = run(&[&inspect[..], &["--log-format", "xml"]].concat());
    assert_eq!(ended.status, Some(2));
}

//! Guests that run: their ends, their console, their control socket.

use std::os::unix::net::UnixListener;

use iced_x86::code_asm::{CodeAssembler, dx, eax};
use rustix::process::Signal;
use serde_json::Value;
use southbridge::builtin;
use southbridge::control::qmp::{Client, Done, NoArguments};
use southbridge::demo::guest::{self, Width, hammer, parse_summary};
use southbridge::vm::boot::Kernel;

use super::program::{Files, Running, fail, no_kvm, run, succeed};
use crate::zoo;

/// A machine with all that the demonstration's guest drives.
const MACHINE: [&str; 9] = [
    "run",
    "--machine",
    "xenfv-4.2",
    "--memory",
    "16M",
    "--device",
    "isa-debug-exit",
    "--device",
    "isa-debugcon",
];

/// The demonstration's guest with a control socket, ready.
fn demonstration(files: &Files) -> Running {
    let kernel = files.write("guest", guest::image().unwrap());
    let socket = files.text("socket");
    let arguments = [&MACHINE[..], &["--kernel", &kernel, "--control", &socket, "--json"]].concat();
    let mut guest = Running::start(&arguments);
    guest.wait_for("ready for devices to be replaced");
    guest
}

/// Ends the demonstration's guest and checks that it found no error.
fn finish(mut guest: Running) -> Value {
    guest.send(&[guest::STOP]);
    guest.wait_for("done ");
    let summary = guest.said.iter().rev().find_map(|line| parse_summary(line)).unwrap();
    assert_eq!(summary.errors, 0, "{:#?}", guest.said);
    let (status, rest, stderr) = guest.end();
    assert_eq!((status, stderr.as_str()), (Some((guest::EXIT_CLEAN << 1 | 1).into()), ""));
    serde_json::from_str(rest.last().unwrap()).unwrap()
}

/// A guest that goes round for ever, with a control socket, running.
fn endless(files: &Files) -> Running {
    let kernel = files.write("spin.bin", [0xeb, 0xfe]);
    let socket = files.text("socket");
    let arguments = ["run", "--kernel", &kernel, "--format", "flat", "--control", &socket];
    let mut guest = Running::start(&arguments);
    guest.wait_until("the socket", || files.path("socket").exists());
    guest
}

#[test]
fn a_guests_exit_status_is_the_programs() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let kernel = files.write("hammer", hammer(0x80, Width::Byte, 1000).unwrap());
    let arguments = [&MACHINE[..], &["--kernel", &kernel, "--json"]].concat();
    let ended = run(&arguments);
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0x21), ""));
    let report: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&report["outcome"], &report["status"]), (&"exit".into(), &0x21.into()));
    assert!(report["exits"].as_u64().unwrap() >= 1000);
    let devices = report["devices"].as_array().unwrap();
    assert!(devices.iter().any(|device| device["slot"] == "isa-debug-exit"));

    let arguments = [&MACHINE[..], &["--kernel", &kernel, "-v"]].concat();
    let ended = run(&arguments);
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(0x21), ""));
    assert!(ended.stderr.contains("exit with status 33 after"), "{}", ended.stderr);
}

#[test]
fn images_that_do_not_fit_are_refused() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let elf = files.write("cut.elf", b"\x7fELF\x02\x01\x01");
    assert!(fail(&["run", "--kernel", &elf]).contains("cut.elf: truncated"));
    let image = guest::image().unwrap();
    // In the middle of the header.
    let cut = files.write("cut.multiboot", &image[..20]);
    assert!(fail(&["run", "--kernel", &cut]).contains("cut.multiboot: truncated"));
    let flat = files.write("flat.bin", [0xf4]);
    let arguments = ["run", "--kernel", &flat, "--format", "flat", "--memory", "1M"];
    assert!(fail(&arguments).contains("flat.bin"));
}

#[test]
fn streams_go_where_they_are_sent() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let kernel = files.write("guest", guest::image().unwrap());
    let serial = format!("file:{}", files.text("serial"));
    let arguments = [&MACHINE[..], &["--kernel", &kernel, "--serial", &serial]].concat();
    let arguments = [&arguments[..], &["--stream", "debugcon=stdio"]].concat();
    let mut guest = Running::start(&arguments);
    guest.wait_until("the console", || {
        let console = std::fs::read_to_string(files.path("serial")).unwrap_or_default();
        console.contains("ready for devices to be replaced")
    });
    guest.signal(Signal::TERM);
    let (status, said, stderr) = guest.end();
    assert_eq!((status, stderr.as_str()), (Some(143), ""));
    assert_eq!(said, [char::from(guest::READY).to_string()]);
}

#[test]
fn a_device_is_replaced_and_comes_back_while_the_guest_runs() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = demonstration(&files);
    let socket = files.text("socket");
    let swap = |arguments: &[&str]| succeed(&[&["swap", "--control", &socket], arguments].concat());

    let line = swap(&["pm", "piix4-pm+traced"]);
    assert!(line.starts_with("pm: piix4-pm 0.1.0 -> piix4-pm 0.1.0+traced, blackout "), "{line}");
    assert!(line.ends_with(" us\n"), "{line}");
    let line = swap(&["--roll-back", "pm"]);
    assert!(line.starts_with("pm: piix4-pm 0.1.0+traced -> piix4-pm 0.1.0, blackout "), "{line}");

    let file = files.write("pm.wasm", builtin::component("piix4-pm+traced").unwrap());
    let value: Value = serde_json::from_str(&swap(&["pm", &file, "--json"])).unwrap();
    assert_eq!(value["to"], "piix4-pm 0.1.0+traced");
    assert_eq!(value["state-moved"], true);
    assert!(value["blackout-us"].as_u64().unwrap() < 1_000_000);

    let list = swap(&["--list"]);
    let pm = list.lines().find(|line| line.starts_with("pm ")).unwrap();
    assert!(pm.contains("piix4-pm 0.1.0+traced") && pm.ends_with("in service"), "{pm}");
    let list: Value = serde_json::from_str(&swap(&["--list", "--json"])).unwrap();
    let pm = list.as_array().unwrap().iter().find(|device| device["slot"] == "pm").unwrap();
    assert_eq!(pm["swaps"], 3);

    let report = finish(guest);
    assert_eq!(report["outcome"], "exit");
    assert!(!files.path("socket").exists());
}

#[test]
fn a_relative_file_is_the_clients() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = demonstration(&files);
    files.write("pm.wasm", builtin::component("piix4-pm+traced").unwrap());
    let socket = files.text("socket");
    let mut command = super::program::command(&["swap", "--control", &socket, "pm", "pm.wasm"]);
    let output = command.current_dir(files.path("")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert!(output.status.success());
    finish(guest);
}

#[test]
fn swaps_that_do_not_fit_leave_the_guest_on_the_old_device() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = demonstration(&files);
    let socket = files.text("socket");
    let whole = builtin::component("piix4-pm").unwrap();
    let mut corrupt = whole.to_vec();
    let middle = corrupt.len() / 2;
    corrupt[middle..middle + 256].fill(0xff);
    let text = files.write("text.wasm", "not a component");
    let cut = files.write("cut.wasm", &whole[..whole.len() / 2]);
    let corrupt = files.write("corrupt.wasm", corrupt);
    let world = files.write("world.wasm", wat::parse_str("(component)").unwrap());
    for (slot, component, expected) in [
        ("pm", text.as_str(), "not a WebAssembly component: the file does not begin with \\0asm"),
        ("pm", &cut, "not a WebAssembly component"),
        ("pm", &corrupt, "not a WebAssembly component"),
        ("pm", &world, "not a device"),
        ("pm", "/dev/zero", "not a regular file"),
        ("pm", "./no-such.wasm", "cannot read"),
        ("pm", "piix4-pn", "nearest: piix4-pm"),
        ("pm", "xen-platform", "the new version declares other names"),
        ("mp", "piix4-pm", "no slot \"mp\"; this machine has host-bridge"),
    ] {
        let line = fail(&["swap", "--control", &socket, slot, component]);
        assert!(line.contains(expected), "{component}: {line}");
    }
    let line = fail(&["swap", "--control", &socket, "--roll-back", "pm"]);
    assert_eq!(line, "slot pm: there is no earlier version to go back to; the old version stays");
    let report = finish(guest);
    let devices = report["devices"].as_array().unwrap();
    let pm = devices.iter().find(|device| device["slot"] == "pm").unwrap();
    assert_eq!((&pm["device"], &pm["swaps"]), (&"piix4-pm 0.1.0".into(), &0.into()));
}

#[test]
fn a_version_that_misbehaves_leaves_the_guest_on_the_old_one() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let first = files.write("first.wasm", zoo::component("first"));
    let machine = format!(
        "[machine.counter]\n\
         description = \"A counter\"\n\
         memory = {{ max-ram-below-4g = 0xe0000000, split-at = 0xc0000000 }}\n\
         device.counter = {{ component = \"{first}\", grants = [\"streams\"], \
         streams = {{ data = \"serial0\" }} }}\n"
    );
    let machine = files.write("counter.toml", machine);
    // Counts to 5, says so on the counter's stream, and goes round for ever.
    let mut code = CodeAssembler::new(32).unwrap();
    let mut forever = code.create_label();
    code.mov(dx, 0x600).unwrap();
    code.mov(eax, 5).unwrap();
    code.out(dx, eax).unwrap();
    code.mov(dx, 0x60c).unwrap();
    for byte in *b"5\n" {
        code.mov(eax, i32::from(byte)).unwrap();
        code.out(dx, eax).unwrap();
    }
    code.set_label(&mut forever).unwrap();
    code.jmp(forever).unwrap();
    let kernel = code.assemble(Kernel::FLAT_ADDRESS.into()).unwrap();
    let kernel = files.write("guest.bin", kernel);
    let socket = files.text("socket");
    let guest = ["run", "--kernel", &kernel, "--format", "flat", "--control", &socket, "--json"];
    let machine = ["--machine-file", &machine, "--machine", "counter"];
    let mut guest = Running::start(&[&guest[..], &machine].concat());
    guest.wait_for("5");

    let power = files.write("power.wasm", zoo::with_power());
    let mut refused = vec![(power, "imports power, which is not granted")];
    for (kind, expected) in [
        ("refuses", "the new version refuses the state"),
        ("loses", "the new version does not keep the state"),
        ("other-lines", "the new version declares other lines"),
        ("other-regions", "the new version declares other regions"),
        ("traps-in-describe", "describe failed"),
        ("traps-in-configure", "configure failed"),
        ("traps-in-load", "the new version failed: load failed"),
    ] {
        refused.push((files.write(&format!("{kind}.wasm"), zoo::component(kind)), expected));
    }
    for (file, expected) in &refused {
        let line = fail(&["swap", "--control", &socket, "counter", file]);
        assert!(line.contains(expected), "{file}: {line}");
    }
    let second = files.write("second.wasm", zoo::component("second"));
    succeed(&["swap", "--control", &socket, "counter", &second]);

    guest.signal(Signal::INT);
    let (status, said, stderr) = guest.end();
    assert_eq!((status, stderr.as_str()), (Some(130), ""));
    let report: Value = serde_json::from_str(said.last().unwrap()).unwrap();
    assert_eq!(report["outcome"], "quit");
    let counter = &report["devices"][0];
    assert_eq!((&counter["swaps"], &counter["faults"]), (&1.into(), &0.into()));
}

#[test]
fn another_component_can_be_chosen_at_the_start() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let kernel = files.write("hammer", hammer(0x80, Width::Byte, 1).unwrap());
    // A machine with compatibility properties for the component by its name.
    let chosen = ["--machine", "pc-i440fx-2.4", "--component", "pm=piix4-pm+traced", "--json"];
    let machine = ["run", "--kernel", &kernel, "--device", "isa-debug-exit"];
    let ended = run(&[&machine[..], &chosen].concat());
    assert_eq!((ended.status, ended.stderr.as_str()), (Some(0x21), ""));
    assert!(ended.stdout.contains("\"device\":\"piix4-pm 0.1.0+traced\""), "{}", ended.stdout);
}

#[test]
fn a_control_socket_takes_nobodys_place() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let kernel = files.write("spin.bin", [0xeb, 0xfe]);
    let start =
        |path: &str| fail(&["run", "--kernel", &kernel, "--format", "flat", "--control", path]);
    let path = files.write("precious", "precious");
    assert!(start(&path).contains("exists and is not a socket"));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");

    let live = UnixListener::bind(files.path("socket")).unwrap();
    assert!(start(&files.text("socket")).contains("in use by another process"));
    assert!(files.path("socket").exists());
    drop(live);

    // Nobody listens there any more.
    let mut guest = endless(&files);
    let list = ["swap", "--control", &files.text("socket"), "--list"];
    guest.wait_until("an answer", || run(&list).status == Some(0));
    assert!(start(&files.text("socket")).contains("in use by another process"));
    guest.signal(Signal::INT);
    assert_eq!(guest.end().0, Some(130));
    assert!(!files.path("socket").exists());
}

#[test]
fn signals_end_the_guest_and_leave_nothing_behind() {
    if no_kvm() {
        return;
    }
    for (signal, status) in
        [(Signal::INT, 130), (Signal::TERM, 143), (Signal::QUIT, 131), (Signal::HUP, 129)]
    {
        let files = Files::new();
        let guest = endless(&files);
        guest.signal(signal);
        let (ended, said, stderr) = guest.end();
        assert_eq!((ended, stderr.as_str()), (Some(status), ""), "{signal:?}");
        assert_eq!(said, [""; 0]);
        assert!(!files.path("socket").exists(), "{signal:?}");
    }
}

#[test]
fn a_guest_that_is_told_to_quit_ends_well() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = endless(&files);
    let mut client = Client::connect(&files.path("socket")).unwrap();
    let Done {} = client.execute("quit", &NoArguments {}).unwrap();
    let (status, said, stderr) = guest.end();
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    assert_eq!(said, [""; 0]);
    assert!(!files.path("socket").exists());
}

#[test]
fn a_control_socket_that_goes_away_does_not_disturb_the_guest() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = demonstration(&files);
    std::fs::remove_file(files.path("socket")).unwrap();
    let line = fail(&["swap", "--control", &files.text("socket"), "--list"]);
    assert!(line.contains("no control socket there"), "{line}");
    finish(guest);
}

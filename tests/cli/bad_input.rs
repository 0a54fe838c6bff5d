//! What the program refuses before a guest is started, and how it says so.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;

use southbridge::builtin;

use super::program::{Files, fail, run};

/// `run` with a guest that would do nothing, and further arguments.
fn refused(files: &Files, arguments: &[&str]) -> String {
    let kernel = files.write("halt.bin", [0xfa, 0xf4]);
    fail(&[&["run", "--kernel", &kernel, "--format", "flat"], arguments].concat())
}

#[track_caller]
fn assert_says(line: &str, expected: &str) {
    assert!(line.contains(expected), "{line}");
}

#[test]
fn what_clap_refuses_ends_with_2() {
    let wrong: [&[&str]; 11] = [
        &[],
        &["walk"],
        &["run"],
        &["run", "--kernel", "a", "--firmware", "b"],
        &["run", "--firmware", "b", "--initrd", "c"],
        &["run", "--kernel", "a", "--cpus", "0"],
        &["run", "--kernel", "a", "--cpus", "9"],
        &["run", "--kernel", "a", "--memory", "lots"],
        &["run", "--kernel", "a", "--format", "pe"],
        &["swap", "--control", "a"],
        &["swap", "--control", "a", "pm"],
    ];
    for arguments in wrong {
        let ended = run(arguments);
        assert_eq!((ended.status, ended.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(!ended.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn memory_sizes() {
    let files = Files::new();
    assert_says(&refused(&files, &["--memory", "0"]), "memory size 0: expected at least 1 MiB");
    assert_says(&refused(&files, &["--memory", "1000000G"]), "this host has");
    assert_says(&refused(&files, &["--memory", "1025K"]), "expected a multiple of 1 MiB");
}

#[test]
fn images() {
    let files = Files::new();
    let line = |name: &str, content: &[u8], format: &str| {
        let file = files.write(name, content);
        let line = fail(&["run", "--kernel", &file, "--format", format]);
        assert_says(&line, name);
        line
    };
    assert_says(&fail(&["run", "--kernel", &files.text("none")]), "cannot read");
    assert_says(&fail(&["run", "--kernel", &files.text("")]), "cannot read");
    assert_says(&line("empty", b"", "auto"), "the file is empty");
    assert_says(&line("text", b"no kernel at all", "auto"), "not a bootable image");
    let firmware = files.write("bios.bin", [0; 1000]);
    assert_says(&fail(&["run", "--firmware", &firmware]), "expected a multiple of 64 KiB");
    let kernel = files.write("halt.bin", [0xf4]);
    let initrd = files.text("no-initrd");
    assert_says(&fail(&["run", "--kernel", &kernel, "--initrd", &initrd]), "no-initrd");
}

#[test]
fn machines() {
    let files = Files::new();
    let line = refused(&files, &["--machine", "xenvf-3.1"]);
    assert_says(&line, "unknown machine \"xenvf-3.1\"; nearest: xenfv-3.1");
    let line = refused(&files, &["--machine-file", &files.text("no-file")]);
    assert_says(&line, "no-file: cannot read the machine file");
}

#[test]
fn machine_files() {
    let files = Files::new();
    let line = |text: &str| {
        let text = format!("[machine.mine]\ninherits = \"pc-i440fx-10.0\"\n{text}\n");
        let file = files.write("mine.toml", text);
        refused(&files, &["--machine-file", &file, "--machine", "mine"])
    };
    for (text, expected) in [
        ("device.pm.component = \"piix4-pn\"", "nearest: piix4-pm"),
        ("device.pm.properties = { smb-io-bas = 1 }", "nearest: smb-io-base"),
        ("device.pm.properties = { smb-io-base = \"x\" }", "a number"),
        ("device.pm.wires = { sco = \"gsi:9\" }", "nearest: sci"),
        ("device.pm.at = \"host-bridge/pci@20.0\"", "00.0 to 1f.7"),
        ("device.pm.at = \"host-bridge/pcie@01.3\"", "pci"),
        ("device.serial0.grants = [\"dmb\"]", "nearest: dma"),
        ("device.pm.propertys = {}", "propertys"),
        ("device.pm = 7", "expected a table"),
        ("]", "mine.toml:3:1"),
    ] {
        let line = line(text);
        assert_says(&line, "mine.toml:");
        assert_says(&line, expected);
    }
    let line = line("device.serial0.grants = []");
    assert_says(&line, "device serial0: component serial: imports streams, which is not granted");
}

#[test]
fn devices_on_request() {
    let files = Files::new();
    for (device, expected) in [
        ("isa-debug-exot", "nearest: isa-debug-exit"),
        ("isa-debugcon,iobasa=1", "nearest: iobase"),
        ("isa-debugcon,iobase=port", "a number expected"),
        ("isa-debugcon,id=pm", "the id \"pm\" is taken"),
        ("isa-debugcon,addr=03.0", "on no bus"),
        ("xen-platform,addr=40.0", "00.0 to 1f.7"),
        ("isa-debugcon,iobase=0x10000", "iobase"),
    ] {
        assert_says(&refused(&files, &["--device", device]), expected);
    }
    let line = refused(&files, &["--component", "pn=piix4-pm"]);
    assert_says(&line, "has no device \"pn\"; it has kvmvapic");
    let line = refused(&files, &["--component", "pm=serial"]);
    assert_says(&line, "component \"serial\" sits on no bus");
}

#[test]
fn components() {
    let files = Files::new();
    let core = wat::parse_str("(module)").unwrap();
    let other_world = wat::parse_str("(component)").unwrap();
    let other_version = wat::parse_str(
        r#"(component (instance $i) (export "southbridge:device/device@9.9.9" (instance $i)))"#,
    )
    .unwrap();
    let whole = builtin::component("piix4-pm").unwrap();
    for (name, bytes, expected) in [
        ("empty.wasm", &[][..], "the file is empty"),
        ("text.wasm", b"text", "not a WebAssembly component"),
        ("core.wasm", &core, "a core module"),
        ("world.wasm", &other_world, "does not export southbridge:device/device@"),
        ("version.wasm", &other_version, "exports southbridge:device/device@9.9.9, this host"),
        ("cut.wasm", &whole[..whole.len() / 2], "not a WebAssembly component"),
    ] {
        let file = files.write(name, bytes);
        let line = fail(&["device", "inspect", &file]);
        assert_says(&line, name);
        assert_says(&line, expected);
        assert_says(&refused(&files, &["--component", &format!("pm={file}")]), expected);
    }
    assert_says(&fail(&["device", "inspect", "./no-such.wasm"]), "cannot read");
    assert_says(&fail(&["device", "inspect", "/dev/zero"]), "not a regular file");
}

/// A component that is not the program's own is compiled by a process of its own, which
/// takes none of this size. One of the program's, in this process, would be taken.
#[test]
fn a_component_too_large_for_the_process_that_compiles() {
    let files = Files::new();
    let file = files.write("large.wasm", builtin::component("piix4-pm").unwrap());
    // A custom section of 65 MiB whose name is empty.
    let size = 65u32 << 20;
    let leb128 = (0..5).map(|group| (size >> (7 * group) & 0x7f) as u8 | u8::from(group < 4) << 7);
    let head: Vec<u8> = [0].into_iter().chain(leb128).collect();
    let mut large = std::fs::OpenOptions::new().append(true).open(&file).unwrap();
    large.write_all(&head).unwrap();
    large.set_len(large.metadata().unwrap().len() + u64::from(size)).unwrap();
    let expected = "larger than 64 MiB: not a device";
    for command in ["inspect", "check", "fuzz", "bench"] {
        assert_says(&fail(&["device", command, &file]), expected);
    }
    assert_says(&refused(&files, &["--component", &format!("pm={file}")]), expected);
    assert_says(&refused(&files, &["--device", &file]), expected);
}

#[test]
fn streams() {
    let files = Files::new();
    let line = refused(&files, &["--stream", "serial7=null"]);
    assert_says(&line, "no stream \"serial7\"; this machine has serial0");
    let line = refused(&files, &["--serial", "null", "--stream", "serial0=null"]);
    assert_says(&line, "connected twice");
    let debugcon = ["--device", "isa-debugcon", "--stream", "debugcon=stdio"];
    let line = refused(&files, &[&debugcon[..], &["--serial", "stdio"]].concat());
    assert_says(&line, "stdio is connected to 2 streams");
    let file = format!("file:{}", files.text("no/such"));
    assert_says(&refused(&files, &["--serial", &file]), "no/such: No such file");
}

#[test]
fn a_code_cache_that_others_can_enter() {
    let files = Files::new();
    std::fs::create_dir(files.path("cache")).unwrap();
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(files.path("cache"), mode).unwrap();
    let line = fail(&["device", "list", "--code-cache", &files.text("cache")]);
    assert_says(&line, "mode is 755, 700 expected");
}

#[test]
fn a_swap_without_a_guest() {
    let files = Files::new();
    let line = fail(&["swap", "--control", &files.text("socket"), "--list"]);
    assert_says(&line, "no control socket there; start the guest with --control");
    drop(std::os::unix::net::UnixListener::bind(files.path("stale")).unwrap());
    let line = fail(&["swap", "--control", &files.text("stale"), "--list"]);
    assert_says(&line, "nobody answers: the guest has ended");
}

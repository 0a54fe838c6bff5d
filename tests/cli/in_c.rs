//! A device in C: made, built, checked, fuzzed, and asked by a guest.

use iced_x86::code_asm::{CodeAssembler, al, dx, eax};
use southbridge::vm::boot::Kernel;

use super::program::{Files, Running, fail, no_kvm, succeed};

/// A guest that has the timer expire every millisecond, and says so when it has seen it
/// three times, with its line's interrupt acknowledged.
fn counting() -> Vec<u8> {
    let mut code = CodeAssembler::new(32).unwrap();
    let mut again = code.create_label();
    // CONTROL, PERIOD, STATUS and COUNT.
    for (port, value) in [(0x5e4, 1000), (0x5e0, 1)] {
        code.mov(dx, port).unwrap();
        code.mov(eax, value).unwrap();
        code.out(dx, eax).unwrap();
    }
    code.mov(dx, 0x5ec).unwrap();
    code.set_label(&mut again).unwrap();
    code.in_(eax, dx).unwrap();
    code.cmp(eax, 3).unwrap();
    code.jb(again).unwrap();
    code.mov(dx, 0x3f8).unwrap();
    for byte in b"three times\n" {
        code.mov(al, i32::from(*byte)).unwrap();
        code.out(dx, al).unwrap();
    }
    let mut stay = code.create_label();
    code.set_label(&mut stay).unwrap();
    code.jmp(stay).unwrap();
    code.assemble(Kernel::FLAT_ADDRESS.into()).unwrap()
}

#[test]
fn a_device_in_c_answers_in_a_guest() {
    let files = Files::new();
    let folder = files.text("c-timer");
    let said = succeed(&["device", "new", &folder, "--language", "c"]);
    assert!(said.contains("c-timer && southbridge device build\n"), "{said}");
    let said = succeed(&["device", "build", &folder]);
    assert!(said.contains("c-timer.wasm: c-timer 0.1.0, "), "{said}");
    let component = format!("{folder}/c-timer.wasm");

    let said = succeed(&["device", "check", &component]);
    assert!(said.contains("\nreplay       holds\n"), "{said}");
    let said = succeed(&["device", "fuzz", &component, "--time", "2s"]);
    assert!(said.ends_with(": 0 kinds of failure\n"), "{said}");

    if no_kvm() {
        return;
    }
    let machine = format!(
        "[machine.with-timer]\n\
         inherits = \"pc-i440fx-10.0\"\n\
         description = \"A PC with a timer in C\"\n\
         device.c-timer = {{ component = \"{component}\", wires = {{ irq = \"gsi:5\" }} }}\n"
    );
    let machine = files.write("pc.toml", machine);
    let (kernel, socket) = (files.write("guest.bin", counting()), files.text("socket"));
    let guest = ["run", "--kernel", &kernel, "--format", "flat", "--memory", "16M"];
    let device = ["--machine-file", &machine, "--machine", "with-timer", "--control", &socket];
    let mut guest = Running::start(&[&guest[..], &device].concat());
    guest.wait_for("three times");
    let listed = succeed(&["swap", "--control", &socket, "--list"]);
    assert!(listed.contains("c-timer 0.1.0"), "{listed}");
    assert!(!listed.contains("out of service"), "{listed}");
    // It takes its own state over.
    let said = succeed(&["swap", "--control", &socket, "c-timer", &component]);
    assert!(said.contains("c-timer 0.1.0 -> c-timer 0.1.0"), "{said}");
}

#[test]
fn c_that_is_wrong_is_refused_in_one_line() {
    let files = Files::new();
    let folder = files.text("broken");
    succeed(&["device", "new", &folder, "--language", "c"]);
    std::fs::remove_file(files.path("broken/device.c")).unwrap();
    let line = fail(&["device", "build", &folder]);
    assert!(line.ends_with("broken: no .c file there"), "{line}");
    files.write("broken/device.c", "int no_device;\n");
    let ended = super::program::run(&["device", "build", &folder]);
    assert_eq!(ended.status, Some(1));
    let last = ended.stderr.lines().last().unwrap_or_default();
    assert!(last.starts_with("southbridge: error: cannot "), "{}", ended.stderr);
}

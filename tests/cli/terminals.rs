//! The program at a person's terminal.

use rustix::process::Signal;

use super::program::{Files, Running, command, no_kvm, succeed};
use crate::terminal::Terminal;

/// In 32 bits, what comes from the first serial port is sent back: mov $0x3fd, %edx;
/// in %dx, %al; test $1, %al; jz; mov $0x3f8, %edx; in %dx, %al; out %al, %dx; jmp.
const ECHO: [u8; 19] = [
    0xba, 0xfd, 0x03, 0, 0, 0xec, 0xa8, 0x01, 0x74, 0xf6, 0xba, 0xf8, 0x03, 0, 0, 0xec, 0xee, 0xeb,
    0xed,
];

fn echoing(files: &Files, arguments: &[&str]) -> Terminal {
    let kernel = files.write("echo.bin", ECHO);
    let common = ["run", "--kernel", &kernel, "--format", "flat"];
    Terminal::start(&command(&[&common, arguments].concat()), None)
}

#[test]
fn the_guest_shares_the_terminal_with_a_monitor() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let mut terminal = echoing(&files, &["--serial", "mon:stdio"]);
    terminal.press("for the guest\x01\x01");
    terminal.wait_for("for the guest\x01");
    assert!(!terminal.is_restored());
    // Even this key is the guest's.
    terminal.press("\x03.");
    terminal.wait_for("\x03.");
    terminal.press("\x01c");
    terminal.wait_for("(qemu) ");
    terminal.press("info status\r");
    terminal.wait_for("VM status: running\r\r\n(qemu) ");
    terminal.press("\x01cback");
    terminal.wait_for("back");
    terminal.press("\x01x");
    terminal.wait_for("QEMU: Terminated");
    assert_eq!(terminal.end(), Some(0));
    assert!(terminal.is_restored());
}

#[test]
fn keys_end_the_guest_that_has_the_terminal_alone() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let mut terminal = echoing(&files, &[]);
    terminal.press("\x01x");
    terminal.wait_for("\x01x");
    assert!(!terminal.is_restored());
    terminal.press("\x03");
    assert_eq!(terminal.end(), Some(130));
    assert!(terminal.is_restored());
}

/// A guest whose devices can be watched.
fn watched(files: &Files) -> Running {
    let kernel = files.write("echo.bin", ECHO);
    let socket = files.text("socket");
    let arguments = ["run", "--kernel", &kernel, "--format", "flat", "--control", &socket];
    let mut guest = Running::start(&arguments);
    guest.wait_until("the socket", || files.path("socket").exists());
    guest
}

fn top(files: &Files) -> Terminal {
    let socket = files.text("socket");
    let arguments = ["top", "--control", &socket, "--interval", "0.2"];
    let mut terminal = Terminal::start(&command(&arguments), None);
    // The other screen, the headings, and a device that the guest accesses: words, as spaces
    // that are there already are not drawn.
    for text in ["\x1b[?1049h", "SLOT", "serial", "service"] {
        terminal.wait_for(text);
    }
    assert!(!terminal.is_restored());
    terminal
}

#[test]
fn devices_are_watched_until_a_key_or_a_signal() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = watched(&files);
    type End = (&'static str, fn(&mut Terminal), i32);
    let ends: [End; 5] = [
        ("q", |terminal| terminal.press("q"), 0),
        ("Ctrl-C", |terminal| terminal.press("\x03"), 0),
        ("ESC", |terminal| terminal.press("\x1b"), 0),
        ("SIGTERM", |terminal| terminal.signal(Signal::TERM), 143),
        ("SIGHUP", |terminal| terminal.signal(Signal::HUP), 129),
    ];
    for (how, end, status) in ends {
        let mut terminal = top(&files);
        end(&mut terminal);
        assert_eq!(terminal.end(), Some(status), "{how}: {:?}", terminal.said);
        let (_, after) = terminal.said.rsplit_once("\x1b[?1049l").expect("the screen is restored");
        assert!(after.starts_with("\x1b[?25h"), "{how}: {after:?}");
        assert!(terminal.is_restored(), "{how}");
    }
    // What was not timed before is not timed any more.
    let listed = succeed(&["swap", "--control", &files.text("socket"), "--list", "--json"]);
    assert!(!listed.contains("time-ns"), "{listed}");
    drop(guest);
}

#[test]
fn the_end_of_the_guest_is_the_end_of_watching() {
    if no_kvm() {
        return;
    }
    let files = Files::new();
    let guest = watched(&files);
    let mut terminal = top(&files);
    guest.signal(Signal::TERM);
    assert_eq!(guest.end().0, Some(143));
    assert_eq!(terminal.end(), Some(1));
    // The reason is on the screen that was there before.
    let (_, after) = terminal.said.rsplit_once("\x1b[?1049l").expect("the screen is restored");
    assert!(after.contains("southbridge: ") && after.contains("error:"), "{after:?}");
    assert!(terminal.is_restored());
}

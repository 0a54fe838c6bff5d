//! The monitor for people, and the keys at a terminal that it shares: what a person
//! sees is what QEMU shows.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::ours;
use crate::terminal::Terminal;

const MACHINE: &str = "-machine pc-i440fx-7.2 -m 16 -nodefaults -no-user-config -display none -S";

/// Both programs without a guest that would say something: QEMU, then Southbridge.
fn programs(arguments: &str) -> [Command; 2] {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", "tcg"]);
    [qemu, ours::without_processors()].map(|mut program| {
        program.args(MACHINE.split(' ')).args(arguments.split(' '));
        program
    })
}

fn start(program: &Command, directory: &Path) -> Terminal {
    let errors = File::create(directory.join("errors")).expect("the directory is ours");
    Terminal::start(program, Some(errors))
}

/// Has both programs run with the same keys pressed, each after a text was seen. Returns
/// what was to be seen in all, which must be the same.
fn seen_alike(arguments: &str, steps: &[(&str, &str)]) -> String {
    let directory = TempDir::new().expect("a directory can be made");
    let [theirs, ours] = programs(arguments).map(|program| {
        let mut terminal = start(&program, directory.path());
        for (text, keys) in steps {
            terminal.wait_for(text);
            terminal.press(keys);
        }
        assert_eq!(terminal.end(), Some(0), "{:?}", terminal.said);
        assert!(terminal.is_restored());
        std::mem::take(&mut terminal.said)
    });
    assert_eq!(ours, without_other_keys(&theirs));
    ours
}

/// QEMU's list of keys has some more, for what is not here.
fn without_other_keys(said: &str) -> String {
    let others = ["save disk data", "toggle console timestamps", "send break"];
    let lines = said.split_inclusive("\n\r");
    lines.filter(|line| !others.iter().any(|other| line.contains(other))).collect()
}

#[test]
fn a_monitor_at_the_terminal_is_qemus() {
    let prompt = "\n(qemu) ";
    let seen = seen_alike(
        "-monitor stdio",
        &[
            (prompt, "info status\r"),
            (prompt, "foo\x7f\x7fx\r"),
            (prompt, "nfo \x01i\x05name\x1b[D\x1b[D\x1b[D\x1b[3~\x17info  uuid\r"),
            (prompt, "\x1b[A\x1b[A\x1b[A\x0e\x10 \r"),
            (prompt, "eject\r"),
            (prompt, "sendkey foo\r"),
            (prompt, "\r"),
            (prompt, "quit\r"),
        ],
    );
    assert!(seen.contains("VM status: paused (prelaunch)"), "{seen}");
}

#[test]
fn a_monitor_and_a_serial_port_share_the_terminal_as_in_qemu() {
    let prompt = "(qemu) ";
    let seen = seen_alike(
        "-serial mon:stdio -echr 0x14",
        &[
            // QEMU says this when it listens to the keyboard.
            ("", "\x14?"),
            ("sends C-t\r\n", "\x14z\x14c"),
            (prompt, "stop\x14c"),
            ("stop\x1b[K\r\r\n", "typed for the guest\x14\x14\x03\x14c"),
            (prompt, "info uuid\r"),
            (prompt, "\x14x"),
        ],
    );
    assert!(seen.ends_with("(qemu) QEMU: Terminated\r\n\r"), "{seen}");
}

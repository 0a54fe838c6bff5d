//! Drives and what is in them: QMP and the monitor for people say of them what QEMU's
//! say.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::ours;
use super::process::pause;
use super::wire::{PATIENCE, Wire};

/// The order of drives is that of `-drive`, whatever they are plugged into, and in.
const MACHINE: &str = "-machine pc-i440fx-7.2 -m 16 -nodefaults -no-user-config -display none -S \
    -drive if=none,id=disk,file=disk.img,format=raw,cache=directsync \
    -drive if=none,id=dvd,file=a.iso,format=raw,media=cdrom,readonly=on \
    -drive if=none,id=small,file=fd.img,format=raw,cache=unsafe \
    -drive if=none,id=empty \
    -device ide-cd,drive=empty,id=second,bus=ide.1,unit=1 \
    -device ide-cd,drive=dvd,id=first,bus=ide.1,unit=0 \
    -device ide-hd,drive=disk,id=system,bus=ide.0 \
    -device floppy,drive=small,id=a \
    -qmp unix:qmp,server=on,wait=off";

/// A program with drives.
struct Run {
    child: Child,
    wire: Wire,
    _directory: TempDir,
}

impl Run {
    fn start(mut command: Command) -> Self {
        let directory = TempDir::new().expect("a directory can be made");
        let path = |name: &str| directory.path().join(name);
        for (name, size) in
            [("disk.img", 1 << 20), ("a.iso", 1 << 16), ("c.iso", 3 << 11), ("fd.img", 1_474_560)]
        {
            let file = File::create(path(name)).expect("the directory is ours");
            file.set_len(size).expect("there is room");
        }
        let errors = File::create(path("errors")).expect("the directory is ours");
        command.args(MACHINE.split_ascii_whitespace()).current_dir(directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors);
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let end = Instant::now() + PATIENCE;
        let wire = loop {
            match Wire::connect(&path("qmp")) {
                Ok(wire) => break wire,
                Err(error) => {
                    let errors = std::fs::read_to_string(path("errors"));
                    let ended = child.try_wait().expect("the process is ours").is_some();
                    assert!(!ended && Instant::now() < end, "{command:?}: {error}: {errors:?}");
                    pause();
                }
            }
        };
        let mut run = Self { child, wire, _directory: directory };
        run.wire.receive().expect("it greets");
        run.execute("qmp_capabilities", &json!({}));
        run
    }

    /// All lines up to the answer, events first, as they are sent but for what is made up:
    /// times, and the names of what nobody has named.
    fn execute(&mut self, command: &str, arguments: &Value) -> Vec<String> {
        let request = json!({"execute": command, "arguments": arguments}).to_string();
        self.wire.send(&request).expect("it is there");
        let mut lines = Vec::new();
        loop {
            let line = self.wire.receive().unwrap_or_else(|error| panic!("{request}: {error}"));
            lines.push(without_names(without_time(&line)));
            if !line.contains("\"event\"") {
                return lines;
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // One that has ended cannot be killed, and need not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An event's time comes first.
fn without_time(line: &str) -> &str {
    match line.split_once("}, ") {
        Some((time, rest)) if time.starts_with("{\"timestamp\"") => rest,
        _ => line,
    }
}

/// `#block123` without its number.
fn without_names(line: &str) -> String {
    let mut parts = line.split("#block");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    rest.fold(first, |line, rest| line + "#block" + rest)
}

fn steps() -> Vec<(&'static str, Value)> {
    let human = |line: &str| ("human-monitor-command", json!({"command-line": line}));
    let eject = |arguments| ("eject", arguments);
    let change = |arguments| ("blockdev-change-medium", arguments);
    vec![
        ("query-block", json!({})),
        ("query-blockstats", json!({})),
        ("query-mice", json!({})),
        human("info block"),
        human("info block -v"),
        human("info block -v dvd"),
        human("info block small"),
        human("info block nope"),
        human("info blockstats"),
        human("info mice"),
        eject(json!({})),
        eject(json!({"device": "dvd", "id": "first"})),
        eject(json!({"device": "nope"})),
        eject(json!({"device": "first"})),
        eject(json!({"id": "dvd"})),
        eject(json!({"id": "nope"})),
        eject(json!({"id": "system"})),
        eject(json!({"device": "disk", "force": true})),
        eject(json!({"id": "first"})),
        eject(json!({"device": "dvd"})),
        ("query-block", json!({})),
        change(json!({"filename": "c.iso"})),
        change(json!({"id": "first"})),
        change(json!({"id": "nope", "filename": "c.iso"})),
        change(json!({"id": "system", "filename": "c.iso", "format": "raw"})),
        change(json!({"id": "system", "filename": "/nonexistent", "format": "raw"})),
        change(json!({"id": "first", "filename": "/nonexistent", "format": "raw"})),
        change(json!({"id": "first", "filename": "/", "format": "raw"})),
        change(json!({"id": "first", "filename": "c.iso", "format": "nope"})),
        change(json!({"id": "first", "filename": "c.iso", "read-only-mode": "nope"})),
        change(json!({"id": "first", "filename": "c.iso", "format": "raw"})),
        human("info block dvd"),
        change(json!({"id": "first", "filename": "a.iso", "format": "raw"})),
        ("query-block", json!({})),
        human("change dvd c.iso raw read-write"),
        human("info block dvd"),
        human("eject -f dvd"),
        human("eject"),
        human("eject nope"),
        human("eject -x dvd"),
        human("change dvd"),
        human("change dvd /x raw nope"),
        human("change dvd /x raw"),
        human("change empty -f c.iso raw"),
        human("eject small"),
        human("change small fd.img raw read-only"),
        ("query-block", json!({})),
        human("mouse_set 2"),
        human("mouse_set 7"),
        human("mouse_set"),
    ]
}

#[test]
fn drives_are_said_and_exchanged_as_in_qemu() {
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", "tcg"]);
    let (mut theirs, mut ours) = (Run::start(qemu), Run::start(ours::without_processors()));
    for (command, arguments) in steps() {
        let (ours, theirs) =
            (ours.execute(command, &arguments), theirs.execute(command, &arguments));
        assert_eq!(ours, theirs, "{command} {arguments}");
    }
}

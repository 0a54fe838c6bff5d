//! What firmware shows on the screen.

use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::compare::Machine;
use super::run::{Program, Started, no_kvm};

/// Longer than the cursor is seen, or is not.
const BLINK: Duration = Duration::from_secs(1);

/// The pictures that there are for a while: one with a cursor, one without.
fn pictures(started: &mut Started) -> Vec<Vec<u8>> {
    let mut pictures = Vec::new();
    let end = Instant::now() + BLINK;
    while Instant::now() < end {
        started.monitor().execute_with("screendump", json!({"filename": "screen.ppm"}));
        let picture = started.bytes("screen.ppm");
        if !pictures.contains(&picture) {
            pictures.push(picture);
        }
        thread::sleep(Duration::from_millis(50));
    }
    pictures
}

#[test]
fn the_screen_is_qemus_to_the_pixel() {
    if no_kvm() {
        return;
    }
    let (ours, theirs) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    Machine::new().with(&["-vga", "std"]).runs_alike(|started| {
        started.wait_for("No bootable device.");
        let taken = pictures(started);
        let all = match started.program() {
            Program::Southbridge => &ours,
            Program::Qemu => &theirs,
        };
        *all.lock().expect("nobody has failed") = taken;
        started.monitor().execute("quit");
    });
    let (ours, theirs) = (ours.into_inner().unwrap(), theirs.into_inner().unwrap());
    let headings: Vec<_> = ours.iter().chain(&theirs).map(|picture| &picture[..14]).collect();
    assert!(headings.iter().all(|heading| *heading == b"P6\n720 400\n255"), "{headings:?}");
    // The cursor blinks as it likes on either.
    assert!(ours.iter().any(|picture| theirs.contains(picture)), "no picture is the same");
    // It has something on it.
    assert!(ours[0][15..].iter().filter(|byte| **byte != 0).count() > 10_000);
}

//! Images that cannot grow: on a file system without room, and beyond what a process
//! may write. Real errors of the system's, for both programs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::disk::{DATA, SECTOR};
use super::machine::Machine;
use super::program::{BOTH, Files, Program, Start};

/// Sectors of a write: limits lie within one.
const CHUNK: u32 = 24;
/// How many writes there are.
const CHUNKS: u32 = 10;

/// What chunk `number` is full of.
fn filling(number: u32) -> Vec<u8> {
    vec![number as u8 + 1; CHUNK as usize * SECTOR]
}

fn begin_chunk(machine: &mut Machine, number: u32) {
    machine.write(DATA.into(), &filling(number));
    machine.begin_write(number * CHUNK, CHUNK as u8);
}

/// Whether an image has the chunk.
fn has_chunk(image: &[u8], number: u32) -> bool {
    let start = (number * CHUNK) as usize * SECTOR;
    image.get(start..start + CHUNK as usize * SECTOR) == Some(&filling(number)[..])
}

/// Writes all chunks, each of which must go well or fail at once: which went well.
fn write_all(machine: &mut Machine) -> Vec<u32> {
    machine.enable_bus_master();
    let mut written = Vec::new();
    for number in 0..CHUNKS {
        begin_chunk(machine, number);
        machine.wait_for_disk();
        match machine.in8(0x1f7) {
            0x50 => written.push(number),
            status => assert_eq!((status, machine.in8(0x1f1)), (0x41, 0x04), "aborted"),
        }
    }
    written
}

/// A limit in the middle of the third chunk.
const LIMIT: u64 = 2 * CHUNK as u64 * SECTOR as u64 + 2048;

fn limited(program: Program, files: &Files, policy: &str) -> Machine {
    // Not so small that the program's own files do not fit.
    files.sparse("disk", 1 << 20);
    let drive = format!("file=disk,format=raw,if=ide,werror={policy}");
    let mut start = Start::new(program, files, &["-drive", &drive]);
    start.largest_file = Some(LIMIT);
    Machine::of(start)
}

#[test]
fn beyond_the_largest_file_writes_fail() {
    for program in BOTH {
        for policy in ["report", "enospc"] {
            let files = Files::new();
            let mut machine = limited(program, &files, policy);
            assert_eq!(write_all(&mut machine), [0, 1], "{program:?}, {policy}");
            let (events, status) = machine.events_until("query-status");
            assert_eq!((events.len(), &status["status"]), (8, &"running".into()), "{program:?}");
            assert_eq!(events[0]["data"]["reason"], "File too large");
            drop(machine);
            let image = files.read("disk");
            assert!((0..2).all(|number| has_chunk(&image, number)), "{program:?}");
        }
    }
}

#[test]
fn a_machine_that_was_stopped_goes_on_when_the_limit_is_lifted() {
    for program in BOTH {
        let files = Files::new();
        let mut machine = limited(program, &files, "stop");
        machine.enable_bus_master();
        for number in 0..CHUNKS {
            begin_chunk(&mut machine, number);
            if number == 2 {
                let first = machine.events_until_it_is("io-error");
                let names: Vec<_> = first.iter().map(|event| &event["event"]).collect();
                assert_eq!(names, ["BLOCK_IO_ERROR", "STOP"], "{program:?}");
                let image = files.read("disk");
                assert!((0..2).all(|number| has_chunk(&image, number)), "{program:?}");
                // As long as nothing has changed it fails again.
                let (resumed, _) = machine.events_until("cont");
                assert_eq!(resumed[0]["event"], "RESUME");
                let again = machine.events_until_it_is("io-error");
                assert_eq!([&resumed[1..], &again].concat(), first, "{program:?}");
                machine.process().lift_limit();
                machine.events_until("cont");
            }
            machine.wait_for_disk();
            assert_eq!(machine.in8(0x1f7), 0x50, "{program:?}: chunk {number}");
        }
        machine.process().kill();
        let image = files.read("disk");
        assert!((0..CHUNKS).all(|number| has_chunk(&image, number)), "{program:?}");
    }
}

/// Bytes of a small file system. A part of it is taken: beside that, `FIT_FIRST` chunks
/// go in and a part of the next; when it is gone, `FIT` of them.
const SMALL: u64 = 96 << 10;
const FIT_FIRST: u32 = 4;
const FIT: u32 = 8;

/// Whether this user may mount file systems, for itself alone.
fn can_mount() -> bool {
    let mount = "mount -t tmpfs none /mnt";
    let arguments = ["--user", "--map-root-user", "--mount", "sh", "-c", mount];
    Command::new("unshare").args(arguments).status().is_ok_and(|status| status.success())
}

#[test]
fn a_full_file_system_stops_the_machine_until_there_is_room() {
    if !can_mount() {
        println!("no file system can be mounted here, so none is filled");
        return;
    }
    for program in BOTH {
        let files = Files::new();
        // By default the machine stops for want of room.
        let mut start =
            Start::new(program, &files, &["-drive", "file=full/disk,format=raw,if=ide"]);
        start.small_file_system = Some(SMALL);
        let mut machine = Machine::of(start);
        let inside = |machine: &mut Machine, name: &str| -> PathBuf {
            let id = machine.process().id();
            PathBuf::from(format!("/proc/{id}/root"))
                .join(files.path("full").strip_prefix("/").expect("the path is absolute"))
                .join(name)
        };
        machine.enable_bus_master();
        for number in 0..FIT {
            begin_chunk(&mut machine, number);
            if number == FIT_FIRST {
                let events = machine.events_until_it_is("io-error");
                let names: Vec<_> = events.iter().map(|event| &event["event"]).collect();
                assert_eq!(names, ["BLOCK_IO_ERROR", "STOP"], "{program:?}");
                let data = &events[0]["data"];
                assert_eq!(
                    (&data["nospace"], &data["action"], &data["reason"]),
                    (&true.into(), &"stop".into(), &"No space left on device".into()),
                    "{program:?}"
                );
                // All that was acknowledged is there.
                let disk = inside(&mut machine, "disk");
                let image = fs::read(disk).expect("the image can be read");
                assert!((0..number).all(|number| has_chunk(&image, number)));
                let ballast = inside(&mut machine, "ballast");
                fs::remove_file(ballast).expect("the file system is ours");
                machine.events_until("cont");
            }
            machine.wait_for_disk();
            assert_eq!(machine.in8(0x1f7), 0x50, "{program:?}: chunk {number}");
        }
        let disk = inside(&mut machine, "disk");
        let image = fs::read(disk).expect("the image can be read");
        assert!((0..FIT).all(|number| has_chunk(&image, number)), "{program:?}");
    }
}

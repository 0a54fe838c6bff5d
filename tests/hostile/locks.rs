//! Images that another process uses: this program's, or QEMU's.

use super::machine::Machine;
use super::program::{BOTH, Files, Program, refused, refused_by_qemu};

const WRITER: &str = "file=disk,format=raw,if=ide";
const READER: &str = "file=disk,format=raw,if=ide,media=cdrom";

/// What each program says when it cannot have the image.
fn refusal(program: Program, files: &Files, drive: &str) -> String {
    match program {
        Program::Southbridge => refused(files, &["-drive", drive]),
        Program::Qemu => refused_by_qemu(files, &["-drive", drive]),
    }
}

fn files() -> Files {
    let files = Files::new();
    files.sparse("disk", 1 << 20);
    files
}

#[test]
fn one_writer_keeps_all_others_out() {
    for holder in BOTH {
        let files = files();
        let mut first = Machine::start(holder, &files, &["-drive", WRITER]);
        for program in BOTH {
            for (drive, lock) in [(WRITER, "\"write\""), (READER, "shared \"write\"")] {
                let said = refusal(program, &files, drive);
                let expected = format!("Failed to get {lock} lock");
                assert!(said.contains(&expected), "{holder:?} before {program:?}: {said}");
            }
        }
        let said = refusal(Program::Southbridge, &files, WRITER);
        assert_eq!(
            said,
            "-drive file=disk,format=raw,if=ide: Failed to get \"write\" lock; is another process \
             using the image 'disk'? End that one, or say file.locking=off if their guests know \
             of each other"
        );
        // Those who were refused have disturbed nothing.
        first.probe_disk();
        // However it ends, the image is free.
        first.process().kill();
        for program in BOTH {
            Machine::start(program, &files, &["-drive", WRITER]).probe_disk();
        }
    }
}

#[test]
fn readers_share_and_keep_writers_out() {
    for holder in BOTH {
        let files = files();
        let _first = Machine::start(holder, &files, &["-drive", READER]);
        for program in BOTH.into_iter().filter(|program| *program != holder) {
            let _second = Machine::start(program, &files, &["-drive", READER]);
        }
        for program in BOTH {
            let said = refusal(program, &files, WRITER);
            assert!(
                said.contains("Failed to get \"write\" lock"),
                "{holder:?}, {program:?}: {said}"
            );
        }
    }
}

#[test]
fn who_does_not_lock_does_not_ask() {
    let unlocked = format!("{WRITER},file.locking=off");
    for holder in BOTH {
        let other = BOTH.into_iter().find(|program| *program != holder).expect("there are two");
        let files = files();
        let mut first = Machine::start(holder, &files, &["-drive", WRITER]);
        Machine::start(other, &files, &["-drive", &unlocked]).probe_disk();
        first.process().kill();
        // Nor does it keep anybody out.
        let _first = Machine::start(holder, &files, &["-drive", &unlocked]);
        Machine::start(other, &files, &["-drive", WRITER]).probe_disk();
    }
}

#[test]
fn one_image_is_not_two_disks() {
    let files = files();
    let again = "file=disk,format=raw,if=ide,index=1";
    let said = refused(&files, &["-drive", WRITER, "-drive", again]);
    assert!(said.starts_with(&format!("-drive {again}: Failed to get \"write\" lock")), "{said}");
    // Two readers are nobody's concern.
    let reader = "file=disk,format=raw,if=ide,index=1,media=cdrom";
    Machine::start(Program::Southbridge, &files, &["-drive", READER, "-drive", reader]);
}

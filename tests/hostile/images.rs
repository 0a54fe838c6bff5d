//! Images that are not there, are none, are empty or odd, or vanish.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::PermissionsExt as _;

use super::disk::{DATA, SECTOR, command, numbered, pattern};
use super::machine::Machine;
use super::program::{BOTH, Files, Program, Start, refused, refused_by_qemu};

#[test]
fn what_is_no_image_is_refused() {
    let files = Files::new();
    fs::create_dir(files.path("directory")).expect("there is room");
    std::os::unix::fs::symlink("absent", files.path("dangling")).expect("there is room");
    rustix::fs::mkfifoat(rustix::fs::CWD, files.path("pipe"), 0o600.into()).expect("there is room");
    for (file, problem) in [
        ("absent", "could not open 'absent': there is no such file"),
        ("dangling", "could not open 'dangling': there is no such file"),
        ("absent/disk", "cannot open absent: No such file or directory (os error 2)"),
        ("directory", "could not open 'directory': it is a directory"),
        ("pipe", "could not open 'pipe': it is neither a file nor a block device"),
        ("/dev/null", "could not open 'null': it is neither a file nor a block device"),
    ] {
        for options in ["if=ide", "if=ide,media=cdrom", "if=floppy"] {
            let drive = format!("file={file},format=raw,{options}");
            let said = refused(&files, &["-drive", &drive]);
            assert_eq!(said, format!("-drive {drive}: {problem}"));
        }
        // QEMU waits for a pipe's other end, and takes a null device for a disk.
        if !["pipe", "/dev/null"].contains(&file) {
            refused_by_qemu(&files, &["-drive", &format!("file={file},format=raw")]);
        }
    }
    files.write("disk", &[0; 4096]);
    for (options, problem) in [
        (
            "format=qcow2",
            "images of format 'qcow2' cannot be read here; make a raw one of it: \
          qemu-img convert -O raw 'disk' new.img",
        ),
        (
            "format=raw,werror=perhaps",
            "no error policy 'perhaps'; there are report, ignore, stop, \
          enospc",
        ),
        ("format=raw,rerror=enospc", "no error policy 'enospc'; there are report, ignore, stop"),
        ("format=raw,if=floppy,werror=stop", "werror is not supported by this bus type"),
        (
            "format=raw,file.locking=never",
            "'never' is not a way to lock images; there are on, \
          off, auto",
        ),
        ("format=raw,werrro=stop", "Block format 'raw' does not support the option 'werrro'"),
        ("format=raw,file.driver=nonsense", "Unknown driver 'nonsense'"),
        ("format=raw,cache=lots", "invalid cache option"),
    ] {
        let drive = format!("file=disk,{options}");
        assert_eq!(refused(&files, &["-drive", &drive]), format!("-drive {drive}: {problem}"));
        refused_by_qemu(&files, &["-drive", &drive]);
    }
}

#[test]
fn an_image_that_may_not_be_written_is_refused_for_writing() {
    let files = Files::new();
    files.write("disk", &numbered(64));
    let path = files.path("disk");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("the file is ours");
    if OpenOptions::new().write(true).open(&path).is_ok() {
        println!("this user may write to any file, so none is refused");
        return;
    }
    let said = refused(&files, &["-drive", "file=disk,format=raw,if=ide"]);
    assert!(said.ends_with("could not open 'disk' for reading and writing: permission denied"));
    Machine::start(Program::Southbridge, &files, &["-cdrom", "disk"]);
}

/// Sectors that the disk says it has (IDENTIFY DEVICE, words 60 and 61).
fn sectors(machine: &mut Machine) -> u32 {
    machine.command(0xec, 0, 0);
    machine.wait_for_data();
    let words: Vec<u16> = (0..256).map(|_| machine.in16(0x1f0)).collect();
    u32::from(words[61]) << 16 | u32::from(words[60])
}

fn disk(program: Program, files: &Files) -> Machine {
    let mut machine = Machine::start(program, files, &["-drive", "file=disk,format=raw,if=ide"]);
    machine.enable_bus_master();
    machine
}

#[test]
fn an_empty_image_is_a_disk_without_sectors() {
    let mut seen = Vec::new();
    for program in BOTH {
        let files = Files::new();
        files.write("disk", b"");
        let mut machine = disk(program, &files);
        let size = sectors(&mut machine);
        machine.begin_read(0, 1);
        machine.wait_for_disk();
        let read = machine.disk_registers();
        machine.begin_write(0, 1);
        machine.wait_for_disk();
        seen.push((size, read, machine.disk_registers()));
        machine.process().kill();
        assert_eq!(files.read("disk"), b"", "{program:?}");
        if program == Program::Southbridge {
            let said = machine.process().complaint();
            let expected =
                "southbridge: -drive file=disk,format=raw,if=ide: warning: 'disk' is empty\n";
            assert_eq!(said, expected);
        }
    }
    assert_eq!(seen[0], seen[1]);
}

#[test]
fn an_odd_image_ends_with_zeros_and_grows_when_its_last_sector_is_written() {
    let mut seen = Vec::new();
    for program in BOTH {
        let files = Files::new();
        let image = &numbered(11)[..10 * SECTOR + 188];
        files.write("disk", image);
        let mut machine = disk(program, &files);
        let size = sectors(&mut machine);
        machine.begin_read(8, 3);
        machine.wait_for_disk();
        let read = (machine.disk_registers(), machine.memory(DATA.into(), 3 * SECTOR));
        assert_eq!(files.read("disk"), image);
        machine.write(DATA.into(), &pattern(2));
        machine.begin_write(9, 2);
        machine.wait_for_disk();
        let written = machine.disk_registers();
        // What follows is not on the disk.
        machine.begin_write(10, 2);
        machine.wait_for_disk();
        let beyond = machine.disk_registers();
        machine.process().kill();
        seen.push((size, read, written, beyond, files.read("disk")));
        if program == Program::Southbridge {
            let said = machine.process().complaint();
            assert!(
                said.contains("warning: the size of 'disk', 5308 bytes, is not a multiple of 512")
            );
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!((seen[1].0, seen[1].4.len()), (11, 11 * SECTOR));
}

#[test]
fn a_deleted_image_is_there_for_its_machine() {
    for program in BOTH {
        let files = Files::new();
        files.write("disk", &numbered(64));
        let mut machine = disk(program, &files);
        fs::remove_file(files.path("disk")).expect("the file is ours");
        machine.write(DATA.into(), &pattern(4));
        machine.begin_write(20, 4);
        machine.wait_for_disk();
        assert_eq!(machine.in8(0x1f7), 0x50, "{program:?}");
        machine.command(command::FLUSH_CACHE, 0, 0);
        machine.wait_for_disk();
        machine.write(DATA.into(), &[0; 4 * SECTOR]);
        machine.begin_read(20, 4);
        machine.wait_for_disk();
        let digits: String = pattern(4).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(machine.memory(DATA.into(), 4 * SECTOR), format!("0x{digits}"), "{program:?}");
        machine.probe_disk();
    }
}

#[test]
fn an_image_that_is_cut_while_it_is_used_reads_as_zeros_and_grows_again() {
    let mut seen = Vec::new();
    for program in BOTH {
        let files = Files::new();
        files.write("disk", &numbered(64));
        let mut machine = disk(program, &files);
        let file = File::options().write(true).open(files.path("disk")).expect("it is there");
        let mut said = Vec::new();
        for length in [20 * SECTOR as u64 + 100, 0] {
            file.set_len(length).expect("the file is ours");
            for (first, count) in [(19, 3), (40, 8), (63, 1)] {
                machine.write(DATA.into(), &[0x66; 8 * SECTOR]);
                machine.begin_read(first, count);
                machine.wait_for_disk();
                said.push(machine.disk_registers());
                said.push(machine.memory(DATA.into(), 8 * SECTOR));
            }
        }
        machine.write(DATA.into(), &pattern(4));
        machine.begin_write(30, 4);
        machine.wait_for_disk();
        machine.command(command::FLUSH_CACHE, 0, 0);
        machine.wait_for_disk();
        said.push(machine.disk_registers());
        machine.process().kill();
        let image = files.read("disk");
        assert_eq!(image.len(), 34 * SECTOR, "{program:?}");
        assert!(image[..30 * SECTOR].iter().all(|byte| *byte == 0), "{program:?}");
        assert_eq!(image[30 * SECTOR..], pattern(4), "{program:?}");
        seen.push(said);
    }
    assert_eq!(seen[0], seen[1]);
}

/// What is wrong with one drive is said before anything of the machine exists, and
/// leaves nothing behind.
#[test]
fn a_refused_image_leaves_nothing_behind() {
    let files = Files::new();
    files.write("good", &numbered(64));
    let socket = "unix:socket,server=on,wait=off";
    let arguments = ["-drive", "file=good,format=raw", "-drive", "file=bad,format=raw"];
    let said = refused(&files, &[&arguments[..], &["-qmp", socket, "-pidfile", "pid"]].concat());
    assert_eq!(said, "-drive file=bad,format=raw: could not open 'bad': there is no such file");
    for name in ["socket", "pid"] {
        assert!(!files.path(name).exists(), "{name} is left");
    }
    let mut start = Start::new(Program::Southbridge, &files, &arguments[..2]);
    start.arguments.extend(["-qmp".into(), socket.into()]);
    Machine::of(start);
}

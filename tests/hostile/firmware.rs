//! Firmware of a wrong size, or none.

use super::machine::Machine;
use super::program::{Files, Program, Start, refused, refused_by_qemu};

/// Refused, and what is said; `-bios` is the last argument.
fn line(files: &Files, name: &str) -> String {
    refused(files, &["-bios", name])
}

#[test]
fn wrong_sizes_are_refused() {
    let files = Files::new();
    for size in
        [1, 1000, 0xffff, 0x1_0001, 96 << 10, (16 << 20) - 1, (16 << 20) + (64 << 10), 1 << 30]
    {
        files.sparse("firmware", size);
        assert_eq!(
            line(&files, "firmware"),
            format!(
                "firmware: not a firmware image: its size is {size} bytes, expected a multiple of \
                 64 KiB up to 16 MiB"
            )
        );
        // QEMU, where it refuses it, says no more than that.
        if size % (64 << 10) != 0 {
            let said = refused_by_qemu(&files, &["-bios", "firmware"]);
            assert_eq!(said, "qemu: could not load PC BIOS 'firmware'\n");
        }
    }
    files.sparse("firmware", 0);
    assert_eq!(line(&files, "firmware"), "firmware: the file is empty");
    assert!(refused_by_qemu(&files, &["-bios", "firmware"]).contains("could not load"));
}

#[test]
fn no_firmware_is_refused() {
    let files = Files::new();
    let absent = "could not load PC BIOS 'absent': there is no such file here or in ";
    assert!(line(&files, "absent").starts_with(absent));
    std::fs::create_dir(files.path("directory")).expect("there is room for a directory");
    assert!(line(&files, "directory").starts_with("could not load PC BIOS 'directory': "));
}

#[test]
fn the_smallest_and_the_largest_are_loaded() {
    for size in [64 << 10, 16 << 20] {
        let files = Files::new();
        let mut image = vec![0; size];
        image[size - 16..].copy_from_slice(b"the last of all.");
        files.write("bios", &image);
        for program in [Program::Qemu, Program::Southbridge] {
            let mut machine = Machine::of(Start::new(program, &files, &[]));
            let expected = "0x746865206c617374206f6620616c6c2e";
            for address in [0xf_fff0, 0xffff_fff0] {
                assert_eq!(machine.memory(address, 16), expected, "{program:?}, {size}");
            }
        }
    }
}

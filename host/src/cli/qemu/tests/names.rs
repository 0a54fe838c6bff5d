//! Whose command line it is.

use super::words;
use crate::cli::qemu::{is_qemu, program};

#[test]
fn the_programs_name_or_the_first_argument_decides() {
    for (argv0, line) in [
        ("/usr/libexec/xen-qemu-system-i386", ""),
        ("qemu-system-x86_64", "run --kernel x"),
        ("qemu-dm", "--help"),
        ("southbridge", "-machine pc"),
        ("southbridge", "--machine pc"),
        ("southbridge", "-M pc"),
        ("southbridge", "-xen-domid 1"),
        ("southbridge", "-help"),
        ("southbridge", "-version"),
        ("southbridge", "-S"),
        ("southbridge", "-vnc none"),
        ("southbridge", "-gdb tcp::1"),
    ] {
        assert!(is_qemu(argv0, &words(line)), "{argv0} {line}");
    }
    for (argv0, line) in [
        ("southbridge", ""),
        ("southbridge", "run --kernel x"),
        ("southbridge", "--help"),
        ("southbridge", "--version"),
        ("southbridge", "--h"),
        ("southbridge", "-h"),
        ("southbridge", "-V"),
        ("southbridge", "-v run"),
        ("southbridge", "-vvv run"),
        ("southbridge", "--color never"),
        ("southbridge", "-foo"),
        ("southbridge", "-"),
        ("qemu-img", "info"),
    ] {
        assert!(!is_qemu(argv0, &words(line)), "{argv0} {line}");
    }
    assert_eq!(program("/usr/bin/qemu-system-i386"), "qemu-system-i386");
    assert_eq!(program(""), "");
}

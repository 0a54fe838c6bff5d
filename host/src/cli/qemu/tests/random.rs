//! No command line ends in a panic.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use proptest::prelude::*;

use crate::cli::qemu::table::GROUPS;
use crate::cli::qemu::{is_qemu, parse};

/// An option's name, one that is none, or a bare word.
fn option() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = GROUPS
        .iter()
        .flat_map(|group| group.options)
        .flat_map(|entry| entry.names)
        .copied()
        // It reads a file: the number of those is not for a test to choose.
        .filter(|name| *name != "southbridge")
        .collect();
    prop_oneof![
        8 => prop::sample::select(names.clone()).prop_map(|name| format!("-{name}")),
        1 => prop::sample::select(names).prop_map(|name| format!("--{name}")),
        1 => "-{0,3}[a-z]{0,4}",
    ]
}

/// Lists made of what lists are made of.
fn argument() -> impl Strategy<Value = OsString> {
    let pieces = prop::sample::select(vec![
        ",",
        ",,",
        "=",
        ".",
        ":",
        "on",
        "off",
        "id",
        "a",
        "serial0",
        "null",
        "socket",
        "path",
        "server",
        "chardev",
        "chardev:",
        "mode=control",
        "pc",
        "xenfv",
        "type",
        "isa-serial",
        "isa-debug-exit",
        "isa-debugcon",
        "iobase",
        "index",
        "0",
        "-1",
        "99999999999999999999",
        "0x",
        "1.5G",
        "smp.cpus",
        "boot.order",
        "kvm",
        "qtest",
        "PIIX4_PM",
        "disable_s3",
        "driver",
        "property",
        "value",
        "{",
        "}",
        "[",
        "\"",
        "unix:",
        "tcp:",
        "file:",
        "mon:",
        "2020-03-27T15:18:41",
        "base",
        "if",
        "ide",
        "é",
        "\u{0}",
        " ",
        "no",
        "addr",
        "1f.7",
    ]);
    prop_oneof![
        8 => prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat().into()),
        1 => any::<String>().prop_map(OsString::from),
        1 => prop::collection::vec(any::<u8>(), 0..16).prop_map(OsString::from_vec),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_command_line_ends_in_a_panic(
        pairs in prop::collection::vec((option(), argument()), 0..8),
        argv0 in "[a-z/-]{0,8}",
    ) {
        let arguments: Vec<OsString> =
            pairs.into_iter().flat_map(|(option, argument)| [option.into(), argument]).collect();
        let _ = is_qemu(&argv0, &arguments);
        if let Err(error) = parse(&argv0, &arguments) {
            prop_assert!(error.report("x").starts_with("x: "));
        }
    }
}

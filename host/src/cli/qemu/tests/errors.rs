//! What is refused, and in which words.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use super::{LIBRARY, refused, words};
use crate::cli::qemu::{Error, Parsed, parse};

const ERRORS: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/data/qemu-command-lines/errors.txt"
));

/// What QEMU does with a line that starts a machine includes making the devices.
fn fate(line: &str) -> Result<(), Error> {
    match parse("qemu", &words(line))? {
        Parsed::Text(_) => Ok(()),
        Parsed::Start(invocation) => invocation.equip(&LIBRARY).map(drop),
    }
}

#[test]
fn errors_are_those_of_qemu() {
    let mut wrong = String::new();
    let mut count = 0;
    for recorded in ERRORS.split("\n\n") {
        let (line, expected) = recorded.split_once('\n').expect("a line and its answer");
        let line = line.strip_prefix("$ ").expect("a line").replace("\"\"", "''");
        let report = fate(&line).err().map(|error| error.report("qemu"));
        let report = report.unwrap_or_default().replace("qemu: ", "");
        if report.trim_end() != expected.trim_end() {
            wrong += &format!("{line}\n  QEMU: {expected}\n  here: {report}\n");
        }
        count += 1;
    }
    assert!(count > 180, "{count}");
    assert_eq!(wrong, "");
}

#[test]
fn what_is_not_here_is_named() {
    for (line, error) in [
        ("-gdb tcp::1", "-gdb tcp::1: not supported: there is no server for debuggers"),
        ("-runas x", "-runas x: not supported: start the program as that user"),
        ("-netdev user,id=a", "-netdev user,id=a: there is no network 'user' here"),
        ("-chardev vc,id=a", "-chardev vc,id=a: there is no character device back end 'vc' here"),
        ("-chardev null,id=a,mux=on -mon a -qmp chardev:a", "-qmp chardev:a: Device 'a' is in use"),
        ("-echr x", "-echr x: Bad argument to echr"),
        (
            "-object tls-creds-x509,id=a",
            "-object tls-creds-x509,id=a: Parameter 'qom-type' does not accept value 'tls-creds-x509'",
        ),
        ("-drive if=pflash", "-drive if=pflash: there is no pflash here"),
        ("-machine xenfv-4.2,vmport=on", "-machine vmport=on: vmport is not there"),
        (
            "-machine kernel-irqchip=maybe",
            "Parameter 'kernel-irqchip' does not accept value 'maybe'",
        ),
        (
            "-accel kvm,kernel-irqchip=maybe",
            "-accel kvm,kernel-irqchip=maybe: Parameter 'kernel-irqchip' does not accept value \
             'maybe'",
        ),
        ("-machine pc,foo=bar", "Property 'pc-i440fx-10.0-machine.foo' not found"),
        ("-m", "-m: requires an argument"),
        ("-accel tcg", "-accel tcg: invalid accelerator tcg"),
        ("-machine accel=tcg:hvf", "invalid accelerator tcg\ninvalid accelerator hvf"),
        ("-smp 9", "Invalid SMP CPUs 9. The max CPUs supported by machine 'pc-i440fx-10.0' is 8"),
        (
            "-device isa-serial,index=7",
            "-device isa-serial,index=7: Property 'isa-serial.index' doesn't take value '7'",
        ),
        (
            "-device xen-platform,addr=20",
            "-device xen-platform,addr=20: Property 'xen-platform.addr' doesn't take value '20'",
        ),
        ("-device xen-platform,bus=foo", "-device xen-platform,bus=foo: Bus 'foo' not found"),
        (
            "-chardev stdio,id=a -serial stdio",
            "-serial stdio: cannot use stdio by multiple character devices\n-serial stdio: could not connect serial device to character backend 'stdio'",
        ),
        (
            "-chardev null,id=a -qmp chardev:a -serial chardev:a",
            "-serial chardev:a: Device 'a' is in use",
        ),
        ("-southbridge foo=1", "-southbridge foo=1: Invalid parameter 'foo'"),
        (
            "-southbridge component=pm",
            "-southbridge component=pm: Parameter 'component' expects DEVICE:COMPONENT",
        ),
        ("-southbridge control=", "-southbridge control=: Parameter 'control' is empty"),
        (
            "-southbridge machine-file=/nonexistent",
            "/nonexistent: cannot read the machine file: No such file or directory (os error 2)",
        ),
        (
            "-rtc base=2020-13-01",
            "invalid datetime format\nvalid formats: '2006-06-17T16:01:21' or '2006-06-17'",
        ),
        ("-d foo", "-d foo: unknown log item 'foo'; guest_errors and unimp are known"),
        ("-device foo,help", "-device foo,help: Device 'foo' not found"),
    ] {
        assert_eq!(refused(line), error, "{line}");
    }
}

#[test]
fn warnings_come_before_the_error() {
    assert_eq!(
        refused("-name a,b"),
        "-name a,b: warning: short-form boolean option 'b' deprecated\nPlease use b=on instead\n\
         -name a,b: Invalid parameter 'b'"
    );
}

#[test]
fn bytes_that_are_no_text_are_answered() {
    let name = OsString::from_vec(vec![b'-', 0xff]);
    let error = parse("x", &[name]).expect_err("no option");
    assert!(error.to_string().ends_with(": invalid option"));
    let argument = OsString::from_vec(vec![0xff]);
    let error = parse("x", &["-m".into(), argument.clone()]).expect_err("no number");
    assert!(error.to_string().ends_with("the argument is not UTF-8"));
    let Ok(Parsed::Start(invocation)) = parse("x", &["-bios".into(), argument.clone()]) else {
        panic!("names of files need not be text")
    };
    assert_eq!(invocation.images.firmware, Some(argument.into()));
}

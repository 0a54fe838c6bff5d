use proptest::prelude::*;

use super::*;

fn parsed(line: &str) -> Result<Request<'_>, Problem<'_>> {
    parse(line.as_bytes())
}

#[test]
fn each_command_has_its_request() {
    let cases = [
        ("inb 0x70", Request::In { port: 0x70, size: 1 }),
        ("inw 010", Request::In { port: 8, size: 2 }),
        ("inl 65535", Request::In { port: 0xffff, size: 4 }),
        ("outb 0x80 0x1ff", Request::Out { port: 0x80, size: 1, value: 0x1ff }),
        ("outw 0x80 -1", Request::Out { port: 0x80, size: 2, value: u64::MAX }),
        ("outl 0x80 1", Request::Out { port: 0x80, size: 4, value: 1 }),
        ("readb 1", Request::Load { address: 1, size: 1 }),
        ("readw -1", Request::Load { address: u64::MAX, size: 2 }),
        ("readl 1", Request::Load { address: 1, size: 4 }),
        ("readq 1", Request::Load { address: 1, size: 8 }),
        ("writeb 1 2", Request::Store { address: 1, size: 1, value: 2 }),
        ("writew 1 2", Request::Store { address: 1, size: 2, value: 2 }),
        ("writel 1 2", Request::Store { address: 1, size: 4, value: 2 }),
        ("writeq 1 2", Request::Store { address: 1, size: 8, value: 2 }),
        ("read 1 2", Request::Read { address: 1, length: 2, form: Form::Hex }),
        ("b64read 1 0", Request::Read { address: 1, length: 0, form: Form::Base64 }),
        ("write 1 2 0xabcd", Request::Write { address: 1, length: 2, data: Text::Hex(b"0xabcd") }),
        (
            "b64write 1 2 AQI=",
            Request::Write { address: 1, length: 2, data: Text::Base64(b"AQI=") },
        ),
        ("memset 1 2 0x1ff", Request::Fill { address: 1, length: 2, byte: 0xff }),
        ("irq_intercept_in ioapic", Request::Intercept(Side::Inputs)),
        ("irq_intercept_out ioapic any", Request::Intercept(Side::Outputs)),
        ("set_irq_in ioapic unnamed-gpio-in 23 1", Request::SetPin { pin: 23, level: true }),
        ("set_irq_in ioapic unnamed-gpio-in 0 0", Request::SetPin { pin: 0, level: false }),
        ("clock_step", Request::ClockStep(None)),
        ("clock_step -5", Request::ClockStep(Some(-5))),
        ("clock_set 10", Request::ClockSet(10)),
        ("endianness", Request::Endianness),
        ("inb 0x70 and more words", Request::In { port: 0x70, size: 1 }),
    ];
    for (line, request) in cases {
        assert_eq!(parsed(line), Ok(request), "{line:?}");
    }
}

#[test]
fn other_words_are_unknown_commands() {
    for line in
        ["", " inb 0x70", "\r", "INB 0x70", "inb\t0x70", "inq 1", "module_load a b", "\u{e9}"]
    {
        let command = line.split(' ').next().unwrap();
        assert_eq!(parsed(line), Err(Problem::UnknownCommand(command.as_bytes())), "{line:?}");
    }
    assert_eq!(parse(b"in\0b 1"), Err(Problem::UnknownCommand(b"in\0b")));
}

#[test]
fn arguments_that_are_missing_or_out_of_range_are_named() {
    let cases = [
        ("inb", "PORT"),
        ("inb ", "PORT"),
        ("inb  0x70", "PORT"),
        ("inb 0x10000", "PORT"),
        ("inb -1", "PORT"),
        ("inb 0x70\r", "PORT"),
        ("outb 0x80", "VALUE"),
        ("outb 0x80 18446744073709551616", "VALUE"),
        ("readb 0x10000000000000000", "ADDRESS"),
        ("writeb 1", "VALUE"),
        ("read 1", "LENGTH"),
        ("read 1 0", "LENGTH"),
        ("read 1 0x400001", "LENGTH"),
        ("read 1 -1", "LENGTH"),
        ("write 1 4", "DATA"),
        ("write 1 -1 0x11", "LENGTH"),
        ("write x 1 0x11", "ADDRESS"),
        ("memset 1 2", "VALUE"),
        ("memset 1 0x40000001 0", "LENGTH"),
        ("irq_intercept_in", "DEVICE"),
        ("set_irq_in ioapic unnamed-gpio-in 1", "LEVEL"),
        ("set_irq_in ioapic other 1 1", "NAME"),
        ("set_irq_in ioapic unnamed-gpio-in 24 1", "NUMBER"),
        ("set_irq_in ioapic unnamed-gpio-in -1 1", "NUMBER"),
        ("set_irq_in ioapic unnamed-gpio-in 1 0x100000000", "LEVEL"),
        ("clock_step x", "NANOSECONDS"),
        ("clock_step 9223372036854775808", "NANOSECONDS"),
        ("clock_set", "NANOSECONDS"),
    ];
    for (line, name) in cases {
        let (Err(Problem::Missing { argument, .. }) | Err(Problem::Bad { argument, .. })) =
            parsed(line)
        else {
            panic!("{line:?} is {:?}", parsed(line));
        };
        assert_eq!(argument, name, "{line:?}");
    }
}

#[test]
fn refusals_of_qemu_are_the_same_here() {
    // It complains of the device before it looks at the numbers.
    assert_eq!(parsed("set_irq_in foo foo x x"), Err(Problem::UnknownDevice));
    for line in ["write 1 4 zz", "write 1 0 0x", "write 1 4 ", "b64write 1 4 AQ ID"] {
        assert_eq!(parsed(line), Err(Problem::ArgumentSize), "{line:?}");
    }
}

/// Answers of QEMU 7.2.
#[test]
fn a_path_may_leave_out_its_beginning() {
    for path in [
        "ioapic",
        "ioapic/",
        "i440fx/ioapic",
        "machine/i440fx/ioapic",
        "/machine/i440fx/ioapic",
        "//machine//i440fx/ioapic/",
    ] {
        assert!(is_io_apic(path.as_bytes()), "{path:?}");
    }
    for path in ["", "/", "io", "/ioapic", "/i440fx/ioapic", "foo", "foo/ioapic", "ioapic/foo"] {
        assert!(!is_io_apic(path.as_bytes()), "{path:?}");
    }
    assert!(!is_io_apic(b"/x/machine/i440fx/ioapic"));
}

/// Lines that are nearly requests.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let commands = "(in|out|read|write)[bwlq]|read|write|b64read|b64write|memset|irq_intercept_in\
        |set_irq_in|clock_step|clock_set|endianness";
    let words = "-?(0x)?[0-9a-fA-F]{0,20}|ioapic|unnamed-gpio-in|[!-~]{0,8}|0x[0-9a-f]{0,30}";
    let near = (commands, prop::collection::vec(words, 0..5)).prop_map(|(command, words)| {
        let line = words.iter().fold(command, |line, word| line + " " + word);
        line.into_bytes()
    });
    prop_oneof![3 => near, 1 => any::<Vec<u8>>()]
}

proptest! {
    #[test]
    fn every_line_is_a_request_or_a_problem(line in line()) {
        match parse(&line) {
            Ok(Request::Read { length, .. } | Request::Write { length, .. }) => {
                prop_assert!(length as u64 <= LARGEST_DATA);
            }
            Ok(Request::SetPin { pin, .. }) => prop_assert!(pin < PINS),
            Ok(_) => {}
            Err(problem) => {
                let mut text = Vec::new();
                super::super::reply::Reply::Refused(problem).append_to(&mut text);
                prop_assert!(text.starts_with(b"FAIL ") || text.starts_with(b"ERR "));
                if !line.contains(&b'\n') {
                    prop_assert_eq!(text.iter().filter(|byte| **byte == b'\n').count(), 1);
                }
            }
        }
    }
}

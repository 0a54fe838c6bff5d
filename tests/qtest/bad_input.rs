//! Clients that misbehave, and a machine that goes on.

use std::io::Write as _;
use std::net::Shutdown;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use super::client::{Listening, machine};

fn listening() -> Listening {
    Listening::new(machine("pc-i440fx-7.2"))
}

#[test]
fn each_bad_line_gets_one_line_that_says_why() {
    let listening = listening();
    let mut client = listening.connect();
    let cases = [
        ("", "FAIL Unknown command ''"),
        (" inb 0x70", "FAIL Unknown command ''"),
        ("INB 0x70", "FAIL Unknown command 'INB'"),
        ("inb\t0x70", "FAIL Unknown command 'inb\t0x70'"),
        ("module_load a b", "FAIL Unknown command 'module_load'"),
        ("inb", "FAIL inb: PORT is missing"),
        ("inb 0x10000", "FAIL inb: PORT is '0x10000', expected a number up to 0xffff"),
        ("inb 08", "FAIL inb: PORT is '08', expected a number up to 0xffff"),
        ("outb 0x80", "FAIL outb: VALUE is missing"),
        ("read 0 0", "FAIL read: LENGTH is '0', expected 1 to 0x400000"),
        ("read 0 -1", "FAIL read: LENGTH is '-1', expected at most 0x400000"),
        ("write 0 4 zz", "ERR invalid argument size"),
        ("irq_intercept_in /", "FAIL Unknown device"),
        (
            "set_irq_in ioapic unnamed-gpio-in 24 1",
            "FAIL set_irq_in: NUMBER is '24', expected 0 to 23",
        ),
        ("clock_set", "FAIL clock_set: NANOSECONDS is missing"),
    ];
    for (request, reply) in cases {
        assert_eq!(client.ask(request), reply, "{request:?}");
        assert_eq!(client.ask("endianness"), "OK little");
    }
}

#[test]
fn a_line_that_is_too_long_is_refused_and_the_next_one_answered() {
    let listening = listening();
    let mut client = listening.connect();
    let mut line = b"write 0 1 0x".to_vec();
    line.resize(9 << 20, b'0');
    line.extend_from_slice(b"\nendianness\n");
    client.send(&line);
    assert_eq!(client.line(), "FAIL Line too long, expected at most 8388864 bytes");
    assert_eq!(client.line(), "OK little");
}

#[test]
fn the_longest_data_fits_into_a_line() {
    let listening = listening();
    let mut client = listening.connect();
    let data = "5a".repeat(4 << 20);
    assert_eq!(client.ask(&format!("write 0x100000 0x400000 0x{data}")), "OK");
    assert_eq!(client.ask("read 0x100000 0x400000"), format!("OK 0x{data}"));
}

#[test]
fn half_a_line_and_silence_disturb_nobody() {
    let listening = listening();
    let mut silent = listening.connect();
    silent.send(b"writeb 0x100 ");
    let mut other = listening.connect();
    assert_eq!(other.ask("readb 0x100"), "OK 0x0000000000000000");
    silent.send(b"0x5a\n");
    assert_eq!(silent.line(), "OK");
    assert_eq!(other.ask("readb 0x100"), "OK 0x000000000000005a");
    // Half a line at the end is not performed.
    silent.send(b"writeb 0x100 1");
    silent.stream.shutdown(Shutdown::Both).unwrap();
    drop(silent);
    assert_eq!(other.ask("readb 0x100"), "OK 0x000000000000005a");
}

#[test]
fn more_clients_than_places_wait() {
    let listening = listening();
    let mut clients: Vec<_> = (0..16).map(|_| listening.connect()).collect();
    for client in &mut clients {
        assert_eq!(client.ask("endianness"), "OK little");
    }
    let mut late = listening.connect();
    late.send(b"endianness\n");
    drop(clients);
    assert_eq!(late.line(), "OK little");
}

#[test]
fn a_client_that_never_reads_stops_nobody_else() {
    let listening = listening();
    let mut deaf = listening.connect();
    deaf.stream.set_nonblocking(true).unwrap();
    // Until its replies fill the socket, and its requests the other one.
    while deaf.stream.write(&b"read 0 4096\n".repeat(100)).is_ok() {}
    let mut other = listening.connect();
    assert_eq!(other.ask("irq_intercept_in ioapic"), "OK");
    for level in [1, 0].repeat(2000) {
        let change = if level == 1 { "raise" } else { "lower" };
        let request = format!("set_irq_in ioapic unnamed-gpio-in 5 {level}");
        assert_eq!(other.exchange(&request), (vec![format!("IRQ {change} 5")], "OK".into()));
    }
}

#[test]
fn connections_come_and_go() {
    let listening = listening();
    for number in 0..10_000 {
        let mut client = listening.connect();
        match number % 4 {
            0 => {}
            1 => client.send(b"inb"),
            2 => client.send(b"read 0 65536\nread 0 65536\n"),
            _ => assert_eq!(client.ask("endianness"), "OK little"),
        }
    }
    assert_eq!(listening.connect().ask("endianness"), "OK little");
}

/// Words that are nearly requests.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let commands = "(in|out|read|write)[bwlq]?|b64read|b64write|memset|irq_intercept_in|set_irq_in\
        |clock_step|clock_set|endianness";
    let words = "-?0x[0-9a-f]{1,5}|-?[0-9]{1,6}|ioapic|unnamed-gpio-in|[ -~]{0,6}";
    let request = (commands, vec(words, 0..4)).prop_map(|(command, words)| {
        words.iter().fold(command, |line, word| line + " " + word).into_bytes()
    });
    let bytes = vec(any::<u8>().prop_filter("one line", |byte| *byte != b'\n'), 0..40);
    prop_oneof![4 => request, 1 => bytes]
}

#[test]
fn garbage_is_answered_line_by_line() {
    let listening = listening();
    let mut client = listening.connect();
    let mut runner = TestRunner::new(ProptestConfig::with_cases(200));
    let lines = vec(garbage(), 1..30);
    let client = std::cell::RefCell::new(&mut client);
    runner
        .run(&lines, |lines| {
            let mut client = client.borrow_mut();
            client.send(&[lines.join(&b'\n'), b"\n".to_vec()].concat());
            for line in lines {
                let (_, reply) = client.reply();
                let known = ["OK", "FAIL ", "ERR "].iter().any(|start| reply.starts_with(start));
                prop_assert!(known, "{:?}: {reply}", String::from_utf8_lossy(&line));
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(client.into_inner().exchange("endianness").1, "OK little");
}

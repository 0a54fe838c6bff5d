//! Recorded conversations with QEMU 7.2, byte for byte on the way in: what comes
//! back is the same, but for what says that this is another program.

use std::fs::OpenOptions;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use southbridge::control::qmp::Style;

use crate::common::driven::{Driven, serve};
use crate::common::qmp_peer::Peer;

/// What a client sends, and what comes back before it sends more.
struct Exchange<'t> {
    line: usize,
    /// None: it connects.
    request: Option<(&'t str, &'t str)>,
    replies: Vec<Value>,
}

fn parse(text: &str) -> Vec<Exchange<'_>> {
    let mut exchanges: Vec<Exchange<'_>> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let exchange = |request| Exchange { line: number, request, replies: Vec::new() };
        if line == "connect" {
            exchanges.push(exchange(None));
        } else if let Some(request) = line.strip_prefix('>') {
            let request = request.split_once(' ').expect("descriptors, then the bytes");
            exchanges.push(exchange(Some(request)));
        } else if let Some(reply) = line.strip_prefix("< ") {
            let reply = serde_json::from_str(reply).expect("QEMU sends JSON");
            exchanges.last_mut().expect("somebody asked").replies.push(reply);
        } else {
            assert!(line.starts_with('#'), "line {number} of the recording");
        }
    }
    exchanges
}

/// The bytes of a request: `\\`, `\n` and `\x01` stand for others.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let length = if escape.starts_with('x') { 3 } else { 1 };
        bytes.push(match &escape[..length] {
            "\\" => b'\\',
            "n" => b'\n',
            hex => u8::from_str_radix(&hex[1..], 16).expect("two digits"),
        });
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Takes out what is not the same in any two runs or programs.
fn without_accidents(mut value: Value) -> Value {
    match &mut value {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "timestamp" | "package" | "thread-id" => *value = Value::Null,
                    // A descriptor's number; in `query-fdsets` in an object of its own.
                    "fd" if value.is_number() => *value = Value::Null,
                    "target" | "arch" if value == "i386" => *value = json!("x86_64"),
                    // A number's value, however it is written.
                    "id" => {
                        *value = json!(value.as_f64().map_or(value.to_string(), |n| n.to_string()))
                    }
                    _ => *value = without_accidents(value.take()),
                }
            }
        }
        Value::Array(elements) => {
            elements.iter_mut().for_each(|element| *element = without_accidents(element.take()));
        }
        _ => {}
    }
    value
}

fn replay(recording: &str, least: usize) {
    let path = format!("{}/../tests/data/qmp/{recording}.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let directory = tempfile::tempdir().expect("there is room for a directory");
    let name = directory.path().display().to_string();
    let text = text.replace("$DIR", &name);
    let driven = Driven::with("pc-i440fx-7.2", |setup| {
        if recording == "machine" {
            setup.name = Some("g1".into());
            setup.uuid = "12345678-1234-1234-1234-123456789abc".into();
        }
    });
    let monitor = &driven.qmp.monitor(Style::Line);
    let exchanges = parse(&text);
    std::thread::scope(|scope| {
        let mut peer: Option<Peer> = None;
        let mut served: Option<std::thread::ScopedJoinHandle<'_, ()>> = None;
        for exchange in &exchanges {
            match exchange.request {
                None => {
                    // One after the other, as at QEMU's socket.
                    drop(peer.take());
                    if let Some(served) = served.take() {
                        served.join().expect("it does not panic");
                    }
                    let (client, server) = UnixStream::pair().expect("there are descriptors");
                    served = Some(scope.spawn(move || serve(monitor, server)));
                    peer = Some(Peer::new(client));
                }
                Some((fds, request)) => {
                    let peer = peer.as_mut().expect("it connects first");
                    let fds: Vec<OwnedFd> = fds.chars().map(|kind| open(&name, kind)).collect();
                    match fds.is_empty() {
                        true => peer.send(&bytes(request)),
                        false => peer.send_fds(&bytes(request), &fds),
                    }
                }
            }
            let peer = peer.as_mut().expect("it connects first");
            for expected in &exchange.replies {
                let found = without_accidents(peer.receive());
                let expected = without_accidents(expected.clone());
                let line = text.lines().nth(exchange.line - 1).unwrap_or_default();
                assert_eq!(found, expected, "{recording}.txt, line {}: {line}", exchange.line);
            }
        }
        assert!(exchanges.iter().map(|exchange| exchange.replies.len()).sum::<usize>() >= least);
    });
}

/// Opens a file as the recorder did: to read, to write, or for both.
fn open(directory: &str, kind: char) -> OwnedFd {
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(format!("{directory}/file"));
    drop(file.expect("the directory is there"));
    let mut options = OpenOptions::new();
    match kind {
        'r' => options.read(true),
        'w' => options.write(true),
        _ => options.read(true).write(true),
    };
    options.open(format!("{directory}/file")).expect("the file is there").into()
}

#[test]
fn what_is_json_and_what_is_none() {
    replay("syntax", 140);
}

#[test]
fn what_a_request_must_be() {
    replay("requests", 70);
}

#[test]
fn arguments_and_their_refusals() {
    replay("arguments", 56);
}

#[test]
fn what_a_machine_is_and_does() {
    replay("machine", 34);
}

#[test]
fn descriptors_and_their_sets() {
    replay("descriptors", 97);
}

//! Clients of every kind, at both kinds of sockets.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::component::{Effects, Engine};
use crate::library::Library;
use crate::machine::file::{MachineTypes, Parameters};
use crate::machine::{Machine, Plan};

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// A machine whose metrics are served at both kinds of sockets.
struct Setup {
    directory: TempDir,
    machine: Arc<Machine>,
    servers: Vec<MetricsServer>,
}

impl Setup {
    fn new() -> Self {
        let library = Library::new(Engine::new(None).unwrap());
        let types = MachineTypes::builtin().unwrap();
        let parameters = Parameters::new(1, 16 << 20);
        let plan = Plan::new(types.get("pc").unwrap(), &[], &library, parameters).unwrap();
        let machine = Machine::build_alone(&plan).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let socket = MetricsAddress::Unix(directory.path().join("metrics"));
        let servers = ["127.0.0.1:0".parse().unwrap(), socket]
            .map(|address| MetricsServer::start(&address, Arc::new(machine.clone())).unwrap());
        Self { directory, machine, servers: servers.into() }
    }

    fn connect(&self, server: usize) -> Box<dyn Stream> {
        let patience = Some(Duration::from_secs(60));
        match self.servers[server].address() {
            MetricsAddress::Tcp(address) => {
                let stream = TcpStream::connect(address).unwrap();
                stream.set_read_timeout(patience).unwrap();
                Box::new(stream)
            }
            MetricsAddress::Unix(path) => {
                let stream = UnixStream::connect(path).unwrap();
                stream.set_read_timeout(patience).unwrap();
                Box::new(stream)
            }
        }
    }

    /// Sends bytes and returns all that is answered.
    fn ask(&self, server: usize, request: &[u8]) -> Answer {
        let mut stream = self.connect(server);
        stream.write_all(request).unwrap();
        Answer::of(&mut *stream)
    }

    fn scrape(&self, server: usize) -> Samples {
        let answer = self.ask(server, GET);
        assert_eq!(answer.status, 200);
        parse(&answer.body)
    }
}

const GET: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";

struct Answer {
    status: u16,
    fields: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn of(stream: &mut dyn Stream) -> Self {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let status = status.split(' ').next().unwrap().parse().unwrap();
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self { status, fields: fields.collect(), body: body.to_owned() }
    }
}

/// Name, labels and value of each sample.
type Samples = BTreeMap<(String, BTreeMap<String, String>), f64>;

/// Reads the text format, strictly: every sample belongs to the family above it,
/// which has both its lines once, in order; nothing occurs twice.
fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'));
    let mut samples = Samples::new();
    let mut families = BTreeSet::new();
    let mut family = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, help) = help.split_once(' ').unwrap();
            assert!(is_name(name) && help.ends_with('.'), "{line}");
            assert!(families.insert(name.to_owned()), "{name} twice");
            let kind = lines.next().unwrap().strip_prefix("# TYPE ").unwrap();
            let (same, kind) = kind.split_once(' ').unwrap();
            assert_eq!(same, name);
            assert_eq!(kind, if name.ends_with("_total") { "counter" } else { "gauge" });
            family = name.to_owned();
            continue;
        }
        let (key, value) = line.rsplit_once(' ').unwrap();
        let value: f64 = value.parse().unwrap();
        assert!(value.is_finite() && value >= 0.0, "{line}");
        let (name, labels) = match key.split_once('{') {
            None => (key, BTreeMap::new()),
            Some((name, labels)) => (name, self::labels(labels.strip_suffix('}').unwrap())),
        };
        assert_eq!(name, family, "{line}");
        assert_eq!(samples.insert((name.to_owned(), labels), value), None, "{line} twice");
    }
    samples
}

fn is_name(name: &str) -> bool {
    name.starts_with("southbridge_") && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

fn labels(mut text: &str) -> BTreeMap<String, String> {
    let mut labels = BTreeMap::new();
    while !text.is_empty() {
        let (name, rest) = text.split_once("=\"").unwrap();
        assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{text}");
        let (mut value, mut characters) = (String::new(), rest.char_indices());
        let end = loop {
            match characters.next().unwrap() {
                (at, '"') => break at,
                (_, '\\') => value.push(characters.next().unwrap().1),
                (_, other) => value.push(other),
            }
        };
        assert_eq!(labels.insert(name.to_owned(), value), None);
        text = &rest[end + 1..];
        text = text.strip_prefix(',').unwrap_or(text);
    }
    labels
}

fn value(samples: &Samples, name: &str, wanted: &[(&str, &str)]) -> f64 {
    let matches = |labels: &BTreeMap<String, String>| {
        wanted.iter().all(|(name, value)| labels.get(*name).is_some_and(|known| known == value))
    };
    let mut found = samples.iter().filter(|((known, labels), _)| known == name && matches(labels));
    let (_, value) = found.next().unwrap_or_else(|| panic!("no {name} {wanted:?}"));
    assert!(found.next().is_none(), "{name} {wanted:?} is several");
    *value
}

#[test]
fn what_devices_do_is_told_at_both_kinds_of_sockets() {
    let setup = Setup::new();
    for server in 0..2 {
        let before = setup.scrape(server);
        let accesses = "southbridge_device_accesses_total";
        let reads = [("slot", "serial0"), ("device", "serial"), ("kind", "read")];
        let writes = [("slot", "serial0"), ("version", "0.1.0"), ("kind", "write")];
        for _ in 0..3 {
            setup.machine.port_read(0x3fd, 1, &mut Effects::new());
        }
        setup.machine.port_write(0x3ff, 1, 1, &mut Effects::new());
        let after = setup.scrape(server);
        let more = |labels| value(&after, accesses, labels) - value(&before, accesses, labels);
        assert_eq!((more(&reads), more(&writes)), (3.0, 1.0));
    }
    let samples = setup.scrape(0);
    assert_eq!(value(&samples, "southbridge_guest_running", &[]), 0.0);
    assert_eq!(value(&samples, "southbridge_vcpu_exits_total", &[]), 0.0);
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(value(&samples, "southbridge_build_info", &version), 1.0);
    let pm = [("slot", "pm"), ("device", "piix4-pm")];
    assert_eq!(value(&samples, "southbridge_device_in_service", &pm), 1.0);
    assert_eq!(value(&samples, "southbridge_device_faults_total", &pm), 0.0);
    // Nobody measures it.
    let seconds = "southbridge_device_seconds_total";
    assert!(!samples.keys().any(|(name, _)| name == seconds));
    setup.machine.measure_time(true);
    setup.machine.port_read(0x3fd, 1, &mut Effects::new());
    let samples = setup.scrape(0);
    assert!(value(&samples, seconds, &[("slot", "serial0")]) > 0.0);
    assert_eq!(value(&samples, seconds, &[("slot", "pm")]), 0.0);
}

#[test]
fn swaps_and_checkpoints_are_told() {
    let setup = Setup::new();
    let status = setup.machine.status().into_iter().find(|status| &*status.name == "pm").unwrap();
    setup.machine.swap("pm", &status.image).unwrap();
    setup.machine.checkpoint("pm").unwrap();
    setup.machine.advance(1_500_000_000, &mut Effects::new());
    let samples = setup.scrape(1);
    let pm = [("slot", "pm")];
    assert_eq!(value(&samples, "southbridge_device_swaps_total", &pm), 1.0);
    assert_eq!(value(&samples, "southbridge_device_checkpoint_age_seconds", &pm), 1.5);
    assert_eq!(value(&samples, "southbridge_guest_clock_seconds", &[]), 1.5);
}

#[test]
fn the_page_is_typed_and_measured() {
    let setup = Setup::new();
    for server in 0..2 {
        let page = setup.ask(server, GET);
        assert_eq!(page.fields["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(page.fields["content-length"], page.body.len().to_string());
        assert_eq!(page.fields["connection"], "close");
        let head = setup.ask(server, b"HEAD /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        assert_eq!(head.fields["content-type"], page.fields["content-type"]);
    }
}

#[test]
fn what_is_no_scrape_is_refused() {
    let setup = Setup::new();
    let long = format!("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", "x".repeat(100_000));
    for server in 0..2 {
        for (request, status) in [
            ("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 404),
            ("DELETE /metrics HTTP/1.1\r\nHost: x\r\n\r\n", 405),
            ("\x16\x03\x01\r\n\r\n", 400),
            (long.as_str(), 431),
        ] {
            let answer = setup.ask(server, request.as_bytes());
            assert_eq!(answer.status, status, "{request:.60}");
            assert!(answer.body.starts_with(&status.to_string()));
        }
        let refused = setup.ask(server, b"PUT /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(refused.fields["allow"], "GET, HEAD");
    }
    setup.scrape(0);
}

#[test]
fn half_a_request_is_waited_for_and_then_refused() {
    let setup = Setup::new();
    let mut halves: Vec<_> = (0..2).map(|server| setup.connect(server)).collect();
    for half in &mut halves {
        half.write_all(&GET[..20]).unwrap();
    }
    // Others are served meanwhile.
    setup.scrape(0);
    setup.scrape(1);
    for half in &mut halves {
        assert_eq!(Answer::of(&mut **half).status, 408);
    }
    // One that comes in pieces is served.
    let mut pieces = setup.connect(0);
    for byte in GET {
        pieces.write_all(&[*byte]).unwrap();
    }
    assert_eq!(Answer::of(&mut *pieces).status, 200);
    // One that ends in the middle is told so.
    let MetricsAddress::Tcp(address) = setup.servers[0].address() else {
        panic!("it is the first")
    };
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(&GET[..20]).unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    assert_eq!(Answer::of(&mut half).status, 400);
}

#[test]
fn too_many_at_once_are_sent_away() {
    let setup = Setup::new();
    for server in 0..2 {
        let silent: Vec<_> = (0..16).map(|_| setup.connect(server)).collect();
        let mut late = setup.connect(server);
        let mut text = String::new();
        late.read_to_string(&mut text).unwrap();
        assert!(text.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{text}");
        drop(silent);
    }
}

#[test]
fn ten_thousand_connections_come_and_go() {
    let setup = Setup::new();
    for server in 0..2 {
        for number in 0..5000 {
            let mut stream = setup.connect(server);
            // Some say something first; who is sent away may have hung up before.
            if number % 3 == 0 {
                let _ = stream.write_all(&GET[..number % GET.len()]);
            }
        }
    }
    // Their threads end in a moment, and then there is room.
    for server in 0..2 {
        let mut tries = 0;
        while !scraped(&setup, server) {
            tries += 1;
            assert!(tries < 600, "the connections that have gone still count");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn scraped(setup: &Setup, server: usize) -> bool {
    let mut stream = setup.connect(server);
    let mut text = String::new();
    let answered = stream.write_all(GET).and_then(|()| stream.read_to_string(&mut text));
    match answered {
        Ok(_) => text.starts_with("HTTP/1.1 200 "),
        Err(error) => {
            assert!(
                matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                "{error}"
            );
            false
        }
    }
}

#[test]
fn the_server_goes_and_its_place_is_free() {
    let Setup { directory, machine, servers } = Setup::new();
    let addresses: Vec<_> = servers.iter().map(|server| server.address().clone()).collect();
    let source = Arc::new(machine);
    let taken = |address| MetricsServer::start(address, source.clone()).err().unwrap().to_string();
    let error = taken(&addresses[0]);
    assert!(error.starts_with("metrics at 127.0.0.1:") && error.contains("in use"), "{error}");
    let error = taken(&addresses[1]);
    assert!(error.starts_with("metrics at a socket ") && error.contains("in use"), "{error}");
    drop(servers);
    assert!(!directory.path().join("metrics").exists());
    let file = directory.path().join("file");
    std::fs::write(&file, "precious").unwrap();
    assert!(taken(&MetricsAddress::Unix(file)).contains("exists and is not a socket"));
}

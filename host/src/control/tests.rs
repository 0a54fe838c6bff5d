//! Clients of every kind, on a machine without processors.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::component::Engine;
use crate::library::Library;
use crate::machine::file::{MachineTypes, Parameters};
use crate::machine::{Machine, Plan};

struct Setup {
    directory: TempDir,
    machine: Arc<Machine>,
    library: Arc<Library>,
}

impl Setup {
    fn new() -> Self {
        let library = Arc::new(Library::new(Engine::new(None).unwrap()));
        let types = MachineTypes::builtin().unwrap();
        let parameters = Parameters { cpus: 1, ram_size: 16 << 20 };
        let plan = Plan::new(types.get("pc").unwrap(), &[], &library, parameters).unwrap();
        let machine = Machine::build_alone(&plan).unwrap();
        Self { directory: tempfile::tempdir().unwrap(), machine, library }
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("control")
    }

    fn serve(&self) -> Result<ControlServer, SocketError> {
        ControlServer::start(&self.path(), Arc::new(self.machine.clone()), self.library.clone())
    }
}

struct Peer(BufReader<UnixStream>);

impl Peer {
    fn connect(setup: &Setup) -> Self {
        let stream = UnixStream::connect(setup.path()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn receive(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the connection was closed");
        serde_json::from_str(&line).unwrap()
    }

    fn ask(&mut self, line: &str) -> Value {
        self.send(format!("{line}\n").as_bytes());
        self.receive()
    }

    fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

fn desc(reply: &Value) -> &str {
    reply["error"]["desc"].as_str().unwrap_or_else(|| panic!("no error: {reply}"))
}

#[test]
fn devices_are_listed_and_replaced_and_come_back() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut client = Client::connect(&setup.path()).unwrap();
    let devices: Vec<Device> = client.execute(&Command::QueryDevices).unwrap();
    let pm = devices.iter().find(|device| device.slot == "pm").unwrap();
    assert_eq!((pm.device.as_str(), pm.swaps), ("piix4-pm 0.1.0", 0));

    let swap = Command::Swap { slot: "pm".into(), component: "piix4-pm+traced".into() };
    let replaced: Replaced = client.execute(&swap).unwrap();
    assert_eq!(replaced.to, "piix4-pm 0.1.0+traced");
    assert!(replaced.state_moved);
    let back: Replaced = client.execute(&Command::RollBack { slot: "pm".into() }).unwrap();
    assert_eq!((back.from, back.to), (replaced.to, replaced.from));

    let devices: Vec<Device> = client.execute(&Command::QueryDevices).unwrap();
    let pm = devices.iter().find(|device| device.slot == "pm").unwrap();
    assert_eq!((pm.device.as_str(), pm.swaps), ("piix4-pm 0.1.0", 2));
}

#[test]
fn an_id_of_any_kind_comes_back() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut peer = Peer::connect(&setup);
    for id in [json!(7), json!("seven"), json!({"a": [1, null]})] {
        let reply = peer.ask(&json!({"execute": "query-devices", "id": id}).to_string());
        assert_eq!(reply["id"], id);
        assert!(reply["return"].is_array());
        let reply = peer.ask(&json!({"execute": "no-such", "id": id}).to_string());
        assert_eq!(reply["id"], id);
    }
    assert_eq!(peer.ask(r#"{"execute":"query-devices"}"#).get("id"), None);
}

#[test]
fn what_is_no_command_is_answered_and_the_next_one_executed() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut peer = Peer::connect(&setup);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for (line, expected) in [
        ("{", "not JSON"),
        ("\u{1}\u{2}", "not JSON"),
        (deep.as_str(), "not JSON"),
        ("7", "object expected"),
        ("{}", "missing field `execute`"),
        (r#"{"execute":7}"#, "not a command"),
        (r#"{"execute":"swap"}"#, "arguments of swap: missing field"),
        (r#"{"execute":"swap","arguments":7}"#, "not a command"),
        (r#"{"execute":"swap","arguments":{"slot":"pm","component":1}}"#, "arguments of swap"),
        (r#"{"execute":"roll-back","arguments":{"slot":"pm","x":1}}"#, "unknown field `x`"),
        (r#"{"execute":"query-devices","arguments":{"x":1}}"#, "unknown field `x`"),
        (r#"{"execute":"query-devices","other":1}"#, "unknown field `other`"),
        (r#"{"execute":"roll-back","arguments":{"slot":"pm"}}"#, "no earlier version"),
        (r#"{"execute":"roll-back","arguments":{"slot":"mp"}}"#, "no slot \"mp\""),
        (
            r#"{"execute":"swap","arguments":{"slot":"pm","component":"/dev/zero"}}"#,
            "not a regular file",
        ),
    ] {
        let reply = peer.ask(line);
        assert_eq!(reply["error"]["class"], "GenericError");
        assert!(desc(&reply).contains(expected), "{line:.80}: {}", desc(&reply));
    }
    let reply = peer.ask(r#"{"execute":"quit"}"#);
    assert_eq!(reply["error"]["class"], "CommandNotFound");
    peer.send(b"\n \r\n");
    assert!(peer.ask(r#"{"execute":"query-devices"}"#)["return"].is_array());
}

#[test]
fn bytes_that_are_no_text_are_answered() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut peer = Peer::connect(&setup);
    peer.send(b"\xff\xfe\x00\n");
    assert!(desc(&peer.receive()).starts_with("not JSON"));
}

#[test]
fn a_line_that_is_too_long_ends_the_connection() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut peer = Peer::connect(&setup);
    peer.send(&vec![b' '; (64 << 10) + 1]);
    assert!(desc(&peer.receive()).contains("more than 65536 bytes"));
    assert!(peer.is_closed());
    assert!(Peer::connect(&setup).ask(r#"{"execute":"query-devices"}"#)["return"].is_array());
}

#[test]
fn half_a_line_and_silence_ends_the_connection() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut peer = Peer::connect(&setup);
    peer.send(b"{\"execute\":");
    assert!(desc(&peer.receive()).contains("not completed within 10 s"));
    assert!(peer.is_closed());
}

#[test]
fn a_client_that_vanishes_leaves_room_for_others() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    for _ in 0..100 {
        let mut peer = Peer::connect(&setup);
        peer.send(b"{\"execute\":\"query-devices\"}\n{\"exec");
        peer.receive();
    }
    assert!(Peer::connect(&setup).ask(r#"{"execute":"query-devices"}"#)["return"].is_array());
}

#[test]
fn the_seventeenth_client_is_sent_away() {
    let setup = Setup::new();
    let _server = setup.serve().unwrap();
    let mut peers: Vec<_> = (0..16).map(|_| Peer::connect(&setup)).collect();
    for peer in &mut peers {
        peer.ask(r#"{"execute":"query-devices"}"#);
    }
    let mut late = Peer::connect(&setup);
    assert!(desc(&late.receive()).starts_with("16 clients are connected"));
    assert!(late.is_closed());
}

#[test]
fn dropping_the_server_removes_the_socket_and_ends_the_connections() {
    let setup = Setup::new();
    let server = setup.serve().unwrap();
    let mode = setup.path().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let mut peer = Peer::connect(&setup);
    peer.ask(r#"{"execute":"query-devices"}"#);
    drop(server);
    assert!(peer.is_closed());
    assert!(!setup.path().exists());
    let Err(ClientError::NoSocket(_)) = Client::connect(&setup.path()) else { panic!("no error") };
}

#[test]
fn a_live_socket_is_left_alone_and_a_stale_one_replaced() {
    let setup = Setup::new();
    let live = UnixListener::bind(setup.path()).unwrap();
    let error = setup.serve().err().unwrap().to_string();
    assert!(error.contains("in use by another process"), "{error}");
    drop(live);
    assert!(setup.path().exists());
    let Err(ClientError::NobodyThere(_)) = Client::connect(&setup.path()) else {
        panic!("no error")
    };
    let server = setup.serve().unwrap();
    assert!(Peer::connect(&setup).ask(r#"{"execute":"query-devices"}"#)["return"].is_array());
    drop(server);
    assert!(!setup.path().exists());
}

#[test]
fn another_file_is_never_touched() {
    let setup = Setup::new();
    std::fs::write(setup.path(), "precious").unwrap();
    assert!(matches!(setup.serve(), Err(SocketError::NotASocket(_))));
    assert_eq!(std::fs::read(setup.path()).unwrap(), b"precious");
    std::fs::remove_file(setup.path()).unwrap();

    // Nor one that has taken the socket's place.
    let server = setup.serve().unwrap();
    std::fs::remove_file(setup.path()).unwrap();
    std::fs::write(setup.path(), "precious").unwrap();
    drop(server);
    assert_eq!(std::fs::read(setup.path()).unwrap(), b"precious");
}

#[test]
fn a_path_that_cannot_be_is_refused() {
    let setup = Setup::new();
    let start = |path: PathBuf| {
        let error =
            ControlServer::start(&path, Arc::new(setup.machine.clone()), setup.library.clone());
        error.err().unwrap().to_string()
    };
    let long = setup.directory.path().join("x".repeat(120));
    assert!(start(long).contains("at most 107 bytes"));
    assert!(start(setup.directory.path().join("no/such")).contains("No such file"));
}

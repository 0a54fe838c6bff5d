//! Clients of every kind, several at a time.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use serde_json::json;
use southbridge::guest::{Outcome, RunState};

use crate::common::driven::{Driven, serve};
use crate::common::qmp_peer::Peer;
use southbridge::control::qmp::Style;

/// Descriptors that this process has.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until `done`.
fn wait_for(what: &str, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "waited for {what} in vain");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn all_who_have_negotiated_hear_of_events() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut first = Peer::negotiated(&listening.path);
    let mut second = Peer::negotiated(&listening.path);
    let mut silent = Peer::connect(&listening.path);
    silent.receive();
    first.send(b"{'execute': 'stop', 'id': 1}");
    assert_eq!(first.answer(), (vec!["STOP".into()], json!({"return": {}, "id": 1})));
    let event = second.receive();
    assert_eq!(event["event"], "STOP");
    assert!(event["timestamp"]["seconds"].is_u64() && event["timestamp"]["microseconds"].is_u64());
    assert_eq!(event.get("data"), None);
    second.send(b"{'execute': 'system_reset'}");
    assert_eq!(second.answer(), (vec!["RESET".into()], json!({"return": {}})));
    let data = json!({"guest": false, "reason": "host-qmp-system-reset"});
    assert_eq!(first.receive()["data"], data);
    let refused = silent.ask("{'execute': 'stop'}");
    assert_eq!(refused["error"]["class"], "CommandNotFound");
}

/// What devices ask for is done before the next command, and said before its answer.
#[test]
fn what_a_device_asked_for_comes_first() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut peer = Peer::negotiated(&listening.path);
    let machine = driven.guest.machine();
    let mut effects = southbridge::component::Effects::new();
    for value in [2, 6] {
        machine.port_write(0xcf9, 1, value, &mut effects);
    }
    peer.send(b"{'execute': 'query-status'}");
    let (events, answer) = peer.answer();
    assert_eq!(
        (events, answer["return"]["status"].as_str()),
        (vec!["RESET".into()], Some("running"))
    );
}

#[test]
fn quit_is_answered() {
    let mut driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut peer = Peer::negotiated(&listening.path);
    peer.send(b"{'execute': 'quit', 'id': 'last'}");
    let event = peer.receive();
    assert_eq!(
        (&event["event"], &event["data"]["reason"]),
        (&json!("SHUTDOWN"), &json!("host-qmp-quit"))
    );
    assert_eq!(driven.outcome(), Outcome::Quit);
    drop(listening.server);
    assert_eq!(peer.receive(), json!({"return": {}, "id": "last"}));
    assert!(peer.is_closed());
}

#[test]
fn out_of_band_commands_pass_by_those_that_wait() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut peer = Peer::connect(&listening.path);
    peer.receive();
    peer.ask("{'execute': 'qmp_capabilities', 'arguments': {'enable': ['oob']}}");
    // Nobody has a turn while the machine is held still.
    let answer = driven.guest.still(|_| {
        peer.send(b"{'execute': 'query-status', 'id': 1}{'exec-oob': 'query-yank', 'id': 2}");
        peer.receive()
    });
    assert_eq!(answer, Some(json!({"return": [], "id": 2})));
    assert_eq!(peer.receive()["id"], 1);
    // One that asks for more than may wait does so until there is room.
    for number in 0..100 {
        peer.send(format!("{{'execute': 'query-name', 'id': {number}}}").as_bytes());
    }
    for number in 0..100 {
        assert_eq!(peer.receive(), json!({"return": {}, "id": number}));
    }
}

#[test]
fn half_a_command_costs_nobody_anything() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut half = Peer::negotiated(&listening.path);
    half.send(b"{'execute': 'query-na");
    assert_eq!(Peer::negotiated(&listening.path).execute("query-name"), json!({}));
    assert_eq!(half.ask("me'}"), json!({"return": {}}));
}

#[test]
fn one_that_never_reads_loses_its_connection_alone() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut deaf = Peer::negotiated(&listening.path);
    let mut other = Peer::negotiated(&listening.path);
    let request = b"{'execute': 'query-commands'}".repeat(100);
    let stream = deaf.stream();
    stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
    // Some 16 MiB of answers wait for it in the end.
    let mut sent = 0;
    while let Ok(count) = (&*stream).write(&request) {
        sent += count;
        assert!(sent < 64 << 20, "it is never sent away");
    }
    assert_eq!(other.execute("query-name"), json!({}));
    let mut rest = Vec::new();
    let _ = deaf.stream().read_to_end(&mut rest);
    assert!(rest.len() < 32 << 20);
    assert_eq!(driven.guest.state(), RunState::Running);
    deaf = Peer::negotiated(&listening.path);
    assert_eq!(deaf.execute("query-name"), json!({}));
}

#[test]
fn ten_thousand_connections_leave_nothing_behind() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    Peer::negotiated(&listening.path).execute("query-name");
    let before = descriptors();
    for number in 0..10_000 {
        let mut peer = Peer::connect(&listening.path);
        match number % 4 {
            0 => {}
            1 => peer.send(b"{'execute': 'qmp_capabilities'}{'execute': 'query-status'}"),
            2 => peer.send(b"{'execute': 'qmp_capabi"),
            _ => drop(peer.receive()),
        }
    }
    let mut peer = Peer::negotiated(&listening.path);
    assert_eq!(peer.execute("query-status")["running"], true);
    drop(peer);
    // Other tests of this process have some, too.
    wait_for("descriptors to be closed", || descriptors() <= before + 200);
}

#[test]
fn those_who_find_no_place_wait_for_one() {
    let driven = Driven::new("pc-i440fx-7.2");
    let listening = driven.listen();
    let mut peers: Vec<_> = (0..16).map(|_| Peer::negotiated(&listening.path)).collect();
    let late = UnixStream::connect(&listening.path).unwrap();
    late.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    assert!((&late).read(&mut [0]).is_err(), "nobody greets it");
    peers.pop();
    let mut late = Peer::new(late);
    assert!(late.receive().get("QMP").is_some());
}

#[test]
fn each_member_can_have_its_own_line() {
    let driven = Driven::new("pc-i440fx-7.2");
    let (client, server) = UnixStream::pair().unwrap();
    let monitor = driven.qmp.monitor(Style::Pretty);
    let text = std::thread::scope(|scope| {
        scope.spawn(|| serve(&monitor, server));
        (&client).write_all(b"{'execute': 'qmp_capabilities', 'id': [{}]}").unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut text = String::new();
        (&client).read_to_string(&mut text).unwrap();
        text
    });
    let (greeting, answer) = text.split_once("}\r\n{").unwrap();
    assert!(
        greeting.starts_with("{\r\n    \"QMP\": {\r\n        \"version\": {\r\n"),
        "{greeting}"
    );
    let expected = "\r\n    \"return\": {\r\n    },\r\n    \"id\": [\r\n        {\r\n        }\r\n    ]\r\n}\r\n";
    assert_eq!(answer, expected);
}

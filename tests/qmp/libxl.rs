//! What libxl 4.17 says to the device model of a guest that it saves: a connection
//! for each step, recorded from a real one.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _};

use serde_json::{Value, json};
use southbridge::guest::RunState;
use vmstate::{Layouts, Stream};

use crate::common::driven::Driven;
use crate::common::qmp_peer::Peer;

/// A step: a connection, and what is sent over it.
fn step(path: &std::path::Path, requests: &[&str], file: Option<&File>) -> Vec<Value> {
    let mut peer = Peer::connect(path);
    let version = &peer.receive()["QMP"]["version"]["qemu"];
    assert_eq!((&version["major"], &version["minor"]), (&json!(7), &json!(2)));
    let mut answers = Vec::new();
    let negotiation = r#"{"execute":"qmp_capabilities","id":2020372737}"#;
    for request in [&negotiation].into_iter().chain(requests) {
        let line = format!("{request}\r\n");
        match file {
            Some(file) if request.contains("add-fd") => {
                let file = file.try_clone().expect("there are descriptors");
                peer.send_fds(line.as_bytes(), &[file.into()]);
            }
            _ => peer.send(line.as_bytes()),
        }
        let (events, answer) = peer.answer();
        let request: Value = serde_json::from_str(request).expect("it is JSON");
        assert_eq!(answer["id"], request["id"], "{request}");
        assert_eq!(events, if request["execute"] == "stop" { vec!["STOP"] } else { vec![] });
        assert!(answer.get("return").is_some(), "{request}: {answer}");
        answers.push(answer["return"].clone());
    }
    answers
}

#[test]
fn a_guest_is_created_and_saved() {
    for machine_type in ["xenfv-3.1", "xenfv-4.2"] {
        let driven = Driven::new(machine_type);
        let listening = driven.listen();
        let path = &listening.path;
        let saved = listening.directory.path().join("qemu-save");
        let mut file = File::options().read(true).write(true).create_new(true).open(&saved);
        let file = file.as_mut().expect("the directory is empty");
        // libxl opens it for writing alone.
        let sent = File::options().write(true).open(&saved).expect("it is there");

        let chardevs = r#"{"execute":"query-chardev","id":2020372736}"#;
        let vnc = r#"{"execute":"query-vnc","id":2020372738}"#;
        let answers = step(path, &[chardevs, vnc], None);
        assert_eq!(answers[1..], [json!([]), json!({"enabled": false})]);
        step(path, &[r#"{"execute":"cont","id":2020372736}"#], None);
        let answers = step(path, &[r#"{"execute":"query-cpus-fast","id":2020372736}"#], None);
        assert_eq!(answers[1][0]["cpu-index"], 0);
        let log = |enable| {
            let arguments = format!(r#""arguments":{{"enable":{enable}}}"#);
            let request =
                format!(r#"{{"execute":"xen-set-global-dirty-log","id":2020372736,{arguments}}}"#);
            step(path, &[&request], None);
        };
        log(true);
        let stop = r#"{"execute":"stop","id":2020372736}"#;
        let add = r#"{"execute":"add-fd","id":2020372738}"#;
        let save = r#"{"execute":"xen-save-devices-state","id":2020372739,"arguments":{"live":false,"filename":"/dev/fdset/0"}}"#;
        let answers = step(path, &[stop, add, save], Some(&sent));
        assert_eq!(answers[2]["fdset-id"], 0);
        log(false);

        // The devices, in Xen's form: nothing else, and nothing behind.
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("it is readable");
        let stream = Stream::read(&bytes, Layouts::builtin()).expect("it is a stream");
        assert_eq!((&stream.configuration, &stream.devices.description), (&None, &None));
        assert_eq!(stream.write(&[]), bytes);
        let expected = driven.guest.still(|machine| machine.save_stream());
        let mut expected = expected.expect("it stands still").expect("all devices are in service");
        (expected.configuration, expected.devices.description) = (None, None);
        assert!(expected.write(&[]) == bytes, "another state than the machine's");
        assert_eq!(driven.guest.state(), RunState::Paused);

        // It is what another machine of the type starts from.
        let other = Driven::new(machine_type);
        let listening = other.listen();
        let mut peer = Peer::negotiated(&listening.path);
        peer.execute("stop");
        let arguments = json!({"filename": saved.to_str()});
        assert_eq!(peer.execute_with("xen-load-devices-state", arguments.clone()), json!({}));
        let again = listening.directory.path().join("again");
        let arguments = json!({"filename": again.to_str(), "live": false});
        peer.execute_with("xen-save-devices-state", arguments);
        assert!(fs::read(&again).expect("it was saved") == bytes, "saved differently");
    }
}

#[test]
fn a_state_that_does_not_fit_is_refused_whole() {
    let driven = Driven::new("xenfv-4.2");
    let listening = driven.listen();
    let mut peer = Peer::negotiated(&listening.path);
    let file = |name: &str| json!({"filename": listening.directory.path().join(name).to_str()});
    peer.execute_with("xen-save-devices-state", file("right"));
    let right = fs::read(listening.directory.path().join("right")).expect("it was saved");
    let error = peer.try_execute("xen-load-devices-state", file("right"));
    assert_eq!(error["error"]["desc"], "Cannot update device state while vm is running");
    peer.execute("stop");
    let cut = &right[..right.len() / 2];
    for (name, bytes) in [("empty", &[][..]), ("cut", cut), ("text", b"root:x:0:0:")] {
        fs::write(listening.directory.path().join(name), bytes).expect("there is room");
        let error = peer.try_execute("xen-load-devices-state", file(name));
        let desc = error["error"]["desc"].as_str().unwrap_or_else(|| panic!("{name}: {error}"));
        assert!(desc.contains(name), "{desc}");
    }
    let directory = peer.try_execute("xen-load-devices-state", file("."));
    let desc = directory["error"]["desc"].as_str().expect("a directory holds no state");
    assert!(desc.starts_with("An IO error has occurred"), "{desc}");
    peer.execute_with("xen-save-devices-state", file("again"));
    let again = fs::read(listening.directory.path().join("again")).expect("it was saved");
    assert!(again == right, "a refused state left something behind");
}

//! What a person sees of a guest and does to it, by QMP and by the human monitor.

use std::io::{Cursor, Read as _};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use southbridge::control::qtest::Qtest;

use crate::common::driven::{Driven, Listening, qtest_of};
use crate::common::qmp_peer::Peer;

/// QEMU's `-device VGA,id=video0,addr=2`.
const VGA: &str = "[machine.recorded.device.video0]\ncomponent = \"vga\"\n\
    at = \"host-bridge/pci@02.0\"\ngrants = [\"memories\"]\n\
    [machine.recorded.device.video0.properties]\nword-modes = false\n";

/// A guest, its clients, and the way to its ports.
struct Setup {
    _driven: Driven,
    qtest: Arc<Qtest>,
    listening: Listening,
    peer: Peer,
}

impl Setup {
    fn new(changes: &str) -> Self {
        let mut kept = None;
        let driven = Driven::of(
            |power| {
                let qtest = qtest_of("pc-i440fx-7.2", changes, power);
                kept = Some(qtest.clone());
                qtest
            },
            |_| {},
        );
        let listening = driven.listen();
        let peer = Peer::negotiated(&listening.path);
        Self { _driven: driven, qtest: kept.expect("it was built"), listening, peer }
    }

    /// Sends requests; the replies without `OK`.
    fn qtest(&self, requests: &str) -> Vec<String> {
        let mut replies = Vec::new();
        self.qtest.serve(requests.as_bytes(), &mut replies).expect("it is memory");
        let replies = String::from_utf8(replies).expect("it is text");
        let said = |line: &str| line.strip_prefix("OK").expect("it is right").trim().to_owned();
        replies.lines().map(said).collect()
    }

    fn human(&mut self, line: &str) -> String {
        let given = json!({"command-line": line});
        let printed = self.peer.execute_with("human-monitor-command", given);
        printed.as_str().expect("it prints text").replace('\r', "")
    }

    /// Has a command executed; its answer, or the words of its error.
    fn answer(&mut self, command: &str, arguments: Value) -> Result<Value, (String, String)> {
        let answer = self.peer.try_execute(command, arguments);
        match answer.get("return") {
            Some(answer) => Ok(answer.clone()),
            None => {
                let text = |member| answer["error"][member].as_str().unwrap_or_default().to_owned();
                Err((text("class"), text("desc")))
            }
        }
    }

    /// A byte of the keyboard controller's, if there is one.
    fn byte(&self) -> Option<u8> {
        let read = |request| {
            let reply = self.qtest(request).remove(0);
            u8::from_str_radix(reply.trim_start_matches("0x"), 16).expect("a byte")
        };
        (read("inb 0x64\n") & 1 != 0).then(|| read("inb 0x60\n"))
    }

    /// All that it has.
    fn bytes(&self) -> Vec<u8> {
        std::iter::from_fn(|| self.byte()).collect()
    }
}

fn refused<T>(desc: &str) -> Result<T, (String, String)> {
    Err(("GenericError".into(), desc.into()))
}

fn no_device<T>(name: &str) -> Result<T, (String, String)> {
    Err(("DeviceNotFound".into(), format!("Device '{name}' not found")))
}

/// A recording of a screen: the requests that led to it, or the picture.
fn recorded(name: &str) -> Vec<u8> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../devices/vga/tests/data/screens");
    let packed = std::fs::read(Path::new(directory).join(name)).expect("it is there");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("it is packed");
    bytes
}

/// A guest whose screen is that of the recording in a text mode.
fn text_screen() -> Setup {
    let setup = Setup::new(VGA);
    let trace = String::from_utf8(recorded("text.trace.gz")).expect("it is text");
    let requests = trace.lines().filter_map(|line| line.strip_prefix("> "));
    setup.qtest(&requests.map(|request| format!("{request}\n")).collect::<String>());
    setup
}

#[test]
fn a_screen_in_text_mode_is_the_picture_that_qemu_has_of_it() {
    let mut setup = text_screen();
    let expected = recorded("text.ppm.gz");
    let path = |name: &str| setup.listening.directory.path().join(name).display().to_string();
    let (ppm, png, by_human) = (path("a.ppm"), path("a.png"), path("b.png"));

    setup.peer.execute_with("screendump", json!({"filename": ppm}));
    assert!(std::fs::read(&ppm).unwrap() == expected, "another picture");
    setup.peer.execute_with("screendump", json!({"filename": png, "format": "png"}));
    let file = Cursor::new(std::fs::read(&png).unwrap());
    let mut reader = png::Decoder::new(file).read_info().expect("it is a PNG");
    let mut pixels = vec![0; reader.output_buffer_size().expect("it has a size")];
    reader.next_frame(&mut pixels).expect("it is whole");
    assert!(expected.ends_with(&pixels), "another picture");

    assert_eq!(setup.human(&format!("screendump {by_human} -f png video0 0")), "");
    assert_eq!(std::fs::read(&by_human).unwrap(), std::fs::read(&png).unwrap());
    let rows = setup.peer.execute("__org.southbridge_query-screen-text");
    assert_eq!(rows.as_array().map(Vec::len), Some(25));
    assert!(rows[1].as_str().unwrap().starts_with("PQRSTUVWXYZ"), "{rows}");
}

#[test]
fn a_picture_that_cannot_be_had_is_refused_in_qemus_words() {
    let mut setup = Setup::new(VGA);
    for (arguments, expected) in [
        (json!({}), refused("Parameter 'filename' is missing")),
        (
            json!({"filename": "/nonexistent/x"}),
            refused("failed to open file '/nonexistent/x': No such file or directory"),
        ),
        (json!({"filename": "/tmp"}), refused("failed to open file '/tmp': Is a directory")),
        (
            json!({"filename": "/tmp", "format": "bmp"}),
            refused("Parameter 'format' does not accept value 'bmp'"),
        ),
        (json!({"filename": "/tmp", "device": "nope"}), no_device("nope")),
        (
            json!({"filename": "/tmp", "head": 1}),
            refused("'head' must be specified together with 'device'"),
        ),
    ] {
        assert_eq!(setup.answer("screendump", arguments.clone()), expected, "{arguments}");
    }
    for (line, expected) in [
        (
            "screendump",
            "screendump: filename expected\nTry \"help screendump\" for more information\n",
        ),
        ("screendump /tmp -f bmp", "Error: invalid parameter value: bmp\n"),
        ("screendump /tmp nope", "Error: Device 'nope' not found\n"),
        ("screendump /tmp", "Error: failed to open file '/tmp': Is a directory\n"),
    ] {
        assert_eq!(setup.human(line), expected, "{line}");
    }
    let none = "There is no console to take a screendump from";
    let mut setup = Setup::new("");
    assert_eq!(setup.answer("screendump", json!({"filename": "/tmp/x"})), refused(none));
    assert_eq!(setup.answer("__org.southbridge_query-screen-text", json!({})), refused(none));
}

/// Scan codes of set 1, as firmware has the controller translate them.
const TRANSLATED: &str = "outb 0x64 0x60\noutb 0x60 0x41\n";

#[test]
fn keys_are_pressed_and_released_in_guest_time() {
    let mut setup = Setup::new("");
    setup.qtest(TRANSLATED);
    let keys = json!([{"type": "qcode", "data": "ctrl"}, {"type": "number", "data": 0xd3}]);
    setup.peer.execute_with("send-key", json!({"keys": keys, "hold-time": 50}));
    let step = "clock_step 50000000\n";
    for expected in [&[0x1d][..], &[0xe0, 0x53], &[0xe0, 0xd3], &[0x9d], &[]] {
        assert_eq!(setup.bytes(), expected);
        setup.qtest(step);
    }
    // Nobody says how long: 10 ms each, and the next waits for the one before.
    assert_eq!(setup.human("sendkey a"), "");
    assert_eq!(setup.human("sendkey 0x30"), "");
    for expected in [&[0x1e][..], &[0x9e], &[0x30], &[0xb0], &[]] {
        assert_eq!(setup.bytes(), expected);
        setup.qtest("clock_step 10000000\n");
    }
}

#[test]
fn a_guest_that_stands_still_notices_nothing() {
    let mut setup = Setup::new("");
    setup.qtest(TRANSLATED);
    setup.peer.execute("stop");
    let key = json!({"keys": [{"type": "qcode", "data": "a"}]});
    assert_eq!(setup.answer("send-key", key), Ok(json!({})));
    for line in ["sendkey a", "mouse_move 1 1", "mouse_button 1"] {
        assert_eq!(setup.human(line), "");
    }
    let down =
        json!({"type": "key", "data": {"down": true, "key": {"type": "qcode", "data": "a"}}});
    let events = json!({"events": [down]});
    assert_eq!(setup.answer("input-send-event", events.clone()), refused("VM not running"));
    setup.peer.execute("cont");
    setup.qtest("clock_step 1000000000\n");
    assert_eq!(setup.byte(), None);
    setup.peer.execute_with("input-send-event", events);
    assert_eq!(setup.byte(), Some(0x1e));
}

#[test]
fn what_is_no_key_is_refused_in_qemus_words() {
    let mut setup = Setup::new(VGA);
    let key = |key: Value| ("send-key", json!({"keys": [key]}));
    let event = |event: Value| ("input-send-event", json!({"events": [event]}));
    for ((command, arguments), expected) in [
        (key(json!({"type": "qcode", "data": "a", "x": 1})), "Parameter 'keys[0].x' is unexpected"),
        (key(json!({"type": "qcode"})), "Parameter 'keys[0].data' is missing"),
        (key(json!({"data": 1})), "Parameter 'keys[0].type' is missing"),
        (key(json!({"type": "foo", "data": 1})), "Parameter 'type' does not accept value 'foo'"),
        (
            key(json!({"type": "qcode", "data": "x1"})),
            "Parameter 'data' does not accept value 'x1'",
        ),
        (
            key(json!({"type": "number", "data": "a"})),
            "Invalid parameter type for 'keys[0].data', expected: integer",
        ),
        (key(json!(1)), "Invalid parameter type for 'keys[0]', expected: object"),
        (("send-key", json!({})), "Parameter 'keys' is missing"),
        (event(json!({"type": "mtt", "data": {}})), "Parameter 'type' does not accept value 'mtt'"),
        (event(json!({"type": "rel"})), "Parameter 'events[0].data' is missing"),
        (
            event(json!({"type": "rel", "data": {"axis": "x"}})),
            "Parameter 'events[0].data.value' is missing",
        ),
        (
            event(json!({"type": "rel", "data": {"axis": "z", "value": 1}})),
            "Parameter 'axis' does not accept value 'z'",
        ),
        (
            event(json!({"type": "abs", "data": {"axis": "x", "value": 1}})),
            "Input handler not found for event type abs",
        ),
    ] {
        assert_eq!(setup.answer(command, arguments.clone()), refused(expected), "{arguments}");
    }
    let nowhere = json!({"device": "nope", "events": []});
    assert_eq!(setup.answer("input-send-event", nowhere), no_device("nope"));
    for number in [0, 999, -1, 1_i64 << 32] {
        let keys = json!({"keys": [{"type": "number", "data": number}]});
        assert_eq!(setup.answer("send-key", keys), Ok(json!({})));
    }
    for (line, expected) in [
        ("sendkey foo", "invalid parameter: foo\n"),
        ("sendkey a-", "invalid parameter: \n"),
        ("sendkey", "sendkey: string expected\nTry \"help sendkey\" for more information\n"),
        (
            "sendkey a x",
            "invalid char 'x' in expression\nTry \"help sendkey\" for more information\n",
        ),
        (
            "sendkey a -1",
            "'sendkey' has failed: integer is for 32-bit values\n\
             Try \"help sendkey\" for more information\n",
        ),
        (
            "mouse_move 1",
            "mouse_move: string expected\nTry \"help mouse_move\" for more information\n",
        ),
        (
            "mouse_button",
            "unexpected end of expression\nTry \"help mouse_button\" for more information\n",
        ),
    ] {
        assert_eq!(setup.human(line), expected, "{line}");
    }
    assert_eq!(setup.byte(), None);
}

#[test]
fn the_mouse_moves_and_its_buttons_are_pressed() {
    let mut setup = Setup::new("");
    // The mouse reports.
    setup.qtest("outb 0x64 0xd4\noutb 0x60 0xf4\n");
    assert_eq!(setup.byte(), Some(0xfa));
    setup.human("mouse_move 5 -3");
    assert_eq!(setup.bytes(), [0x08, 5, 3]);
    setup.human("mouse_button 3");
    assert!(setup.bytes().ends_with(&[0x0b, 0, 0]));
    setup.human("mouse_button 0");
    assert!(setup.bytes().ends_with(&[0x08, 0, 0]));
    let moves = [("x", 2), ("y", 1), ("x", 3)];
    let event = |(axis, value)| json!({"type": "rel", "data": {"axis": axis, "value": value}});
    let mut events: Vec<_> = moves.into_iter().map(event).collect();
    events.push(json!({"type": "btn", "data": {"down": true, "button": "middle"}}));
    events.push(json!({"type": "btn", "data": {"down": true, "button": "side"}}));
    setup.peer.execute_with("input-send-event", json!({"events": events}));
    // What the mouse has moved between two clicks is one movement.
    assert_eq!(setup.bytes(), [0x28, 5, 0xff, 0x0c, 0, 0]);
}

#[test]
fn a_picture_goes_into_a_descriptor_that_was_sent() {
    let mut setup = text_screen();
    let path = setup.listening.directory.path().join("a.ppm");
    let file = std::fs::File::create(&path).unwrap();
    setup.peer.send_fds(b"{\"execute\": \"add-fd\"}\n", &[file.into()]);
    assert_eq!(setup.peer.receive()["return"]["fdset-id"], 0);
    let there = json!({"filename": "/dev/fdset/0"});
    assert_eq!(setup.answer("screendump", there), Ok(json!({})));
    assert!(std::fs::read(&path).unwrap() == recorded("text.ppm.gz"), "another picture");
    let (name, why) = ("/dev/fdset/7", "No such file or directory");
    let refusal = refused(&format!("failed to open file '{name}': {why}"));
    assert_eq!(setup.answer("screendump", json!({"filename": name})), refusal);
}

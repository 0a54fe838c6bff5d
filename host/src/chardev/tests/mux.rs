//! Front ends that share a character device.

use super::*;

/// What a front end was told.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Focus(bool),
    Received(Vec<u8>),
}

/// A front end that tells the test what it is told, and says its name.
struct Teller(&'static str, Sender<(&'static str, Told)>);

impl Muxed for Teller {
    fn focus(&mut self, has_input: bool, output: &mut Writer) -> std::io::Result<()> {
        self.1.send((self.0, Told::Focus(has_input))).ok();
        write!(output, "<{}>", self.0)
    }

    fn receive(&mut self, bytes: &[u8], _: &mut Writer) -> std::io::Result<()> {
        self.1.send((self.0, Told::Received(bytes.to_vec()))).ok();
        Ok(())
    }
}

/// A shared character device and a client of it.
struct Shared {
    client: UnixStream,
    /// What the front ends are told.
    tells: Receiver<(&'static str, Told)>,
    /// Something for each time that the program is to end.
    quits: Receiver<()>,
    _chardev: Arc<Chardev>,
    _directory: TempDir,
}

impl Shared {
    fn new(escape: u8, names: &[&'static str]) -> Self {
        let (told, tells) = channel();
        let front_end = |name: &&'static str| Box::new(Teller(name, told.clone())) as Box<_>;
        let (_directory, _chardev, client, quits) =
            serve(escape, names.iter().map(front_end).collect());
        Self { client, tells, quits, _chardev, _directory }
    }

    fn told(&self, expected: &[(&'static str, Told)]) {
        for expected in expected {
            assert_eq!(next(&self.tells), *expected);
        }
    }

    fn said(&mut self, expected: &str) {
        let mut said = vec![0; expected.len()];
        self.client.read_exact(&mut said).unwrap();
        assert_eq!(String::from_utf8(said).unwrap(), expected);
    }
}

fn serve(
    escape: u8,
    front_ends: Vec<Box<dyn Muxed>>,
) -> (TempDir, Arc<Chardev>, UnixStream, Receiver<()>) {
    let (directory, path) = place();
    let chardev = socket(SocketAddress::Unix(path.clone()), SERVER).unwrap();
    let (quit, quits) = channel();
    chardev
        .attach(Mux::new(escape, front_ends, move || {
            quit.send(()).ok();
        }))
        .unwrap();
    let client = connect(&path);
    (directory, chardev, client, quits)
}

fn received(bytes: &[u8]) -> Told {
    Told::Received(bytes.to_vec())
}

#[test]
fn the_last_has_the_input_until_a_key_gives_it_to_the_next() {
    let mut shared = Shared::new(ESCAPE, &["one", "two"]);
    shared.told(&[("two", Told::Focus(true))]);
    shared.client.write_all(b"a\x01cb\x01\x01").unwrap();
    shared.told(&[
        ("two", received(b"a")),
        ("two", Told::Focus(false)),
        ("one", Told::Focus(true)),
        ("one", received(b"b")),
        ("one", received(b"\x01")),
    ]);
    // A command may come in two pieces.
    shared.client.write_all(b"\x01").unwrap();
    thread::sleep(Duration::from_millis(20));
    shared.client.write_all(b"cc").unwrap();
    shared.told(&[
        ("one", Told::Focus(false)),
        ("two", Told::Focus(true)),
        ("two", received(b"c")),
    ]);
    shared.said("<two><two><one><one><two>");
}

#[test]
fn a_key_lists_the_keys_and_another_ends_the_program() {
    let mut shared = Shared::new(b'#', &["it"]);
    shared.told(&[("it", Told::Focus(true))]);
    shared.client.write_all(b"#z#h#x").unwrap();
    next(&shared.quits);
    shared.said(
        "<it>\n\rEscape-Char set to Ascii: 0x23\n\r\
         \n\rEscape-Char h    print this help\n\r\
         Escape-Char x    exit emulator\n\r\
         Escape-Char c    switch between console and monitor\n\r\
         Escape-Char Escape-Char  sends Escape-Char\n\r\
         QEMU: Terminated\n\r",
    );
    assert!(shared.tells.try_recv().is_err());
}

#[test]
fn there_need_be_no_escape_key_and_nobody_who_listens() {
    let mut shared = Shared::new(0, &["it"]);
    shared.told(&[("it", Told::Focus(true))]);
    shared.client.write_all(b"\0\x01x").unwrap();
    shared.told(&[("it", received(b"\0\x01x"))]);

    let mut shared = Shared::new(ESCAPE, &[]);
    shared.client.write_all(b"a\x01c\x01x").unwrap();
    next(&shared.quits);
}

#[test]
fn commands_work_while_a_device_takes_nothing() {
    let (offered, offers) = channel();
    let (allow, allowed) = channel();
    let offer = move |bytes: &[u8]| {
        offered.send(bytes.to_vec()).ok()?;
        allowed.recv().ok()
    };
    let (_directory, _chardev, mut client, quits) =
        serve(ESCAPE, vec![Box::new(Queued::new(offer).unwrap())]);
    client.write_all(b"abc\x01x").unwrap();
    next(&quits);
    for (expected, taken) in [(&b"abc"[..], 0), (b"abc", 1), (b"bc", 2)] {
        assert_eq!(next(&offers), expected);
        allow.send(taken).unwrap();
    }
    client.write_all(b"d").unwrap();
    assert_eq!(next(&offers), b"d");
}

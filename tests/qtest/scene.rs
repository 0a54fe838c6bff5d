//! A recorded conversation with QEMU, held with a machine of the same kind: requests as
//! they were sent, replies and interrupts as they came back, in order.

use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use southbridge::component::{MouseButton, Scope, Section};
use southbridge::control::qtest::Qtest;
use southbridge::guest::{Guest, Processors as _, Start};
use southbridge::machine::{Backends, Capture, Inserted, Machine, StreamInput};
use southbridge_sdk::fake::trace::{Interrupt, Request, Step, Trace};
use storage::{Cache, Medium, Ram};

use super::client::Client;
use crate::common::driven::{Driven, qtest_with};
use crate::common::held::HeldEvents;
use crate::common::monitor;
use crate::common::qmp_peer::Peer;

/// What a recording's machine was besides its type, and what its recorder did.
#[derive(Clone, Default)]
pub(crate) struct Scene {
    /// What is as in a machine file.
    pub(crate) changes: String,
    pub(crate) backends: Backends,
    /// Whether the machine was started with `-S`: where something was to go on beside
    /// the requests, and no time to pass.
    pub(crate) paused: bool,
    /// Whether the recorder waited, after each request, for what went on beside.
    pub(crate) waits: bool,
    /// The interrupts that were kept, if not all were.
    pub(crate) pins: Option<&'static [u8]>,
    /// The floppies that were put in.
    pub(crate) floppy: Option<fn(u32) -> Vec<u8>>,
    /// What the device has said on the stream `serial0`.
    pub(crate) said: Capture,
}

/// What of a recording was held against the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Compared {
    /// Requests to qtest.
    pub(crate) requests: usize,
    /// Saved sections.
    pub(crate) sections: usize,
    /// Keys, movements, bytes.
    pub(crate) acts: usize,
}

impl Scene {
    /// Replays a recording.
    ///
    /// # Panics
    /// The machine differs from QEMU: the message has the lines before.
    pub(crate) fn replay(&self, machine_type: &str, text: &str) -> Compared {
        let mut built: Option<Arc<Qtest>> = None;
        let start = if self.paused { Start::Paused } else { Start::Running };
        let build = |power| {
            let qtest = qtest_with(machine_type, &self.changes, &self.backends, power);
            if self.paused {
                qtest.stop();
            }
            built.insert(qtest).clone()
        };
        let driven = Driven::starting(start, build, |_| {});
        let qtest = built.expect("it was built");
        let (client, server) = UnixStream::pair().expect("there are descriptors");
        std::thread::scope(|scope| {
            scope.spawn(|| qtest.serve(&server, &server).expect("the client is there"));
            let mut replay = Replay {
                scene: self,
                client: Client::new(client),
                guest: &driven.guest,
                machine: driven.guest.machine(),
                peer: driven.peer(),
                has_events: text.contains("\nE "),
                held: HeldEvents::default(),
                input: driven.guest.machine().stream_input("serial0", "data").ok(),
                waiting: Vec::new(),
                heard: 0,
                compared: Compared::default(),
            };
            replay.run(text);
            replay.compared
        })
    }
}

struct Replay<'a> {
    scene: &'a Scene,
    client: Client,
    guest: &'a Guest,
    machine: &'a Arc<Machine>,
    peer: Peer,
    /// Whether the recorder kept events.
    has_events: bool,
    held: HeldEvents,
    input: Option<StreamInput>,
    /// Bytes that the serial port has not taken yet.
    waiting: Vec<u8>,
    /// How many bytes of the serial port have been compared.
    heard: usize,
    compared: Compared,
}

impl Replay<'_> {
    fn run(&mut self, text: &str) {
        let lines: Vec<_> = text.lines().collect();
        let mut before = "";
        // How many sections of one name are saved at once.
        let mut same = 0;
        for step in &Trace::parse(text).steps {
            // QEMU does what devices ask of its power after the reply.
            self.guest.settle();
            let line = lines[step.line - 1];
            let name = line.split(' ').nth(1).unwrap_or_default();
            same = if line.starts_with("S ") && before == name { same + 1 } else { 0 };
            before = if line.starts_with("S ") { name } else { "" };
            if !line.starts_with("C out ") {
                assert_eq!(self.unheard(), [0; 0], "line {}: bytes nobody sent", step.line);
            }
            let (expected, found) = match step.request {
                Request::Monitor(command) => self.monitor(step, command),
                Request::Elsewhere(line) => self.elsewhere(step, line, same),
                _ => self.request(step, line),
            };
            if found != expected {
                differs(&lines, step.line, &expected, &found);
            }
        }
        // What the last step has caused is heard before the connection ends.
        self.client.exchange("endianness");
    }

    /// A request: interrupts and the reply.
    fn request(&mut self, step: &Step<'_>, line: &str) -> (Vec<String>, Vec<String>) {
        self.compared.requests += 1;
        let now = self.machine.clock().now();
        self.held.note(step.request, now);
        let mut reply = step.reply.to_owned();
        let mut request = line.strip_prefix("> ").expect("it is a request").to_owned();
        if let Request::ClockStep(None) = step.request {
            let own = self.machine.next_deadline().filter(|_| !self.scene.paused);
            let end = self.held.end(step, own, now);
            if own != Some(end) {
                let _ = write!(request, " {}", end - now);
            }
            if step.value.is_none() {
                reply = format!("OK {now}");
            }
        }
        let (mut found, answer) = match controller_input(&request) {
            Some((line, level)) => {
                self.machine.set_input("pic", &line, level, &mut Vec::new());
                (Vec::new(), "OK".to_owned())
            }
            None => self.client.exchange(&request),
        };
        found.extend(self.wait());
        (self.said(step, Some(reply)), self.kept(found, Some(answer)))
    }

    /// What goes on beside the requests: the interrupts that come of it.
    fn wait(&mut self) -> Vec<String> {
        if !self.scene.waits {
            return Vec::new();
        }
        self.machine.drain();
        if let Some(input) = &self.input {
            let taken = input.fill(&self.waiting).expect("the machine is there");
            self.waiting.drain(..taken);
        }
        // All that was caused before comes before this reply.
        self.client.exchange("endianness").0
    }

    /// A monitor's command: events and the answer. Some are the recorder's own.
    fn monitor(&mut self, step: &Step<'_>, command: &str) -> (Vec<String>, Vec<String>) {
        let words: Vec<_> = command.split(' ').collect();
        match words[..] {
            ["section"] => {
                self.compared.sections += 1;
                let saved = self.sections("fdc").remove(0);
                return (vec![step.reply.into()], vec![hex(&saved.data)]);
            }
            ["eject", drive] => self.change(drive, None),
            ["insert", drive, sectors, read_only] => {
                let floppy = self.scene.floppy.expect("it has a floppy drive");
                let medium = medium(floppy(number(sectors)), read_only != "0");
                self.change(drive, Some(medium));
            }
            _ => return self.command(step, command),
        }
        (Vec::new(), Vec::new())
    }

    /// What is said to a command, as far as the recorder kept it.
    fn command(&mut self, step: &Step<'_>, command: &str) -> (Vec<String>, Vec<String>) {
        let mut said = monitor::said(&mut self.peer, command);
        let mut recorded = Vec::new();
        if step.reply.is_empty() {
            said.clear();
        } else {
            recorded = monitor::recorded(step);
        }
        if !self.has_events {
            said = said.split_off(said.len().saturating_sub(1));
        }
        let text = |said: Vec<serde_json::Value>| said.iter().map(ToString::to_string).collect();
        let (mut expected, mut found): (Vec<_>, Vec<_>) = (text(recorded), text(said));
        if !step.interrupts.is_empty() {
            let interrupts = self.wait();
            expected.extend(self.said(step, None));
            found.extend(self.kept(interrupts, None));
        }
        (expected, found)
    }

    fn change(&self, drive: &str, medium: Option<Inserted>) {
        let name = format!("floppy{drive}");
        let drives = self.machine.drives();
        let drive = drives.iter().find(|known| known.name == name).expect("there is this drive");
        self.machine.change_medium(drive, medium, true).expect("nothing locks it");
    }

    /// Something that was neither said to qtest nor to the monitor. `same` sections of
    /// the name came just before.
    fn elsewhere(
        &mut self,
        step: &Step<'_>,
        line: &str,
        same: usize,
    ) -> (Vec<String>, Vec<String>) {
        let words: Vec<_> = line.split(' ').collect();
        let integer = |word: &str| word.parse::<i32>().expect("a number");
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        match words[..] {
            ["S", name, version, ref data @ ..] => {
                self.compared.sections += 1;
                let mut sections = self.sections(name);
                let section = sections.remove(same % sections.len());
                let of = |version: String, data: &str| vec![version, without_stale_bytes(data)];
                expected = of(version.into(), data.first().unwrap_or(&""));
                found = of(section.version.to_string(), &hex(&section.data));
            }
            ["K", key, down] => self.machine.key(number(key) as u16, down == "1"),
            ["M", x, y] => self.machine.mouse_moved(integer(x), integer(y)),
            ["B", button, down] => self.machine.mouse_button(self::button(button), down == "1"),
            ["C", "in", bytes] => self.waiting.extend(self::bytes(bytes)),
            ["C", "out", bytes] => {
                expected.push(bytes.to_owned());
                found.push(hex(&self.unheard()));
                self.heard = self.scene.said.bytes().len();
            }
            _ => panic!("line {}: {line:?} is not known", step.line),
        }
        self.compared.acts += usize::from(!line.starts_with('S'));
        if self.scene.waits {
            let interrupts = self.wait();
            expected.extend(self.said(step, None));
            found.extend(self.kept(interrupts, None));
        }
        (expected, found)
    }

    /// What was recorded: interrupts and the reply.
    fn said(&self, step: &Step<'_>, reply: Option<String>) -> Vec<String> {
        let interrupts = step.interrupts.iter().map(|Interrupt { pin, level }| {
            format!("IRQ {} {pin}", if *level { "raise" } else { "lower" })
        });
        interrupts.chain(reply).collect()
    }

    /// What was found, as far as the recorder kept it.
    fn kept(&self, interrupts: Vec<String>, reply: Option<String>) -> Vec<String> {
        let is_kept = |interrupt: &String| {
            let pin = interrupt.rsplit(' ').next().and_then(|pin| pin.parse().ok());
            self.scene.pins.is_none_or(|pins| pin.is_some_and(|pin| pins.contains(&pin)))
        };
        interrupts.into_iter().filter(is_kept).chain(reply).collect()
    }

    /// What the serial port has sent and the recording has not shown.
    fn unheard(&self) -> Vec<u8> {
        self.scene.said.bytes().split_off(self.heard)
    }

    fn sections(&self, name: &str) -> Vec<Section> {
        let saved = self.machine.save(Scope::Stream).expect("no device is out of service");
        let sections = saved.into_iter().flat_map(|slot| slot.sections);
        let sections: Vec<_> = sections.filter(|section| section.name == name).collect();
        assert!(!sections.is_empty(), "{name} is not saved");
        sections
    }
}

/// A medium in memory.
pub(crate) fn medium(data: Vec<u8>, read_only: bool) -> Inserted {
    let backend = Box::new(Ram::new(data));
    Inserted::unnamed(Medium { backend, read_only, cache: Cache::default() })
}

/// The input of the interrupt controllers that a request drives, which are two devices in
/// QEMU and one here: clients of qtest do not reach it.
fn controller_input(request: &str) -> Option<(String, bool)> {
    let words: Vec<_> = request.strip_prefix("set_irq_in ")?.split(' ').collect();
    let (first, input, level) = match words[..] {
        ["/machine/unattached/device[6]", _, input, level] => (0, input, level),
        ["/machine/unattached/device[7]", _, input, level] => (8, input, level),
        _ => return None,
    };
    Some((format!("irq{}", first + number(input)), level == "1"))
}

/// A saved IDE drive has a buffer for its data register, in which QEMU has what commands
/// before have left, also those whose data goes to memory here without being copied: only
/// what is to be moved is compared.
fn without_stale_bytes(saved: &str) -> String {
    /// `ide_drive/pio_state`, version 1, and the length of the buffer.
    const PIO: &str = "6964655f64726976652f70696f5f737461746500000001";
    const BUFFER: usize = 2 * 0x2_0004;
    let number = |digits: &str| usize::from_str_radix(digits, 16).expect("hexadecimal digits");
    let (mut kept, mut rest) = (String::new(), saved);
    while let Some(at) = rest.find(PIO) {
        let (before, after) = rest.split_at(at + PIO.len() + 8);
        let (buffer, after) = after.split_at(BUFFER);
        let (start, length) = (2 * number(&after[..8]), 2 * number(&after[8..16]));
        kept.extend([before, &buffer[start..start + length]]);
        rest = after;
    }
    kept + rest
}

fn button(name: &str) -> MouseButton {
    match name {
        "left" => MouseButton::Left,
        "middle" => MouseButton::Middle,
        "right" => MouseButton::Right,
        "wheel-up" => MouseButton::WheelUp,
        "wheel-down" => MouseButton::WheelDown,
        _ => panic!("{name} is not a button"),
    }
}

fn number(text: &str) -> u32 {
    let digits = text.strip_prefix("0x");
    digits.map_or_else(|| text.parse(), |digits| u32::from_str_radix(digits, 16)).expect(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(digits: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect(digits);
    (0..digits.len()).step_by(2).map(byte).collect()
}

/// Ends the test, showing the first difference and the lines before it.
fn differs(lines: &[&str], line: usize, expected: &[String], found: &[String]) -> ! {
    let mut context = String::new();
    for number in line.saturating_sub(30).max(1)..=line {
        let text = lines[number - 1];
        let _ = writeln!(context, "  {number}: {}", text.get(..200).unwrap_or(text));
    }
    panic!("line {line}: {found:?}, expected {expected:?}\n{context}");
}

//! Recorded conversations with QEMU, word for word: requests as they were sent,
//! replies and interrupts as they came back, in order.

use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use southbridge::control::qtest::Qtest;
use southbridge::guest::Guest;
use southbridge_sdk::fake::trace::{Interrupt, Request, Step, Trace};

use super::client::Client;
use crate::common::absent::{PINS, is_absent};
use crate::common::data;
use crate::common::driven::{Driven, qtest};
use crate::common::monitor;
use crate::common::qmp_peer::Peer;

/// The recordings, and the machine types they are of.
const MACHINES: [(&str, &str); 3] = [
    ("qemu-7.2/pc-i440fx-7.2", "pc-i440fx-7.2"),
    ("qemu-7.2/pc-i440fx-3.1", "pc-i440fx-3.1"),
    ("qemu-10.0/pc-i440fx-10.0", "pc-i440fx-10.0"),
];

/// Replays a module's recordings. Of each at least `least` requests must be
/// answered, and at most `most` left to devices that are not there.
fn replay(module: &str, least: usize, most: usize) {
    for (recording, machine_type) in MACHINES {
        let name = format!("{recording} {module}");
        let text = data::text(&format!("traces/{recording}/{module}.trace.gz"));
        let (answered, left_out) =
            with(machine_type, |mut replay| (replay.run(&text), replay.left_out));
        println!("{name}: {answered} requests answered, {left_out} left out");
        assert!(answered >= least, "{name}: {answered} requests, {least} expected");
        assert!(left_out <= most, "{name}: {left_out} left out, {most} expected");
    }
}

/// Has a machine be driven by qtest and QMP at once, as QEMU's was.
fn with<R>(machine_type: &str, action: impl FnOnce(Replay<'_>) -> R) -> R {
    let mut built: Option<Arc<Qtest>> = None;
    let driven = Driven::of(|power| built.insert(qtest(machine_type, power)).clone(), |_| {});
    let qtest = built.expect("it was built");
    let (client, server) = UnixStream::pair().expect("there are descriptors");
    std::thread::scope(|scope| {
        scope.spawn(|| qtest.serve(&server, &server).expect("the client is there"));
        let (client, guest) = (Client::new(client), &*driven.guest);
        action(Replay { client, guest, peer: driven.peer(), left_out: 0 })
    })
}

struct Replay<'a> {
    client: Client,
    guest: &'a Guest,
    peer: Peer,
    left_out: usize,
}

impl Replay<'_> {
    /// Returns how many requests were answered as recorded.
    fn run(&mut self, text: &str) -> usize {
        let lines: Vec<_> = text.lines().collect();
        let mut answered = 0;
        for step in &Trace::parse(text).steps {
            // QEMU does what devices ask of its power after the reply.
            self.guest.settle();
            let (expected, found) = match step.request {
                Request::Monitor(command) => {
                    let said = monitor::said(&mut self.peer, command);
                    (text_of(monitor::recorded(step)), text_of(said))
                }
                // QEMU 10.0 refuses to step to the next deadline if there is none;
                // here QEMU 7.2 is followed, which stays where it is.
                Request::ClockStep(None) if step.value.is_none() => {
                    self.left_out += 1;
                    continue;
                }
                request if is_absent(request) => {
                    self.left_out += 1;
                    continue;
                }
                _ => {
                    answered += 1;
                    (said_by_qtest(step), self.ask(step, lines[step.line - 1]))
                }
            };
            if found != expected {
                differs(&lines, step.line, &expected, &found);
            }
        }
        answered
    }

    /// A request: interrupts and the reply.
    fn ask(&mut self, step: &Step<'_>, line: &str) -> Vec<String> {
        let request = line.strip_prefix("> ").expect("it is a request");
        let (mut said, reply) = match (step.request, step.value) {
            // The next deadline was one of a device that is not there.
            (Request::ClockStep(None), Some(end)) => {
                let now = self.guest.machine().clock().now();
                self.client.exchange(&format!("{request} {}", end - now))
            }
            _ => self.client.exchange(request),
        };
        said.push(reply);
        said
    }
}

fn text_of(said: Vec<serde_json::Value>) -> Vec<String> {
    said.iter().map(ToString::to_string).collect()
}

fn said_by_qtest(step: &Step<'_>) -> Vec<String> {
    let ours = step.interrupts.iter().filter(|change| PINS.contains(&change.pin));
    let interrupts = ours.map(|Interrupt { pin, level }| {
        format!("IRQ {} {pin}", if *level { "raise" } else { "lower" })
    });
    interrupts.chain([step.reply.to_owned()]).collect()
}

/// Ends the test, showing the first difference and the lines before it.
fn differs(lines: &[&str], line: usize, expected: &[String], found: &[String]) -> ! {
    let mut context = String::new();
    for number in line.saturating_sub(30).max(1)..=line {
        let _ = writeln!(context, "  {number}: {}", lines[number - 1]);
    }
    panic!("line {line}: {found:?}, expected {expected:?}\n{context}");
}

#[test]
fn power_management() {
    replay("pm", 6_340, 0);
}

#[test]
fn general_purpose_events_and_hot_plug() {
    replay("gpe", 5_165, 0);
}

#[test]
fn smbus() {
    replay("smbus", 34_984, 0);
}

#[test]
fn sleep_states() {
    replay("sleep", 82, 0);
}

#[test]
fn configuration_space_and_ram_windows() {
    replay("pcicfg", 17_917, 0);
}

/// Clock, keyboard controller, port 92, IDE and serial port among the devices of
/// the ISA bus; what is read of those that are not there is left out.
#[test]
fn isa_bus() {
    replay("isa", 10_200, 4_200);
}

#[test]
#[should_panic(
    expected = "line 4: [\"OK 0x00ff\"], expected [\"OK 0x0000\"]\n  1: > outb 0xe0 0x1\n"
)]
fn a_difference_is_shown_with_what_came_before() {
    let text = "> outb 0xe0 0x1\n< OK\n# a remark\n> inb 0xe0\n< OK 0x0000\n";
    with("pc-i440fx-7.2", |mut replay| replay.run(text));
}

//! Recorded conversations with QEMU, word for word: requests as they were sent,
//! replies and interrupts as they came back, in order.

use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use southbridge::machine::Machine;
use southbridge_sdk::fake::trace::{Interrupt, Request, Step, Trace};

use super::client::{self, Client};
use crate::common::absent::{PINS, is_absent};
use crate::common::data;
use crate::common::monitor::Monitor;

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
        let (qtest, asked) = client::machine(machine_type);
        let (client, server) = UnixStream::pair().expect("there are descriptors");
        let (answered, left_out) = std::thread::scope(|scope| {
            scope.spawn(|| qtest.serve(&server, &server).expect("the client is there"));
            let monitor = Monitor::new(qtest.machine().clone(), asked);
            let machine = qtest.machine().clone();
            let mut replay = Replay { client: Client::new(client), machine, monitor, left_out: 0 };
            let answered = replay.run(&text);
            (answered, replay.left_out)
        });
        println!("{name}: {answered} requests answered, {left_out} left out");
        assert!(answered >= least, "{name}: {answered} requests, {least} expected");
        assert!(left_out <= most, "{name}: {left_out} left out, {most} expected");
    }
}

struct Replay {
    client: Client,
    machine: Arc<Machine>,
    monitor: Monitor,
    left_out: usize,
}

impl Replay {
    /// Returns how many requests were answered as recorded.
    fn run(&mut self, text: &str) -> usize {
        let lines: Vec<_> = text.lines().collect();
        let mut answered = 0;
        for step in &Trace::parse(text).steps {
            // QEMU does what devices ask of its power after the reply.
            self.monitor.settle();
            let (expected, found) = match step.request {
                Request::Monitor(command) => (said_by_monitor(step), self.tell(command)),
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

    /// A monitor command: events and the reply.
    fn tell(&mut self, command: &str) -> Vec<String> {
        let reply = self.monitor.command(command);
        let mut said = self.monitor.take_events();
        said.push(reply);
        said
    }

    /// A request: interrupts and the reply.
    fn ask(&mut self, step: &Step<'_>, line: &str) -> Vec<String> {
        let request = line.strip_prefix("> ").expect("it is a request");
        let (mut said, reply) = match (step.request, step.value) {
            // The next deadline was one of a device that is not there.
            (Request::ClockStep(None), Some(end)) => {
                let now = self.machine.clock().now();
                self.client.exchange(&format!("{request} {}", end - now))
            }
            _ => self.client.exchange(request),
        };
        said.push(reply);
        said
    }
}

fn said_by_monitor(step: &Step<'_>) -> Vec<String> {
    step.events.iter().chain([&step.reply]).map(ToString::to_string).collect()
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
    let (qtest, asked) = client::machine("pc-i440fx-7.2");
    let (client, server) = UnixStream::pair().expect("there are descriptors");
    std::thread::spawn({
        let qtest = qtest.clone();
        move || qtest.serve(&server, &server)
    });
    let monitor = Monitor::new(qtest.machine().clone(), asked);
    let machine = qtest.machine().clone();
    let mut replay = Replay { client: Client::new(client), machine, monitor, left_out: 0 };
    replay.run("> outb 0xe0 0x1\n< OK\n# a remark\n> inb 0xe0\n< OK 0x0000\n");
}

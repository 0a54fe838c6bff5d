//! A whole machine, without processors, on which recordings are replayed.

use std::collections::BTreeMap;
use std::sync::Arc;

use southbridge::clock::Clock;
use southbridge::component::Effects;
use southbridge::machine::{Machine, WINDOW_RANGE};
use southbridge_sdk::fake::trace::{Answer, Request, Step};

use crate::common::absent::is_absent;
use crate::common::ground::Ground;
use crate::common::monitor::{Asked, Monitor};
use crate::common::plan::plan;

/// A machine and what is around it.
pub(crate) struct Recorded {
    pub(crate) machine: Arc<Machine>,
    effects: Effects,
    board: Arc<Ground>,
    monitor: Monitor,
    /// How many steps were left to devices that are not there.
    pub(crate) left_out: usize,
}

impl Recorded {
    /// A machine of a built-in type as the recorder ran it: `changes` is what it
    /// changed, as in a machine file.
    pub(crate) fn new(machine_type: &str, changes: &str) -> Self {
        let (plan, _) = plan(machine_type, changes);
        let windows = plan.windows().map(|window| window.base..window.base + window.size);
        let board = Arc::new(Ground::new(windows.collect()));
        let asked = Asked::default();
        let clock = Arc::new(Clock::manual());
        let machine =
            Machine::build(&plan, clock, board.clone(), &BTreeMap::new(), asked.listener())
                .expect("the machine can be built");
        board.take_changes();
        let monitor = Monitor::new(machine.clone(), asked);
        Self { machine, effects: Effects::new(), board, monitor, left_out: 0 }
    }

    /// Performs a step of a recording.
    ///
    /// # Panics
    /// The monitor would say something else than what was recorded.
    pub(crate) fn perform(&mut self, step: &Step<'_>) -> Answer {
        // QEMU does what devices ask of its power after the access is over.
        self.monitor.settle();
        // The recorder's tap on the interrupt lines is the board here.
        if is_absent(step.request) || step.request == Request::Other("irq_intercept_in ioapic") {
            self.left_out += 1;
            return Answer::Skip;
        }
        self.request(step).with_interrupts(self.board.take_changes())
    }

    fn request(&mut self, step: &Step<'_>) -> Answer {
        let Self { machine, effects, board, .. } = self;
        match step.request {
            Request::In { port, size } => Answer::value(machine.port_read(port, size, effects)),
            Request::Out { port, size, value } => {
                machine.port_write(port, size, value, effects);
                Answer::done()
            }
            Request::Read { address, size: 1 } if WINDOW_RANGE.contains(&address) => {
                Answer::value(board.read(address).into())
            }
            Request::Write { address, size: 1, value } if WINDOW_RANGE.contains(&address) => {
                board.write(address, value as u8);
                Answer::done()
            }
            Request::ClockStep(_) => {
                // QEMU 10.0 refuses to step to the next deadline if there is none.
                let end = step.value.unwrap_or_else(|| machine.clock().now());
                machine.advance(end - machine.clock().now(), effects);
                Answer::done()
            }
            Request::Monitor(command) => {
                let reply = self.monitor.command(command);
                assert_eq!(reply, step.reply, "line {}: {command}", step.line);
                assert_eq!(
                    self.monitor.take_events(),
                    step.events,
                    "line {}: {command}",
                    step.line
                );
                Answer::done()
            }
            request => panic!("line {}: {request:?} is not expected", step.line),
        }
    }
}

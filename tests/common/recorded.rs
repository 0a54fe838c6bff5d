//! A whole machine, without processors, on which recordings are replayed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use southbridge::clock::Clock;
use southbridge::component::Effects;
use southbridge::guest::{self, Processors};
use southbridge::machine::{Backends, Machine, WINDOW_RANGE};
use southbridge::migrate::Blocks;
use southbridge::vm::{CpuState, Roms};
use southbridge_sdk::fake::trace::{Answer, Request, Step};
use vm_memory::GuestMemoryMmap;

use crate::common::driven::Driven;
use crate::common::ground::Ground;
use crate::common::held::HeldEvents;
use crate::common::monitor;
use crate::common::plan::plan;
use crate::common::qmp_peer::Peer;

/// A machine and what is around it.
pub(crate) struct Recorded {
    pub(crate) machine: Arc<Machine>,
    effects: Effects,
    board: Arc<Ground>,
    driven: Driven,
    peer: Peer,
    /// Held during a step.
    turn: Arc<Mutex<()>>,
    /// Whether the machine runs: only then do its timers fire.
    runs: Arc<AtomicBool>,
    held: HeldEvents,
}

impl Recorded {
    /// A machine of a built-in type as the recorder ran it: `changes` is what it
    /// changed, as in a machine file.
    pub(crate) fn new(machine_type: &str, changes: &str) -> Self {
        let (plan, _) = plan(machine_type, changes);
        let windows = plan.windows().map(|window| window.base..window.base + window.size);
        let board = Arc::new(Ground::new(windows.collect()));
        let (mut built, turn) = (None, Arc::<Mutex<()>>::default());
        let runs = Arc::<AtomicBool>::default();
        let driven = Driven::of(
            |power| {
                let clock = Arc::new(Clock::manual());
                let machine =
                    Machine::build(&plan, clock, board.clone(), &Backends::default(), power)
                        .expect("the machine can be built");
                built = Some(machine.clone());
                let roms = Roms::new(None).expect("the host has memory");
                let blocks = Arc::new(Blocks::new(&GuestMemoryMmap::new(), &roms));
                Steps { machine, blocks, turn: turn.clone(), runs: runs.clone() }
            },
            |_| {},
        );
        let machine = built.expect("it was built");
        let peer = driven.peer();
        let (effects, held) = (Effects::new(), HeldEvents::default());
        Self { machine, effects, board, driven, peer, turn, runs, held }
    }

    /// Performs a step of a recording.
    ///
    /// # Panics
    /// The monitor says something else than what was recorded.
    pub(crate) fn perform(&mut self, step: &Step<'_>) -> Answer {
        // QEMU does what devices ask of its power after the access is over.
        self.driven.guest.settle();
        if let Request::Monitor(command) = step.request {
            let said = monitor::said(&mut self.peer, command);
            assert_eq!(said, monitor::recorded(step), "line {}: {command}", step.line);
            return Answer::done().with_interrupts(self.board.take_changes());
        }
        let turn = self.turn.clone();
        let _turn = turn.lock().expect("nobody panics");
        self.request(step).with_interrupts(self.board.take_changes())
    }

    fn request(&mut self, step: &Step<'_>) -> Answer {
        let Self { machine, effects, board, runs, held, .. } = self;
        held.note(step.request, machine.clock().now());
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
            Request::ClockStep(duration) => {
                let now = machine.clock().now();
                let end = match duration {
                    Some(duration) => now + duration,
                    None => held.end(step, machine.next_deadline(), now),
                };
                assert_eq!(end, step.value.unwrap_or(now), "line {}: the time", step.line);
                if runs.load(Ordering::Relaxed) {
                    machine.advance(end - now, effects);
                } else {
                    machine.clock().advance_to(end);
                }
                Answer::done()
            }
            // The recorder's tap on the interrupt lines is the board here.
            Request::Other("irq_intercept_in ioapic") => {
                board.listen();
                Answer::done()
            }
            request => panic!("line {}: {request:?} is not expected", step.line),
        }
    }
}

/// The steps of a recording in the place of processors. As in QEMU what a step leads to
/// comes after it.
struct Steps {
    machine: Arc<Machine>,
    /// The machine has no memory but what the board has.
    blocks: Arc<Blocks>,
    turn: Arc<Mutex<()>>,
    runs: Arc<AtomicBool>,
}

impl Processors for Steps {
    fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    fn firmware_len(&self) -> u64 {
        0
    }

    fn threads(&self) -> Vec<u32> {
        Vec::new()
    }

    fn state_of(&self, _cpu: usize) -> Result<Option<CpuState>, guest::Error> {
        Ok(None)
    }

    fn start(&self) {
        let _turn = self.turn.lock().expect("nobody panics");
        self.runs.store(true, Ordering::Relaxed);
        self.machine.advance(0, &mut Effects::new());
    }

    fn stop(&self) {
        self.runs.store(false, Ordering::Relaxed);
    }

    fn suspend(&self) {
        self.stop();
    }

    fn still(&self, action: &mut dyn FnMut(&Machine)) {
        let _turn = self.turn.lock().expect("nobody panics");
        action(&self.machine);
    }

    fn reset(&self) -> Result<(), guest::Error> {
        Ok(())
    }

    fn end(&self) {}

    fn exits(&self) -> u64 {
        0
    }
}

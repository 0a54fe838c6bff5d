//! A whole machine, without processors, on which recordings are replayed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, OnceLock};

use southbridge::clock::Clock;
use southbridge::component::{Effects, Engine, Request as PowerRequest, WakeupReason};
use southbridge::library::Library;
use southbridge::machine::file::{MachineTypes, Parameters};
use southbridge::machine::{Machine, Plan, PowerEvent, WINDOW_RANGE};
use southbridge_sdk::fake::trace::{Answer, Request, Step};

use crate::common::ground::Ground;

/// The recordings' machines had as much.
const RAM: u64 = 16 << 20;

/// When they were switched on: 2020-03-27 15:18:41.
const BASE_TIME: u64 = 1_585_322_321;

/// What a recording's machine does, as far as its monitor tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Running,
    Suspended,
    Shutdown,
    Prelaunch,
}

/// A machine and what is around it.
pub(crate) struct Recorded {
    pub(crate) machine: Arc<Machine>,
    effects: Effects,
    board: Arc<Ground>,
    asked: Arc<Mutex<VecDeque<PowerEvent>>>,
    state: RunState,
    /// Events that the monitor has not told yet: JSON.
    events: Vec<String>,
    /// How many steps were left to devices that are not there.
    pub(crate) left_out: usize,
}

impl Recorded {
    /// A machine of a built-in type as the recorder ran it: `changes` is what it
    /// changed, as in a machine file. QEMU without KVM has system management
    /// mode, unless it runs under Xen.
    pub(crate) fn new(machine_type: &str, changes: &str) -> Self {
        let mut types = MachineTypes::builtin().expect("the built-in machine files are right");
        let smm = !machine_type.starts_with("xenfv");
        let text = format!(
            "[machine.recorded]\ninherits = {machine_type:?}\n\
             [machine.recorded.device.rtc.properties]\nbase-time = {BASE_TIME}\nclock-base = 0\n\
             [machine.recorded.device.pm.properties]\nsmm-enabled = {smm}\n{changes}\n"
        );
        types.load("recorded.toml", &text).expect("the machine type is there");
        let machine_type = types.get("recorded").expect("it was just declared");
        let parameters = Parameters { cpus: 1, ram_size: RAM };
        let plan = Plan::new(machine_type, &[], library(), parameters).expect("it fits together");
        let windows = plan.windows().map(|window| window.base..window.base + window.size);
        let board = Arc::new(Ground::new(windows.collect()));
        let asked = Arc::<Mutex<VecDeque<_>>>::default();
        let told = asked.clone();
        let power = Arc::new(move |event| told.lock().unwrap().push_back(event));
        let clock = Arc::new(Clock::manual());
        let machine = Machine::build(&plan, clock, board.clone(), &BTreeMap::new(), power)
            .expect("the machine can be built");
        board.take_changes();
        let (state, events) = (RunState::Running, Vec::new());
        Self { machine, effects: Effects::new(), board, asked, state, events, left_out: 0 }
    }

    /// Performs a step of a recording.
    ///
    /// # Panics
    /// The monitor would say something else than what was recorded.
    pub(crate) fn perform(&mut self, step: &Step<'_>) -> Answer {
        // QEMU does what devices ask of its power after the access is over.
        self.settle();
        if is_absent(step.request) {
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
                let reply = self.monitor(command);
                assert_eq!(reply, step.reply, "line {}: {command}", step.line);
                assert_eq!(self.events, step.events, "line {}: {command}", step.line);
                self.events.clear();
                Answer::done()
            }
            request => panic!("line {}: {request:?} is not expected", step.line),
        }
    }

    /// Does what devices have asked for.
    fn settle(&mut self) {
        loop {
            let event = self.asked.lock().unwrap().pop_front();
            match event {
                None => break,
                Some(PowerEvent::Asked(PowerRequest::Reset)) => self.reset(true, "guest-reset"),
                Some(PowerEvent::Asked(PowerRequest::Suspend)) => {
                    self.state = RunState::Suspended;
                    self.event("{\"event\": \"SUSPEND\"}");
                }
                Some(PowerEvent::Asked(PowerRequest::Shutdown)) => {
                    self.state = RunState::Shutdown;
                    let data = "{\"guest\": true, \"reason\": \"guest-shutdown\"}";
                    self.event(&format!("{{\"data\": {data}, \"event\": \"SHUTDOWN\"}}"));
                    self.event("{\"event\": \"STOP\"}");
                }
                Some(PowerEvent::Wake(reason)) => self.wake(reason),
                Some(other) => panic!("{other:?} was not recorded"),
            }
        }
    }

    /// Answers a monitor command.
    fn monitor(&mut self, command: &str) -> String {
        match command {
            "query-status" => {
                let running = self.state == RunState::Running;
                let status = match self.state {
                    RunState::Running => "running",
                    RunState::Suspended => "suspended",
                    RunState::Shutdown => "shutdown",
                    RunState::Prelaunch => "prelaunch",
                };
                return format!("{{\"running\": {running}, \"status\": \"{status}\"}}");
            }
            "system_reset" => {
                self.reset(false, "host-qmp-system-reset");
                if self.state == RunState::Shutdown {
                    self.state = RunState::Prelaunch;
                }
            }
            "cont" => {
                self.state = RunState::Running;
                self.event("{\"event\": \"RESUME\"}");
            }
            "system_powerdown" => {
                self.machine.press_power_button();
                self.event("{\"event\": \"POWERDOWN\"}");
            }
            "system_wakeup" if self.state == RunState::Suspended => {
                self.wake(WakeupReason::Other);
            }
            "system_wakeup" => {
                let what = "Unable to wake up: guest is not in suspended state";
                let class = "\"class\": \"GenericError\"";
                return format!("{{\"error\": {{{class}, \"desc\": \"{what}\"}}}}");
            }
            _ => panic!("{command} is not expected"),
        }
        "{}".into()
    }

    fn reset(&mut self, guest: bool, reason: &str) {
        self.machine.reset();
        let data = format!("{{\"guest\": {guest}, \"reason\": \"{reason}\"}}");
        self.event(&format!("{{\"data\": {data}, \"event\": \"RESET\"}}"));
    }

    fn wake(&mut self, reason: WakeupReason) {
        if self.state == RunState::Suspended {
            self.machine.reset();
            self.machine.woken(reason);
            self.state = RunState::Running;
            self.event("{\"event\": \"WAKEUP\"}");
        }
    }

    fn event(&mut self, json: &str) {
        self.events.push(json.into());
    }
}

/// Whether a request is for what the recordings' machines had and these have
/// not. Writes that nothing answers are not left out: nothing must come of them.
fn is_absent(request: Request<'_>) -> bool {
    match request {
        // To the recorder's tap on the interrupt lines.
        Request::Other("irq_intercept_in ioapic") => true,
        // DMA and its pages, interrupt controllers, timer and speaker, firmware
        // configuration, floppy disks.
        Request::In { port, .. } => matches!(
            port,
            0x00..0x10 | 0x20 | 0x21 | 0x40..0x44 | 0x61 | 0x80..0x90 | 0xa0 | 0xa1 | 0xc0..0xe0
                | 0x3f0..=0x3f5 | 0x3f7 | 0x510..0x51c
        ),
        _ => false,
    }
}

/// The components in the program, each compiled once in a test program.
fn library() -> &'static Library {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    LIBRARY.get_or_init(|| Library::new(Engine::new(None).expect("the engine starts")))
}

//! A recording's monitor: what it does to the machine, and what it says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use southbridge::component::{Request, WakeupReason};
use southbridge::machine::{Machine, PowerEvent, PowerListener};

/// What devices have asked of the machine's power.
#[derive(Clone, Default)]
pub(crate) struct Asked(Arc<Mutex<VecDeque<PowerEvent>>>);

impl Asked {
    /// Notes what devices ask for.
    pub(crate) fn listener(&self) -> PowerListener {
        let Self(asked) = self.clone();
        Arc::new(move |event| asked.lock().unwrap().push_back(event))
    }
}

/// What a recording's machine does, as far as its monitor tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RunState {
    Running,
    Suspended,
    Shutdown,
    Prelaunch,
}

/// The monitor of a machine.
pub(crate) struct Monitor {
    machine: Arc<Machine>,
    asked: Asked,
    state: RunState,
    /// Events that have not been told yet: JSON.
    events: Vec<String>,
}

impl Monitor {
    pub(crate) fn new(machine: Arc<Machine>, asked: Asked) -> Self {
        Self { machine, asked, state: RunState::Running, events: Vec::new() }
    }

    /// The events since the last call.
    pub(crate) fn take_events(&mut self) -> Vec<String> {
        std::mem::take(&mut self.events)
    }

    /// Does what devices have asked for.
    pub(crate) fn settle(&mut self) {
        loop {
            let event = self.asked.0.lock().unwrap().pop_front();
            match event {
                None => break,
                Some(PowerEvent::Asked(Request::Reset)) => self.reset(true, "guest-reset"),
                Some(PowerEvent::Asked(Request::Suspend)) => {
                    self.state = RunState::Suspended;
                    self.event("{\"event\": \"SUSPEND\"}");
                }
                Some(PowerEvent::Asked(Request::Shutdown)) => {
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
    pub(crate) fn command(&mut self, command: &str) -> String {
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

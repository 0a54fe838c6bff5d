//! Lines, mappings, timers, messages, power, streams, RAM windows.

use super::{Outside, contract};
use crate::component::message::Message;
use crate::component::{Effect, Mode, Request, WakeupReason};

impl contract::lines::Host for Outside {
    fn set(&mut self, line: u32, level: bool) {
        self.record(Effect::Line { line, level });
    }
}

impl contract::regions::Host for Outside {
    fn map(&mut self, region: u32, base: u64, priority: u8) {
        self.record(Effect::Map { region, base, priority });
    }

    fn unmap(&mut self, region: u32) {
        self.record(Effect::Unmap { region });
    }
}

impl contract::timers::Host for Outside {
    fn arm(&mut self, timer: u32, deadline: u64) {
        self.record(Effect::Arm { timer, deadline });
    }

    fn disarm(&mut self, timer: u32) {
        self.record(Effect::Disarm { timer });
    }
}

impl contract::log::Host for Outside {
    fn write(&mut self, level: contract::log::Level, message: String) {
        use contract::log::Level;
        let (device, message) = (&*self.name, Message(&message));
        let messages = &mut self.messages;
        // What nobody wants to see counts for nothing.
        macro_rules! log {
            ($level:ident) => {
                if tracing::enabled!(target: "device", tracing::Level::$level) && messages.pass() {
                    tracing::event!(
                        target: "device", tracing::Level::$level, device, "{message}"
                    );
                }
            };
        }
        match level {
            Level::Error => log!(ERROR),
            Level::Warn => log!(WARN),
            Level::Info => log!(INFO),
            Level::Debug => log!(DEBUG),
            Level::Trace => log!(TRACE),
        }
    }
}

impl contract::power::Host for Outside {
    fn ask(&mut self, request: Request) {
        self.record(Effect::Power(request));
    }

    fn exit(&mut self, status: u8) {
        self.record(Effect::Exit { status });
    }

    fn enable_wakeup(&mut self, reason: WakeupReason, enabled: bool) {
        self.record(Effect::EnableWakeup { reason, enabled });
    }

    fn wake(&mut self, reason: WakeupReason) {
        self.record(Effect::Wake(reason));
    }
}

impl contract::streams::Host for Outside {
    fn put(&mut self, stream: u32, byte: u8) {
        self.record(Effect::Put { stream, byte });
    }

    fn ready(&mut self, stream: u32) {
        self.record(Effect::Ready { stream });
    }
}

impl contract::ram_windows::Host for Outside {
    fn set(&mut self, window: u32, mode: Mode) {
        self.record(Effect::Window { window, mode });
    }
}

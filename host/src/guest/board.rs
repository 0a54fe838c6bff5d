//! KVM below the devices.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::component::{Block, GuestRam, Mode};
use crate::log_limit::LogLimit;
use crate::machine::Board;
use crate::machine::file::CpuPin;
use crate::vm::{Interrupts, Memory, WindowMode};

/// Lines that leave the devices go to KVM's interrupt controllers, RAM windows
/// to its memory slots.
pub(super) struct KvmBoard {
    memory: Arc<Memory>,
    interrupts: Arc<Interrupts>,
    /// A guest can have any of this happen at every access.
    messages: Mutex<LogLimit>,
}

/// Messages to the log per second.
const MESSAGES: u32 = 100;

impl KvmBoard {
    pub(super) fn new(memory: Arc<Memory>, interrupts: Arc<Interrupts>) -> Self {
        let messages = Mutex::new(LogLimit::new("board".into(), MESSAGES));
        Self { memory, interrupts, messages }
    }

    fn messages(&self) -> MutexGuard<'_, LogLimit> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Board for KvmBoard {
    fn set_gsi(&self, gsi: u32, level: bool) {
        if let Err(error) = self.interrupts.set_line(gsi, level)
            && self.messages().pass()
        {
            tracing::error!(gsi, level, %error, "interrupt line");
        }
    }

    fn set_cpu_pin(&self, pin: CpuPin, level: bool) {
        if pin == CpuPin::Intr {
            return self.interrupts.set_pin(level);
        }
        // KVM has no SMM here: the machine's devices are configured without it,
        // and a guest that provokes an SMI all the same sees nothing happen.
        if tracing::enabled!(tracing::Level::DEBUG) && self.messages().pass() {
            tracing::debug!(?pin, level, "processor pin is not connected");
        }
    }

    fn set_windows(&self, changes: &[(usize, Mode)]) {
        let changes: Vec<_> = changes
            .iter()
            .map(|&(window, mode)| {
                let mode = match mode {
                    Mode::Bus => WindowMode::Bus,
                    Mode::RamReadOnly => WindowMode::RamReadOnly,
                    Mode::Ram => WindowMode::Ram,
                };
                (window, mode)
            })
            .collect();
        if let Err(error) = self.memory.set_windows(&changes)
            && self.messages().pass()
        {
            tracing::error!(%error, "RAM windows");
        }
    }

    fn set_claims(&self, claims: &[Range<u64>]) {
        if let Err(error) = self.memory.set_claims(claims)
            && self.messages().pass()
        {
            tracing::error!(%error, "device regions below 1 MiB");
        }
    }

    fn ram(&self) -> GuestRam {
        GuestRam::new(self.memory.ram().clone())
    }

    fn map_block(&self, number: usize, block: &Block, read_only: bool, base: Option<u64>) {
        if let Err(error) = self.memory.map_block(number, block.mapping(), read_only, base)
            && self.messages().pass()
        {
            tracing::error!(%error, "memory of a device");
        }
    }

    fn send_message(&self, address: u64, data: u32) {
        if let Err(error) = self.interrupts.send_message(address, data)
            && self.messages().pass()
        {
            tracing::error!(address, data, %error, "message-signalled interrupt");
        }
    }

    fn messages_dropped(&self) -> u64 {
        self.messages().dropped()
    }
}

//! KVM below the devices.

use std::ops::Range;
use std::sync::Arc;

use crate::component::Mode;
use crate::machine::Board;
use crate::machine::file::CpuPin;
use crate::vm::{Interrupts, Memory, WindowMode};

/// Lines that leave the devices go to KVM's interrupt controllers, RAM windows
/// to its memory slots.
pub(super) struct KvmBoard {
    memory: Arc<Memory>,
    interrupts: Arc<Interrupts>,
}

impl KvmBoard {
    pub(super) const fn new(memory: Arc<Memory>, interrupts: Arc<Interrupts>) -> Self {
        Self { memory, interrupts }
    }
}

impl Board for KvmBoard {
    fn set_gsi(&self, gsi: u32, level: bool) {
        if let Err(error) = self.interrupts.set_line(gsi, level) {
            tracing::error!(gsi, level, %error, "interrupt line");
        }
    }

    fn set_cpu_pin(&self, pin: CpuPin, level: bool) {
        // KVM has no SMM here: the machine's devices are configured without it,
        // and a guest that provokes an SMI all the same sees nothing happen.
        tracing::debug!(?pin, level, "processor pin is not connected");
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
        if let Err(error) = self.memory.set_windows(&changes) {
            tracing::error!(%error, "RAM windows");
        }
    }

    fn set_claims(&self, claims: &[Range<u64>]) {
        if let Err(error) = self.memory.set_claims(claims) {
            tracing::error!(%error, "device regions below 1 MiB");
        }
    }
}

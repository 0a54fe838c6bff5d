//! QEMU's protocol for tests of devices, qtest: a client takes the place of the
//! processors.
//!
//! A client sends requests, one to a line, and gets one line for each:
//!
//! | request | reply |
//! |---|---|
//! | `inb PORT`, `inw`, `inl` | `OK 0x0012`: at least four digits |
//! | `outb PORT VALUE`, `outw`, `outl` | `OK` |
//! | `readb ADDRESS`, `readw`, `readl`, `readq` | `OK 0x0000000000000012`: sixteen digits |
//! | `writeb ADDRESS VALUE`, `writew`, `writel`, `writeq` | `OK` |
//! | `read ADDRESS LENGTH` | `OK 0x1234...` |
//! | `write ADDRESS LENGTH 0x1234...` | `OK` |
//! | `b64read ADDRESS LENGTH`, `b64write ADDRESS LENGTH DATA` | the same in Base64 |
//! | `memset ADDRESS LENGTH VALUE` | `OK` |
//! | `irq_intercept_in ioapic`, `irq_intercept_out ioapic` | `OK` |
//! | `set_irq_in ioapic unnamed-gpio-in PIN LEVEL` | `OK` |
//! | `clock_step [NANOSECONDS]` | `OK` and the new time: to the next deadline without an argument |
//! | `clock_set NANOSECONDS` | the same |
//! | `endianness` | `OK little` |
//!
//! Numbers are written as in C. Once the inputs of the I/O APIC are intercepted,
//! `IRQ raise 9` and `IRQ lower 9` say their changes; those that a request
//! causes come before its reply. Time stands still but for `clock_step` and
//! `clock_set`; while the machine has stopped or is suspended, timers that have become
//! due wait for it to go on.
//!
//! What QEMU answers to odd requests is answered here, too. Where QEMU ends
//! itself with a failed assertion (an argument that is missing or no number, a
//! port above 0xffff) the reply is a line that starts with `FAIL`, and the
//! machine goes on.
//!
//! The inputs of the I/O APIC are the only lines that can be watched and driven.

mod answer;
mod board;
mod client;
mod data;
mod interrupts;
mod lines;
mod memory;
mod number;
mod outbox;
mod processors;
mod reply;
mod request;
mod server;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Clock;
use crate::component::Effects;
use crate::machine::{self, Backends, Machine, Plan, PowerListener};
use crate::migrate::Blocks;
use crate::vm::{self, RamLayout, Rom};

use board::Board;
use interrupts::Interrupts;
use memory::Memory;

pub use server::QtestServer;

/// A machine without processors that clients drive by qtest. It needs no KVM.
pub struct Qtest {
    machine: Arc<Machine>,
    board: Arc<Board>,
    blocks: Arc<Blocks>,
    /// Held while a request is performed; in it what devices record then.
    turn: Mutex<Effects>,
    /// Whether the machine does not run: its timers wait.
    stopped: AtomicBool,
}

/// Why there is no machine for qtest.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The devices do not fit together.
    #[error(transparent)]
    Machine(#[from] machine::Error),
    /// There is no such RAM.
    #[error(transparent)]
    Memory(#[from] vm::Error),
}

impl Qtest {
    /// Builds a machine as [`Machine::build`] does, with RAM, with `rom` as its
    /// firmware, and with a clock at 0 that only requests move. It runs.
    ///
    /// `power` hears of power events while a request is performed. It must not
    /// call [`between_requests`](Self::between_requests) itself: QEMU, too, does
    /// what devices ask for after the reply.
    ///
    /// # Errors
    /// The host lacks the memory, or the machine cannot be built.
    pub fn build(
        plan: &Plan,
        ram: &RamLayout,
        rom: Option<Rom>,
        backends: &Backends,
        power: PowerListener,
    ) -> Result<Self, Error> {
        let windows = plan.windows().map(|window| window.base..window.base + window.size);
        let memory = Memory::new(ram, rom.as_ref(), windows)?;
        let blocks = Arc::new(Blocks::new(memory.ram(), memory.roms()));
        let board = Arc::new(Board { memory, interrupts: Interrupts::default() });
        let clock = Arc::new(Clock::manual());
        let machine = Machine::build(plan, clock, board.clone(), backends, power)?;
        let turn = Mutex::new(Effects::with_capacity(64));
        Ok(Self { machine, board, blocks, turn, stopped: AtomicBool::new(false) })
    }

    /// The machine.
    #[must_use]
    pub const fn machine(&self) -> &Arc<Machine> {
        &self.machine
    }

    /// The machine's memory, by the names it has in a saved state.
    #[must_use]
    pub const fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    /// Runs `action` while no request is performed: what needs the processors
    /// stopped, such as [`Machine::reset`], needs that here.
    pub fn between_requests<R>(&self, action: impl FnOnce(&Machine) -> R) -> R {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        action(&self.machine)
    }

    fn has_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

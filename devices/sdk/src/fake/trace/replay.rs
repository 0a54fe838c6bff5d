//! Holding a device against a recording.

use std::fmt::Write as _;

use super::{Interrupt, Request, Step, Trace};

/// What the device under test did with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The step addresses another device: nothing of it is compared but that
    /// QEMU moved none of the device's interrupt lines.
    Skip,
    /// The step addresses another device, and moved these interrupt lines of the
    /// device under test, in order.
    Moved(Vec<Interrupt>),
    /// The device was asked.
    Did {
        /// The value read, if the step is a read.
        value: Option<u64>,
        /// The interrupt lines that changed, in order.
        interrupts: Vec<Interrupt>,
    },
}

impl Answer {
    /// The device was asked for nothing and moved no line.
    #[must_use]
    pub const fn done() -> Self {
        Self::Did { value: None, interrupts: Vec::new() }
    }

    /// The device was read and moved no line.
    #[must_use]
    pub const fn value(value: u64) -> Self {
        Self::Did { value: Some(value), interrupts: Vec::new() }
    }

    /// The same, with lines that changed.
    #[must_use]
    pub fn with_interrupts(self, changes: Vec<Interrupt>) -> Self {
        match self {
            Self::Skip | Self::Moved(_) => Self::Moved(changes),
            Self::Did { value, .. } => Self::Did { value, interrupts: changes },
        }
    }
}

impl Trace<'_> {
    /// Runs every step against `device`. Values read and the changes of the
    /// interrupt lines `pins` must be those of the recording; other lines
    /// belong to other devices. Returns how many steps were not skipped.
    ///
    /// # Panics
    /// The device differs from the recording: the message has the step, both
    /// sides, and the steps before.
    pub fn replay(&self, pins: &[u8], mut device: impl FnMut(&Step<'_>) -> Answer) -> usize {
        let mut compared = 0;
        // What was not caused by a request to qtest, and the recorder has not read yet.
        let mut pending = Vec::new();
        for (index, step) in self.steps.iter().enumerate() {
            let (asked, found, mut changes) = match device(step) {
                Answer::Skip => (false, None, Vec::new()),
                Answer::Moved(interrupts) => (false, None, interrupts),
                Answer::Did { value, interrupts } => (true, value, interrupts),
            };
            compared += usize::from(asked);
            pending.append(&mut changes);
            let reads = matches!(step.request, Request::In { .. } | Request::Read { .. });
            if asked && reads && found != step.value {
                self.differs(index, &format!("value {found:x?}, expected {:x?}", step.value));
            }
            if let Request::Monitor(_) | Request::Elsewhere(_) = step.request {
                continue;
            }
            let ours = |change: &&Interrupt| pins.contains(&change.pin);
            let expected: Vec<_> = step.interrupts.iter().filter(ours).copied().collect();
            let found = std::mem::take(&mut pending);
            if found != expected {
                self.differs(index, &format!("interrupts {found:?}, expected {expected:?}"));
            }
        }
        compared
    }

    /// Ends a test, showing the step that differs and those before.
    fn differs(&self, index: usize, what: &str) -> ! {
        let mut context = String::new();
        for step in &self.steps[index.saturating_sub(20)..=index] {
            let Step { line, request, value, .. } = step;
            let _ = writeln!(context, "  {line}: {request:x?} -> {value:x?}");
        }
        panic!("line {}: {what}\n{context}", self.steps[index].line);
    }
}

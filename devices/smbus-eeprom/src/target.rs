//! The target's side of an SMBus transfer: QEMU's state machine, which collects
//! what is written and hands it on when the direction turns or the transfer
//! stops.

/// Bytes of a block write: command, length and 32 bytes.
pub(crate) const BUFFER: usize = 34;

/// Where in a transfer the target is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// The controller did something that makes no sense. Until the stop,
    /// nothing is sent and nothing is taken.
    Confused = -1,
    /// No transfer.
    #[default]
    Idle = 0,
    /// The controller sends.
    Write = 1,
    /// The controller receives.
    Read = 2,
    /// The controller has received its last byte.
    Done = 3,
}

impl Mode {
    /// The mode with a number of QEMU's.
    pub(crate) fn from_number(number: i32) -> Option<Self> {
        let all = [Self::Confused, Self::Idle, Self::Write, Self::Read, Self::Done];
        all.into_iter().find(|&mode| mode as i32 == number)
    }
}

/// The direction a start names.
pub(crate) enum Direction {
    /// The controller will send.
    Write,
    /// The controller will receive.
    Read,
}

/// A transfer.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) mode: Mode,
    pub(crate) buffer: [u8; BUFFER],
    /// Bytes in the buffer; never above its size.
    pub(crate) length: usize,
}

impl Default for Target {
    fn default() -> Self {
        Self { mode: Mode::Idle, buffer: [0; BUFFER], length: 0 }
    }
}

impl Target {
    fn written(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or(&[])
    }

    /// Start, or repeated start. Returns what was written before the turn.
    pub(crate) fn start(&mut self, direction: Direction) -> Option<&[u8]> {
        let (mode, turns) = match (direction, self.mode) {
            (Direction::Write, Mode::Idle) => (Mode::Write, false),
            (Direction::Read, Mode::Idle) => (Mode::Read, false),
            (Direction::Read, Mode::Write) if self.length > 0 => (Mode::Read, true),
            _ => (Mode::Confused, false),
        };
        self.mode = mode;
        turns.then(|| self.written())
    }

    /// Takes a byte; one too many is dropped.
    pub(crate) fn send(&mut self, byte: u8) {
        if self.mode == Mode::Write
            && let Some(place) = self.buffer.get_mut(self.length)
        {
            *place = byte;
            self.length += 1;
        }
    }

    /// Whether the target may send a byte; if not, it is confused.
    pub(crate) fn reads(&mut self) -> bool {
        if self.mode != Mode::Read {
            self.mode = Mode::Confused;
        }
        self.mode == Mode::Read
    }

    /// The controller has enough.
    pub(crate) fn nack(&mut self) {
        self.mode = match self.mode {
            Mode::Read | Mode::Done => Mode::Done,
            _ => Mode::Confused,
        };
    }

    /// Stop. Returns what was written, if nothing was read since.
    pub(crate) fn stop(&mut self) -> Option<&[u8]> {
        let mode = std::mem::take(&mut self.mode);
        let length = std::mem::take(&mut self.length);
        (mode == Mode::Write).then(|| self.buffer.get(..length).unwrap_or(&[]))
    }
}

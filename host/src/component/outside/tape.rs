//! What a device asks of the world within a call, and what it is answered: kept, or
//! given from what was kept, so that another device can be told the same.

use std::fmt;

use super::Outside;

/// Something that a device asks and that is answered at once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the parameters of the contract's functions")]
pub enum Question {
    /// `pci-bus.read`
    PciRead { bus: u32, devfn: u8, offset: u16, size: u8 },
    /// `pci-bus.write`
    PciWrite { bus: u32, devfn: u8, offset: u16, size: u8, value: u32 },
    /// `i2c-bus.start`
    I2cStart { bus: u32, address: u8, read: bool },
    /// `i2c-bus.send`
    I2cSend { bus: u32, address: u8, byte: u8 },
    /// `i2c-bus.receive`
    I2cReceive { bus: u32, address: u8 },
    /// `i2c-bus.nack`
    I2cNack { bus: u32, address: u8 },
    /// `i2c-bus.stop`
    I2cStop { bus: u32, address: u8 },
    /// `isa-dma-bus.take`
    IsaTake { bus: u32, channel: u8, length: u32 },
    /// `isa-dma-bus.give`
    IsaGive { bus: u32, channel: u8, data: Vec<u8> },
    /// `isa-dma-bus.terminal-count`
    IsaEnd { bus: u32, channel: u8 },
    /// `dma.load`
    MemoryLoad { address: u64, size: u8 },
    /// `dma.read`
    MemoryRead { address: u64, length: u32 },
}

/// What it is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A number, or nothing, which is 0.
    Number(u64),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A question and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// What was asked.
    pub question: Question,
    /// What was answered.
    pub reply: Reply,
}

/// Who answers what is not in a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// The world, which is reached then.
    World,
    /// Nobody: the device hears zeros.
    Nobody,
}

/// Where answers come from, and whether they are kept.
#[derive(Default)]
pub(super) enum Tape {
    /// From the world.
    #[default]
    Off,
    /// From the world, and they are kept.
    Keeping(Vec<Told>),
    /// From what was kept.
    Playing { rest: std::vec::IntoIter<Told>, then: Afterwards, difference: Option<Question> },
}

/// What an answer can be.
pub(super) trait Word: Sized {
    fn into_reply(self) -> Reply;
    fn of(reply: Reply) -> Self;
    fn nothing() -> Self {
        Self::of(Reply::Number(0))
    }
}

macro_rules! words {
    ($($word:ty),*) => {
        $(impl Word for $word {
            fn into_reply(self) -> Reply {
                Reply::Number(self.into())
            }

            fn of(reply: Reply) -> Self {
                // It was this type when it was kept.
                match reply {
                    Reply::Number(number) => number as Self,
                    Reply::Bytes(_) => 0,
                }
            }
        })*
    };
}

words!(u8, u32, u64);

impl Word for bool {
    fn into_reply(self) -> Reply {
        Reply::Number(self.into())
    }

    fn of(reply: Reply) -> Self {
        reply != Reply::Number(0)
    }
}

impl Word for () {
    fn into_reply(self) -> Reply {
        Reply::Number(0)
    }

    fn of(_: Reply) -> Self {}
}

impl Word for Vec<u8> {
    fn into_reply(self) -> Reply {
        Reply::Bytes(self)
    }

    fn of(reply: Reply) -> Self {
        match reply {
            Reply::Bytes(bytes) => bytes,
            Reply::Number(_) => Self::new(),
        }
    }
}

impl Outside {
    /// Has a question answered, by the world unless a tape is played.
    pub(super) fn ask<R: Word>(
        &mut self,
        question: impl FnOnce() -> Question,
        world: impl FnOnce(&mut Self) -> R,
    ) -> R {
        if matches!(self.tape, Tape::Off) {
            return world(self);
        }
        self.ask_tape(question(), world)
    }

    #[inline(never)]
    fn ask_tape<R: Word>(&mut self, question: Question, world: impl FnOnce(&mut Self) -> R) -> R {
        if let Tape::Playing { rest, then, difference } = &mut self.tape {
            match rest.next() {
                Some(told) if told.question == question => return R::of(told.reply),
                _ => {
                    difference.get_or_insert(question);
                    *rest = Vec::new().into_iter();
                    if *then == Afterwards::Nobody {
                        return R::nothing();
                    }
                    return world(self);
                }
            }
        }
        let reply = world(self).into_reply();
        if let Tape::Keeping(kept) = &mut self.tape {
            kept.push(Told { question, reply: reply.clone() });
        }
        R::of(reply)
    }

    /// From now on, answers are kept, or are not.
    pub(in crate::component) fn keep_tape(&mut self, keep: bool) {
        self.tape = if keep { Tape::Keeping(Vec::new()) } else { Tape::Off };
    }

    /// Takes what was kept since the last time.
    pub(in crate::component) fn take_tape(&mut self) -> Vec<Told> {
        match &mut self.tape {
            Tape::Keeping(kept) => std::mem::take(kept),
            _ => Vec::new(),
        }
    }

    /// Answers from a tape, from now on until [`end_tape`](Self::end_tape).
    pub(in crate::component) fn play_tape(&mut self, tape: Vec<Told>, then: Afterwards) {
        self.tape = Tape::Playing { rest: tape.into_iter(), then, difference: None };
    }

    /// Answers from the world again. Says what was asked otherwise than in the tape.
    pub(in crate::component) fn end_tape(&mut self) -> Option<Asked> {
        match std::mem::take(&mut self.tape) {
            Tape::Playing { difference: Some(question), .. } => Some(Asked::Other(question)),
            Tape::Playing { mut rest, .. } => rest.next().map(|told| Asked::Never(told.question)),
            _ => None,
        }
    }
}

/// What a device asked otherwise than the one whose tape it was told from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It asked this where the other asked something else or nothing.
    Other(Question),
    /// It did not ask this, which the other asked.
    Never(Question),
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Other(question) => write!(f, "asks {question:?}"),
            Self::Never(question) => write!(f, "does not ask {question:?}"),
        }
    }
}

impl Told {
    /// Bytes that are kept of it.
    #[must_use]
    pub fn weight(&self) -> usize {
        let given = match &self.question {
            Question::IsaGive { data, .. } => data.len(),
            _ => 0,
        };
        let replied = match &self.reply {
            Reply::Bytes(bytes) => bytes.len(),
            Reply::Number(_) => 0,
        };
        size_of::<Self>() + given + replied
    }
}

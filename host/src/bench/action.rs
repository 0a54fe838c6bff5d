//! What a machine does to a device, as data.

use crate::component::{Failure, Medium, MouseButton, Scope, Section, Told, WakeupReason};

/// One thing that happens to a device. Numbers are positions in its description.
#[derive(Clone, Debug)]
pub enum Action {
    /// A system reset.
    Reset,
    /// A processor, or the bus above, reads a region.
    Read {
        /// The region.
        region: u32,
        /// The first byte.
        offset: u64,
        /// Bytes: 1, 2, 4 or 8.
        size: u8,
    },
    /// It writes.
    Write {
        /// The region.
        region: u32,
        /// The first byte.
        offset: u64,
        /// Bytes: 1, 2, 4 or 8.
        size: u8,
        /// Nothing above `size` bytes.
        value: u64,
    },
    /// An input line takes a level. Nothing happens if it has it.
    Line {
        /// The line.
        line: u32,
        /// The level.
        level: bool,
    },
    /// Time passes, and timers expire at their deadlines.
    Advance {
        /// Nanoseconds.
        time: u64,
    },
    /// Time passes, and no timer expires: a busy host may be late.
    Pass {
        /// Nanoseconds.
        time: u64,
    },
    /// A timer expires, if it is still due then.
    Expire {
        /// The timer.
        timer: u32,
        /// When it was due, in nanoseconds.
        deadline: u64,
    },
    /// What the device is answered when it asks that during the next action; what it
    /// asks then must be this, in this order.
    Hear {
        /// The question and the answer.
        told: Told,
    },
    /// The guest's memory gets contents.
    Ram {
        /// The first address.
        address: u64,
        /// The contents.
        data: Vec<u8>,
    },
    /// The guest writes to a block of the device's memory.
    Block {
        /// The block.
        block: u32,
        /// The first byte.
        offset: u64,
        /// What is written.
        data: Vec<u8>,
    },
    /// A medium comes into a drive, or goes.
    Medium {
        /// The drive.
        drive: u32,
        /// What is in it from now on.
        medium: Option<Medium>,
    },
    /// The oldest request to a drive ends. Nothing happens if there is none.
    Complete {
        /// How it fails, if it is made to.
        failure: Option<Failure>,
    },
    /// All requests to drives end, and those they lead to.
    Settle,
    /// Bytes arrive from a stream, as many as the device takes.
    Receive {
        /// The stream.
        stream: u32,
        /// The bytes.
        data: Vec<u8>,
    },
    /// The operator presses the power button.
    Button,
    /// The machine is about to leave its suspended state.
    Woken {
        /// Why.
        reason: WakeupReason,
    },
    /// A processor acknowledges the interrupt output.
    Acknowledge,
    /// A processor has ended an interrupt.
    Ended {
        /// Its vector.
        vector: u8,
    },
    /// A person presses or releases a key.
    Key {
        /// QEMU's number of the key.
        code: u16,
        /// Whether it is pressed.
        down: bool,
    },
    /// A person moves the mouse.
    Mouse {
        /// To the right.
        x: i32,
        /// Down.
        y: i32,
    },
    /// A person presses or releases a button of the mouse.
    MouseButton {
        /// The button.
        button: MouseButton,
        /// Whether it is pressed.
        down: bool,
    },
    /// Somebody looks at the screen.
    Picture,
    /// Somebody looks at the characters on the screen.
    Text,
    /// A start condition on the I2C bus.
    I2cStart {
        /// Whether the device is to be read.
        read: bool,
    },
    /// A byte for the device on the I2C bus.
    I2cSend {
        /// The byte.
        byte: u8,
    },
    /// A byte from the device on the I2C bus.
    I2cReceive,
    /// The last byte received on the I2C bus is not acknowledged.
    I2cNack,
    /// A stop condition on the I2C bus.
    I2cStop,
    /// The DMA controller takes bytes.
    DmaTake {
        /// How many at most.
        length: u32,
    },
    /// The DMA controller gives bytes.
    DmaGive {
        /// The bytes.
        data: Vec<u8>,
    },
    /// The DMA channel has reached its terminal count.
    DmaEnd,
    /// The device is saved. Requests to drives end before.
    Save {
        /// How much of it.
        scope: Scope,
    },
    /// A saved state takes the place of what the device was.
    Load {
        /// How much of the state this is.
        scope: Scope,
        /// The state.
        sections: Vec<Section>,
    },
    /// A fresh instance of the same component takes the device's place, with its
    /// whole state. Requests to drives end before.
    Exchange,
}

impl Action {
    /// Actions that do less, of which one may do as well; the simplest first.
    pub(super) fn simpler(&self) -> Vec<Self> {
        let numbers = |value: u64| {
            let mut simpler = vec![0, 1, value & 0xff, value & 0xffff, value >> 1, value - 1];
            simpler.retain(|other| *other < value);
            simpler.dedup();
            simpler
        };
        let shorter = |data: &[u8]| -> Vec<Vec<u8>> {
            let zeros = vec![0; data.len()];
            let halves = [&data[..data.len() / 2], &data[..data.len().saturating_sub(1)]];
            let halves = halves.into_iter().map(<[u8]>::to_vec);
            let all = halves.filter(|half| !half.is_empty()).chain([zeros]);
            all.filter(|other| other != data).collect()
        };
        match *self {
            Self::Write { value: 0, .. } | Self::Advance { time: 0 } => Vec::new(),
            Self::Write { region, offset, size, value } => {
                let write = |value| Self::Write { region, offset, size, value };
                numbers(value).into_iter().map(write).collect()
            }
            Self::Advance { time } => {
                numbers(time).into_iter().map(|time| Self::Advance { time }).collect()
            }
            Self::Ram { address, ref data } => {
                shorter(data).into_iter().map(|data| Self::Ram { address, data }).collect()
            }
            Self::Block { block, offset, ref data } => {
                let write = |data| Self::Block { block, offset, data };
                shorter(data).into_iter().map(write).collect()
            }
            Self::Receive { stream, ref data } => {
                shorter(data).into_iter().map(|data| Self::Receive { stream, data }).collect()
            }
            Self::DmaGive { ref data } => {
                shorter(data).into_iter().map(|data| Self::DmaGive { data }).collect()
            }
            Self::Load { scope, ref sections } => {
                let without = |index: usize| {
                    let mut sections = sections.clone();
                    sections.remove(index);
                    Self::Load { scope, sections }
                };
                (0..sections.len()).map(without).collect()
            }
            _ => Vec::new(),
        }
    }
}

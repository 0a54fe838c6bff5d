//! What is done to a device, as data, so that it can be done to two, and be told.

use std::borrow::Cow;
use std::fmt;

use crate::component::{Failure, Fault, Instance, Medium, MouseButton, WakeupReason};

/// A call that a device answers or that changes it. Saving it and looking at its screen
/// are none.
#[derive(Clone, Debug)]
pub(crate) enum Input<'a> {
    Reset,
    Read {
        region: u32,
        offset: u64,
        size: u8,
    },
    Write {
        region: u32,
        offset: u64,
        size: u8,
        value: u64,
    },
    Line {
        line: u32,
        level: bool,
    },
    /// If the timer is still due then.
    Timer {
        timer: u32,
        deadline: u64,
    },
    I2cStart {
        read: bool,
    },
    I2cSend {
        byte: u8,
    },
    I2cReceive,
    I2cNack,
    I2cStop,
    DmaTake {
        length: u32,
    },
    DmaGive {
        data: Cow<'a, [u8]>,
    },
    DmaEnd,
    Acknowledge,
    Ended {
        vector: u8,
    },
    Key {
        code: u16,
        down: bool,
    },
    MouseMoved {
        x: i32,
        y: i32,
    },
    MouseButton {
        button: MouseButton,
        down: bool,
    },
    StreamRoom {
        stream: u32,
    },
    StreamReceive {
        stream: u32,
        byte: u8,
    },
    ButtonPressed,
    Woken {
        reason: WakeupReason,
    },
    Medium {
        drive: u32,
        medium: Option<Medium>,
    },
    Completed {
        drive: u32,
        tag: u32,
        outcome: Cow<'a, Result<Vec<u8>, Failure>>,
    },
}

/// What a device answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Nothing,
    Number(u64),
    Flag(bool),
    Bytes(Vec<u8>),
    Vector(Option<u8>),
}

impl Input<'_> {
    /// Does it to a device.
    pub(super) fn perform(&self, device: &mut Instance, now: u64) -> Result<Answer, Fault> {
        use Answer::{Bytes, Flag, Number, Vector};
        device.set_time(now);
        match *self {
            Self::Read { region, offset, size } => {
                return device.io_read(region, offset, size, now).map(Number);
            }
            Self::Write { region, offset, size, value } => {
                device.io_write(region, offset, size, value, now)?;
            }
            Self::Reset => device.reset(now)?,
            Self::Line { line, level } => device.line_changed(line, level, now)?,
            Self::Timer { timer, deadline } => {
                let armed = device.outputs().timers.get(timer as usize).copied().flatten();
                if armed == Some(deadline) {
                    device.timer_expired(timer, now)?;
                }
            }
            Self::I2cStart { read } => return device.i2c_start(read, now).map(Flag),
            Self::I2cSend { byte } => return device.i2c_send(byte, now).map(Flag),
            Self::I2cReceive => return device.i2c_receive(now).map(|byte| Number(byte.into())),
            Self::I2cNack => device.i2c_nack(now)?,
            Self::I2cStop => device.i2c_stop(now)?,
            Self::DmaTake { length } => return device.dma_take(length, now).map(Bytes),
            Self::DmaGive { ref data } => {
                return device.dma_give(data, now).map(|taken| Number(taken.into()));
            }
            Self::DmaEnd => device.dma_terminal_count(now)?,
            Self::Acknowledge => return device.acknowledge(now).map(Vector),
            Self::Ended { vector } => device.interrupt_ended(vector, now)?,
            Self::Key { code, down } => device.key(code, down, now)?,
            Self::MouseMoved { x, y } => device.mouse_moved(x, y, now)?,
            Self::MouseButton { button, down } => device.mouse_button(button, down, now)?,
            Self::StreamRoom { stream } => {
                return device.stream_room(stream).map(|room| Number(room.into()));
            }
            Self::StreamReceive { stream, byte } => device.stream_receive(stream, byte, now)?,
            Self::ButtonPressed => device.button_pressed(now)?,
            Self::Woken { reason } => device.woken(reason, now)?,
            Self::Medium { drive, medium } => device.medium_changed(drive, medium, now)?,
            Self::Completed { drive, tag, ref outcome } => {
                device.completed(drive, tag, outcome, now)?;
            }
        }
        Ok(Answer::Nothing)
    }

    /// Whether the guest does it: an access to one of the device's regions.
    pub(super) const fn is_access(&self) -> bool {
        matches!(self, Self::Read { .. } | Self::Write { .. })
    }

    /// The same, to be kept.
    pub(super) fn keep(&self) -> Input<'static> {
        match *self {
            Self::Reset => Input::Reset,
            Self::Read { region, offset, size } => Input::Read { region, offset, size },
            Self::Write { region, offset, size, value } => {
                Input::Write { region, offset, size, value }
            }
            Self::Line { line, level } => Input::Line { line, level },
            Self::Timer { timer, deadline } => Input::Timer { timer, deadline },
            Self::I2cStart { read } => Input::I2cStart { read },
            Self::I2cSend { byte } => Input::I2cSend { byte },
            Self::I2cReceive => Input::I2cReceive,
            Self::I2cNack => Input::I2cNack,
            Self::I2cStop => Input::I2cStop,
            Self::DmaTake { length } => Input::DmaTake { length },
            Self::DmaGive { ref data } => Input::DmaGive { data: data.to_vec().into() },
            Self::DmaEnd => Input::DmaEnd,
            Self::Acknowledge => Input::Acknowledge,
            Self::Ended { vector } => Input::Ended { vector },
            Self::Key { code, down } => Input::Key { code, down },
            Self::MouseMoved { x, y } => Input::MouseMoved { x, y },
            Self::MouseButton { button, down } => Input::MouseButton { button, down },
            Self::StreamRoom { stream } => Input::StreamRoom { stream },
            Self::StreamReceive { stream, byte } => Input::StreamReceive { stream, byte },
            Self::ButtonPressed => Input::ButtonPressed,
            Self::Woken { reason } => Input::Woken { reason },
            Self::Medium { drive, medium } => Input::Medium { drive, medium },
            Self::Completed { drive, tag, ref outcome } => {
                let outcome = Cow::Owned(outcome.as_ref().clone());
                Input::Completed { drive, tag, outcome }
            }
        }
    }
}

impl fmt::Display for Input<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("reset"),
            Self::Read { region, offset, size } => {
                write!(f, "read region {region} offset {offset:#x} size {size}")
            }
            Self::Write { region, offset, size, value } => {
                write!(f, "write region {region} offset {offset:#x} size {size} value {value:#x}")
            }
            Self::Line { line, level } => write!(f, "line {line} {}", level_name(*level)),
            Self::Timer { timer, deadline } => write!(f, "timer {timer} due at {deadline} ns"),
            Self::I2cStart { read } => {
                write!(f, "i2c start to {}", if *read { "read" } else { "write" })
            }
            Self::I2cSend { byte } => write!(f, "i2c send {byte:#x}"),
            Self::I2cReceive => f.write_str("i2c receive"),
            Self::I2cNack => f.write_str("i2c nack"),
            Self::I2cStop => f.write_str("i2c stop"),
            Self::DmaTake { length } => write!(f, "dma take {length} bytes"),
            Self::DmaGive { data } => write!(f, "dma give {} bytes", data.len()),
            Self::DmaEnd => f.write_str("dma terminal count"),
            Self::Acknowledge => f.write_str("interrupt acknowledged"),
            Self::Ended { vector } => write!(f, "interrupt {vector:#x} ended"),
            Self::Key { code, down } => {
                write!(f, "key {code} {}", if *down { "pressed" } else { "released" })
            }
            Self::MouseMoved { x, y } => write!(f, "mouse moved by {x}, {y}"),
            Self::MouseButton { button, down } => {
                let what = if *down { "pressed" } else { "released" };
                write!(f, "mouse button {button:?} {what}")
            }
            Self::StreamRoom { stream } => write!(f, "stream {stream} room"),
            Self::StreamReceive { stream, byte } => write!(f, "stream {stream} byte {byte:#x}"),
            Self::ButtonPressed => f.write_str("power button"),
            Self::Woken { reason } => write!(f, "woken: {reason:?}"),
            Self::Medium { drive, medium: None } => write!(f, "drive {drive} empty"),
            Self::Medium { drive, medium: Some(medium) } => {
                write!(f, "drive {drive} medium of {} bytes", medium.size)
            }
            Self::Completed { drive, tag, outcome } => {
                let what = if outcome.is_ok() { "done" } else { "failed" };
                write!(f, "drive {drive} request {tag} {what}")
            }
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("-"),
            Self::Number(number) => write!(f, "{number:#x}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Bytes(bytes) => write!(f, "{} bytes: {bytes:02x?}", bytes.len()),
            Self::Vector(Some(vector)) => write!(f, "vector {vector:#x}"),
            Self::Vector(None) => f.write_str("no vector"),
        }
    }
}

const fn level_name(level: bool) -> &'static str {
    if level { "high" } else { "low" }
}

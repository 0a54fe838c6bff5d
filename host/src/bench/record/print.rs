//! Actions and what came of them, as text.

use std::fmt::Write as _;

use storage::{Piece, Request};

use super::told;
use super::words::{
    BUTTONS, DIRECTIONS, FAILURES, KEYS, Kind, LEVELS, MODES, REASONS, REQUESTS, SCOPES, SWITCHES,
    TRAYS, hex, quoted, some, word,
};
use crate::bench::action::Action;
use crate::bench::outcome::{Answer, Event, Outcome, Saved};
use crate::bench::rig::Cycle;
use crate::component::{Asked, Description, Effect, Medium, Section};

/// An action as one line.
#[must_use]
pub fn action(action: &Action, of: &Description) -> String {
    match *action {
        Action::Reset => "reset".into(),
        Action::Read { region, offset, size } => {
            format!("read {} {offset:#x} {size}", Kind::Region.word(of, region))
        }
        Action::Write { region, offset, size, value } => {
            format!("write {} {offset:#x} {size} {value:#x}", Kind::Region.word(of, region))
        }
        Action::Line { line, level } => {
            format!("line {} {}", Kind::Line.word(of, line), word(LEVELS, &level))
        }
        Action::Advance { time } => format!("advance {time}"),
        Action::Pass { time } => format!("pass {time}"),
        Action::Expire { timer, deadline } => {
            format!("expire {} {deadline}", Kind::Timer.word(of, timer))
        }
        Action::Hear { ref told } => format!("hear {}", told::print(told, of)),
        Action::Ram { address, ref data } => format!("ram {address:#x} {}", hex(data)),
        Action::Block { block, offset, ref data } => {
            format!("block {} {offset:#x} {}", Kind::Block.word(of, block), hex(data))
        }
        Action::Medium { drive, medium } => {
            let drive = Kind::Drive.word(of, drive);
            match medium {
                None => format!("eject {drive}"),
                Some(Medium { size, read_only: false }) => format!("insert {drive} {size}"),
                Some(Medium { size, read_only: true }) => {
                    format!("insert {drive} {size} read-only")
                }
            }
        }
        Action::Complete { failure } => match failure {
            None => "complete".into(),
            Some(failure) => format!("complete {}", word(FAILURES, &failure)),
        },
        Action::Settle => "settle".into(),
        Action::Receive { stream, ref data } => {
            format!("receive {} {}", Kind::Stream.word(of, stream), hex(data))
        }
        Action::Button => "button".into(),
        Action::Woken { reason } => format!("woken {}", word(REASONS, &reason)),
        Action::Acknowledge => "acknowledge".into(),
        Action::Ended { vector } => format!("ended {vector:#x}"),
        Action::Key { code, down } => format!("key {code:#x} {}", word(KEYS, &down)),
        Action::Mouse { x, y } => format!("mouse {x} {y}"),
        Action::MouseButton { button, down } => {
            format!("mouse-button {} {}", word(BUTTONS, &button), word(KEYS, &down))
        }
        Action::Picture => "picture".into(),
        Action::Text => "text".into(),
        Action::I2cStart { read } => format!("i2c-start {}", word(DIRECTIONS, &read)),
        Action::I2cSend { byte } => format!("i2c-send {byte:#x}"),
        Action::I2cReceive => "i2c-receive".into(),
        Action::I2cNack => "i2c-nack".into(),
        Action::I2cStop => "i2c-stop".into(),
        Action::DmaTake { length } => format!("dma-take {length}"),
        Action::DmaGive { ref data } => format!("dma-give {}", hex(data)),
        Action::DmaEnd => "dma-end".into(),
        Action::Save { scope } => format!("save {}", word(SCOPES, &scope)),
        Action::Load { scope, ref sections } => {
            let mut text = format!("load {}", word(SCOPES, &scope));
            for Section { name, version, data } in sections {
                let _ = write!(text, " {} {version} {}", quoted(name), hex(data));
            }
            text
        }
        Action::Exchange => "exchange".into(),
    }
}

/// What came of an action, line by line; the last one is the answer.
#[must_use]
pub fn outcome(outcome: &Outcome, of: &Description) -> Vec<String> {
    let events = outcome.events.iter().map(|event| self::event(event, of));
    events.chain([answer(&outcome.answer)]).collect()
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Done => "OK".into(),
        Answer::Value(value) => format!("OK {value:#x}"),
        Answer::Bytes(bytes) => format!("OK {}", some(bytes)),
        Answer::Picture { width, height, pixels } => {
            format!("OK {width}x{height} {}", some(pixels))
        }
        Answer::Text(lines) => {
            lines.iter().fold("OK".into(), |text, line| text + " " + &quoted(line))
        }
        Answer::Refused(reason) => format!("REFUSED {}", one_line(reason)),
        Answer::Failed(fault) => format!("FAILED {}", one_line(&fault.to_string())),
    }
}

/// A text that a device has a part in, as one line.
fn one_line(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.into() };
    text.chars().map(escaped).collect()
}

/// Something that happened, as one line.
#[must_use]
pub fn event(event: &Event, of: &Description) -> String {
    match event {
        Event::Effect(effect) => self::effect(effect, of),
        Event::Expired { timer } => format!("expired {}", Kind::Timer.word(of, *timer)),
        Event::Completed { drive, tag } => {
            format!("completed {} {tag:#x}", Kind::Drive.word(of, *drive))
        }
        Event::Cycle(Cycle { bus, kind, target, offset, value }) => {
            let bus = Kind::Bus.word(of, *bus);
            format!("cycle {bus} {kind} {target:#x} {offset:#x} {value:#x}")
        }
        Event::Asked(Asked::Other(question)) => {
            format!("asked {}", told::question(question, of))
        }
        Event::Asked(Asked::Never(question)) => {
            format!("not-asked {}", told::question(question, of))
        }
        Event::Section(Saved { name, version, data }) => {
            format!("section {} {version} {}", quoted(name), hex(data))
        }
    }
}

fn effect(effect: &Effect, of: &Description) -> String {
    match effect {
        Effect::Line { line, level } => {
            format!("line {} {}", Kind::Line.word(of, *line), word(LEVELS, level))
        }
        Effect::Release { line } => format!("release {}", Kind::Line.word(of, *line)),
        Effect::Map { region, base, priority } => {
            format!("map {} {base:#x} {priority}", Kind::Region.word(of, *region))
        }
        Effect::Unmap { region } => format!("unmap {}", Kind::Region.word(of, *region)),
        Effect::Arm { timer, deadline } => {
            format!("arm {} {deadline}", Kind::Timer.word(of, *timer))
        }
        Effect::Disarm { timer } => format!("disarm {}", Kind::Timer.word(of, *timer)),
        Effect::Window { window, mode } => {
            format!("window {} {}", Kind::Window.word(of, *window), word(MODES, mode))
        }
        Effect::Put { stream, byte } => {
            format!("put {} {byte:#x}", Kind::Stream.word(of, *stream))
        }
        Effect::Ready { stream } => format!("ready {}", Kind::Stream.word(of, *stream)),
        Effect::Power(request) => format!("power {}", word(REQUESTS, request)),
        Effect::Exit { status } => format!("exit {status}"),
        Effect::EnableWakeup { reason, enabled } => {
            format!("wakeup {} {}", word(REASONS, reason), word(SWITCHES, enabled))
        }
        Effect::Wake(reason) => format!("wake {}", word(REASONS, reason)),
        Effect::DmaWrite { address, data } => format!("dma {address:#x} {}", some(data)),
        Effect::Message { address, data } => format!("message {address:#x} {data:#x}"),
        Effect::CopyFile { file, offset, address, length } => {
            format!("copy-file {file} {offset:#x} {address:#x} {length}")
        }
        Effect::Drive { drive, tag, request } => {
            format!("drive {} {tag:#x} {}", Kind::Drive.word(of, *drive), self::request(request))
        }
        Effect::Tray { drive, open } => {
            format!("tray {} {}", Kind::Drive.word(of, *drive), word(TRAYS, open))
        }
        Effect::Lock { drive, locked } => {
            format!("lock {} {}", Kind::Drive.word(of, *drive), word(SWITCHES, locked))
        }
        Effect::Faulted { number } => format!("fault {number}"),
    }
}

fn request(request: &Request) -> String {
    let places = |kind: &str, offset: &u64, pieces: &[Piece]| {
        let mut text = format!("{kind} {offset}");
        for Piece { address, length } in pieces {
            let _ = write!(text, " {address:#x}+{length}");
        }
        text
    };
    match request {
        Request::Read { offset, length } => format!("read {offset} {length}"),
        Request::Write { offset, data } => format!("write {offset} {}", some(data)),
        Request::ToMemory { offset, pieces } => places("to-memory", offset, pieces),
        Request::FromMemory { offset, pieces } => places("from-memory", offset, pieces),
        Request::Flush => "flush".into(),
    }
}

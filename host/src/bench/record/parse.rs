//! A record, from text.

use super::words::{
    BUTTONS, DIRECTIONS, FAILURES, KEYS, Kind, LEVELS, REASONS, SCOPES, bytes, number, split, value,
};
use super::{FIRST_LINE, Record, Step};
use crate::bench::action::Action;
use crate::component::{Description, Medium, PropertyValue, Section};
use crate::slot::GivenProperty;

impl Record {
    /// Reads a record of a device. Its names must be the device's.
    ///
    /// # Errors
    /// One line, with the number of the line that is wrong.
    pub fn parse(text: &str, of: &Description) -> Result<Self, String> {
        let mut record = Self::default();
        let mut lines = (1..).zip(text.lines());
        if lines.next().map(|(_, line)| line.trim_end()) != Some(FIRST_LINE) {
            return Err(format!("line 1: {FIRST_LINE:?} expected"));
        }
        for (number, line) in lines {
            record.line(number, line, of).map_err(|reason| format!("line {number}: {reason}"))?;
        }
        Ok(record)
    }

    fn line(&mut self, number: usize, line: &str, of: &Description) -> Result<(), String> {
        if let Some(remark) = line.strip_prefix('#') {
            if self.steps.is_empty() {
                self.remarks.push(remark.trim().into());
            }
            return Ok(());
        }
        if let Some(action) = line.strip_prefix('>') {
            let action = self::action(action, of)?;
            self.steps.push(Step { line: number, action, came: None });
            return Ok(());
        }
        if let Some(came) = line.strip_prefix('<') {
            let step = self.steps.last_mut().ok_or("an action, with >, expected before")?;
            step.came.get_or_insert_default().push(came.trim().into());
            return Ok(());
        }
        self.head(line)
    }

    /// A line before the actions.
    fn head(&mut self, line: &str) -> Result<(), String> {
        let words = split(line)?;
        let Some(((kind, _), rest)) = words.split_first() else { return Ok(()) };
        if !self.steps.is_empty() {
            return Err(format!("{kind:?}: a line with >, < or # expected"));
        }
        match (kind.as_str(), rest) {
            ("device", [_, ..]) => {
                let words: Vec<_> = rest.iter().map(|(word, _)| word.as_str()).collect();
                self.device = Some(words.join(" "));
            }
            ("component", [(hash, _)]) => self.component = Some(hash.clone()),
            ("law", [(law, _)]) => self.law = Some(law.clone()),
            ("property", [(name, _), (word, is_text)]) => {
                let value = match (word.as_str(), is_text) {
                    (text, true) => PropertyValue::Text(text.into()),
                    ("true", false) => PropertyValue::Flag(true),
                    ("false", false) => PropertyValue::Flag(false),
                    (word, false) => PropertyValue::Number(number(word)?),
                };
                self.properties.push(GivenProperty { name: name.clone(), value });
            }
            ("file", [(name, _), (data, _)]) => self.files.push((name.clone(), bytes(data)?)),
            _ => {
                return Err(format!(
                    "{line:?}: device NAME VERSION, component HASH, law NAME, property NAME VALUE, \
                     file NAME HEX, or a line with >, < or # expected"
                ));
            }
        }
        Ok(())
    }
}

/// Reads an action.
///
/// # Errors
/// One line.
pub fn action(text: &str, of: &Description) -> Result<Action, String> {
    let words = split(text)?;
    let words: Vec<_> = words.iter().map(|(word, _)| word.as_str()).collect();
    let Some((kind, rest)) = words.split_first() else { return Err("an action expected".into()) };
    let region = |name| Kind::Region.number(of, name);
    let drive = |name| Kind::Drive.number(of, name);
    Ok(match (*kind, rest) {
        ("reset", []) => Action::Reset,
        ("read", [name, offset, width]) => {
            let (region, offset) = (region(name)?, number(offset)?);
            Action::Read { region, offset, size: size(width)? }
        }
        ("write", [name, offset, width, value]) => {
            let (size, value) = (size(width)?, number(value)?);
            if value & !access::mask(size) != 0 {
                return Err(format!("{value:#x}: no more than {size} bytes expected"));
            }
            Action::Write { region: region(name)?, offset: number(offset)?, size, value }
        }
        ("line", [name, level]) => {
            Action::Line { line: Kind::Line.number(of, name)?, level: value(LEVELS, level)? }
        }
        ("advance", [time]) => Action::Advance { time: number(time)? },
        ("pass", [time]) => Action::Pass { time: number(time)? },
        ("expire", [name, deadline]) => {
            let timer = Kind::Timer.number(of, name)?;
            Action::Expire { timer, deadline: number(deadline)? }
        }
        ("hear", told) => Action::Hear { told: super::told::parse(told, of)? },
        ("ram", [address, data]) => Action::Ram { address: number(address)?, data: bytes(data)? },
        ("block", [name, offset, data]) => Action::Block {
            block: Kind::Block.number(of, name)?,
            offset: number(offset)?,
            data: bytes(data)?,
        },
        ("insert", [name, size]) => {
            let medium = Some(Medium { size: sectors(size)?, read_only: false });
            Action::Medium { drive: drive(name)?, medium }
        }
        ("insert", [name, size, "read-only"]) => {
            let medium = Some(Medium { size: sectors(size)?, read_only: true });
            Action::Medium { drive: drive(name)?, medium }
        }
        ("eject", [name]) => Action::Medium { drive: drive(name)?, medium: None },
        ("complete", []) => Action::Complete { failure: None },
        ("complete", [failure]) => Action::Complete { failure: Some(value(FAILURES, failure)?) },
        ("settle", []) => Action::Settle,
        ("receive", [name, data]) => {
            Action::Receive { stream: Kind::Stream.number(of, name)?, data: bytes(data)? }
        }
        ("button", []) => Action::Button,
        ("woken", [reason]) => Action::Woken { reason: value(REASONS, reason)? },
        ("acknowledge", []) => Action::Acknowledge,
        ("ended", [vector]) => Action::Ended { vector: number(vector)? },
        ("key", [code, down]) => Action::Key { code: number(code)?, down: value(KEYS, down)? },
        ("mouse", [x, y]) => Action::Mouse { x: counts(x)?, y: counts(y)? },
        ("mouse-button", [button, down]) => {
            Action::MouseButton { button: value(BUTTONS, button)?, down: value(KEYS, down)? }
        }
        ("picture", []) => Action::Picture,
        ("text", []) => Action::Text,
        ("i2c-start", [direction]) => Action::I2cStart { read: value(DIRECTIONS, direction)? },
        ("i2c-send", [byte]) => Action::I2cSend { byte: number(byte)? },
        ("i2c-receive", []) => Action::I2cReceive,
        ("i2c-nack", []) => Action::I2cNack,
        ("i2c-stop", []) => Action::I2cStop,
        ("dma-take", [length]) => Action::DmaTake { length: number(length)? },
        ("dma-give", [data]) => Action::DmaGive { data: bytes(data)? },
        ("dma-end", []) => Action::DmaEnd,
        ("save", [scope]) => Action::Save { scope: value(SCOPES, scope)? },
        ("load", [scope, sections @ ..]) if sections.len().is_multiple_of(3) => {
            let section = |words: &[&str]| {
                let (name, data) = (words[0].to_owned(), bytes(words[2])?);
                Ok(Section { name, version: number(words[1])?, data })
            };
            let sections = sections.chunks(3).map(section).collect::<Result<_, String>>()?;
            Action::Load { scope: value(SCOPES, scope)?, sections }
        }
        ("exchange", []) => Action::Exchange,
        _ => return Err(format!("{:?}: {}", text.trim(), expected(kind))),
    })
}

/// How actions are written, by their first word.
const FORMS: &[(&str, &str)] = &[
    ("reset", ""),
    ("read", "REGION OFFSET SIZE"),
    ("write", "REGION OFFSET SIZE VALUE"),
    ("line", "LINE high|low"),
    ("advance", "NANOSECONDS"),
    ("pass", "NANOSECONDS"),
    ("expire", "TIMER NANOSECONDS"),
    ("hear", "memory-load ADDRESS SIZE VALUE"),
    ("ram", "ADDRESS HEX"),
    ("block", "BLOCK OFFSET HEX"),
    ("insert", "DRIVE BYTES [read-only]"),
    ("eject", "DRIVE"),
    ("complete", "[io|no-space]"),
    ("settle", ""),
    ("receive", "STREAM HEX"),
    ("button", ""),
    ("woken", "other|rtc|pm-timer"),
    ("acknowledge", ""),
    ("ended", "VECTOR"),
    ("key", "CODE down|up"),
    ("mouse", "X Y"),
    ("mouse-button", "left|middle|right|wheel-up|wheel-down down|up"),
    ("picture", ""),
    ("text", ""),
    ("i2c-start", "read|write"),
    ("i2c-send", "BYTE"),
    ("i2c-receive", ""),
    ("i2c-nack", ""),
    ("i2c-stop", ""),
    ("dma-take", "BYTES"),
    ("dma-give", "HEX"),
    ("dma-end", ""),
    ("save", "stream|whole"),
    ("load", "stream|whole [SECTION VERSION HEX]..."),
    ("exchange", ""),
];

fn expected(kind: &str) -> String {
    match FORMS.iter().find(|(known, _)| *known == kind) {
        Some((kind, "")) => format!("{kind} alone expected"),
        Some((kind, form)) => format!("{kind} {form} expected"),
        None => format!("one of {} expected", super::words::list(FORMS.iter().map(|form| form.0))),
    }
}

fn size(word: &str) -> Result<u8, String> {
    let size = number(word).ok().filter(|size: &u8| matches!(size, 1 | 2 | 4 | 8));
    size.ok_or_else(|| format!("{word:?}: a width of 1, 2, 4 or 8 bytes expected"))
}

fn sectors(word: &str) -> Result<u64, String> {
    let size = number(word).ok().filter(|size: &u64| size.is_multiple_of(storage::SECTOR));
    size.ok_or_else(|| format!("{word:?}: bytes, a multiple of 512, expected"))
}

fn counts(word: &str) -> Result<i32, String> {
    word.parse().map_err(|_| format!("{word:?}: a number of counts expected"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_an_action() {
        let empty = crate::bench::testing::description();
        let mut seen = 0;
        for (kind, form) in FORMS {
            // Words that suit each place that is not optional, which come last.
            let needed = form.split('[').next().unwrap_or_default();
            let words = needed.split_whitespace();
            let words = words.map(|word| match word {
                "REGION" => "registers",
                "LINE" => "in",
                "TIMER" => "timer",
                "BLOCK" => "vram",
                "DRIVE" => "disk",
                "STREAM" => "data",
                "OFFSET" | "VALUE" | "ADDRESS" | "VECTOR" | "CODE" | "X" | "Y" | "BYTE" => "0",
                "SIZE" => "4",
                "BYTES" => "512",
                "NANOSECONDS" => "1",
                "HEX" => "00",
                other => other.split('|').next().unwrap_or_default(),
            });
            let text = [kind].into_iter().copied().chain(words).collect::<Vec<_>>().join(" ");
            let parsed = action(&text, &empty).unwrap_or_else(|error| panic!("{text}: {error}"));
            let again = super::super::print::action(&parsed, &empty);
            assert_eq!(action(&again, &empty).map(|a| format!("{a:?}")), Ok(format!("{parsed:?}")));
            seen += 1;
        }
        assert_eq!(seen, FORMS.len());
    }
}

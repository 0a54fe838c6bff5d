//! The words of a record: names, numbers, bytes.

use std::fmt::Write as _;

use crate::component::{
    Description, Failure, Mode, MouseButton, Request, Scope, Sha256, WakeupReason,
};

/// Bytes that are written out; of more, their number and a hash are.
const SHOWN: usize = 64;

/// Words that stand for values.
pub(super) type Words<T> = &'static [(&'static str, T)];

pub(super) const SCOPES: Words<Scope> = &[("stream", Scope::Stream), ("whole", Scope::Whole)];
pub(super) const LEVELS: Words<bool> = &[("high", true), ("low", false)];
pub(super) const KEYS: Words<bool> = &[("down", true), ("up", false)];
pub(super) const DIRECTIONS: Words<bool> = &[("read", true), ("write", false)];
pub(super) const SWITCHES: Words<bool> = &[("on", true), ("off", false)];
pub(super) const TRAYS: Words<bool> = &[("open", true), ("closed", false)];
pub(super) const FAILURES: Words<Failure> = &[("io", Failure::Io), ("no-space", Failure::NoSpace)];
pub(super) const REASONS: Words<WakeupReason> = &[
    ("other", WakeupReason::Other),
    ("rtc", WakeupReason::Rtc),
    ("pm-timer", WakeupReason::PmTimer),
];
pub(super) const BUTTONS: Words<MouseButton> = &[
    ("left", MouseButton::Left),
    ("middle", MouseButton::Middle),
    ("right", MouseButton::Right),
    ("wheel-up", MouseButton::WheelUp),
    ("wheel-down", MouseButton::WheelDown),
];
pub(super) const MODES: Words<Mode> =
    &[("bus", Mode::Bus), ("ram-read-only", Mode::RamReadOnly), ("ram", Mode::Ram)];
pub(super) const REQUESTS: Words<Request> = &[
    ("reset", Request::Reset),
    ("shutdown", Request::Shutdown),
    ("suspend", Request::Suspend),
    ("suspend-to-disk", Request::SuspendToDisk),
    ("panicked", Request::Panicked),
];

/// The word for a value.
pub(super) fn word<T: PartialEq>(words: Words<T>, value: &T) -> &'static str {
    words.iter().find(|(_, known)| known == value).map_or("?", |(word, _)| word)
}

/// The value of a word.
pub(super) fn value<T: Copy>(words: Words<T>, word: &str) -> Result<T, String> {
    let found = words.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    found.ok_or_else(|| format!("{word:?}: one of {} expected", list(words.iter().map(|w| w.0))))
}

/// Words for people to choose from.
pub(super) fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// What a kind of number in a description counts.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Region,
    Line,
    Timer,
    Bus,
    Stream,
    Window,
    Block,
    Drive,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Line => "line",
            Self::Timer => "timer",
            Self::Bus => "bus",
            Self::Stream => "stream",
            Self::Window => "window",
            Self::Block => "block",
            Self::Drive => "drive",
        }
    }

    /// The names of all there are, in their order.
    fn names(self, description: &Description) -> Vec<&str> {
        fn all<'d, T>(items: &'d [T], name: impl Fn(&'d T) -> &'d String) -> Vec<&'d str> {
            items.iter().map(|item| name(item).as_str()).collect()
        }
        match self {
            Self::Region => all(&description.regions, |region| &region.name),
            Self::Line => all(&description.lines, |line| &line.name),
            Self::Timer => all(&description.timers, |timer| timer),
            Self::Bus => all(&description.buses, |bus| &bus.name),
            Self::Stream => all(&description.streams, |stream| stream),
            Self::Window => all(&description.windows, |window| &window.name),
            Self::Block => all(&description.memories, |memory| &memory.name),
            Self::Drive => all(&description.drives, |drive| drive),
        }
    }

    /// The name of a number, as a word.
    pub(super) fn word(self, description: &Description, number: u32) -> String {
        let names = self.names(description);
        names.get(number as usize).map_or_else(|| number.to_string(), |name| quoted(name))
    }

    /// The number of a name.
    pub(super) fn number(self, description: &Description, name: &str) -> Result<u32, String> {
        let names = self.names(description);
        let found = names.iter().position(|known| *known == name);
        let kind = self.name();
        let hint = if names.is_empty() { "none".into() } else { list(names.into_iter()) };
        let found = found.ok_or_else(|| format!("no {kind} {name:?}: the device has {hint}"))?;
        Ok(found as u32)
    }
}

/// A text as one word: in quotes, as in JSON, if it needs them.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:#,@[]".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.into();
    }
    serde_json::Value::from(text).to_string()
}

/// The words of a line, without quotes; each with whether it had them.
pub(super) fn split(line: &str) -> Result<Vec<(String, bool)>, String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        if rest.starts_with('"') {
            let mut read = serde_json::Deserializer::from_str(rest).into_iter::<String>();
            let word = read.next().and_then(Result::ok);
            let word = word.ok_or("a text in quotes, as in JSON, expected")?;
            rest = rest[read.byte_offset()..].trim_start();
            words.push((word, true));
        } else {
            let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            words.push((word.into(), false));
            rest = tail.trim_start();
        }
    }
    Ok(words)
}

/// A number: decimal, or hexadecimal with `0x`.
pub(super) fn number<T: TryFrom<u64>>(word: &str) -> Result<T, String> {
    let number = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    let number = number.and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| {
        format!("{word:?}: a number of at most {} bits expected", 8 * size_of::<T>())
    })
}

/// Bytes as one word; `-` for none.
pub(super) fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".into();
    }
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of a word.
pub(super) fn bytes(word: &str) -> Result<Vec<u8>, String> {
    if word == "-" {
        return Ok(Vec::new());
    }
    let bad = || format!("{word:?}: bytes in hexadecimal, or - for none, expected");
    let digits = word.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return Err(bad());
    }
    let byte = |pair: &[u8]| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| !pair.contains('+'))?;
        u8::from_str_radix(pair, 16).ok()
    };
    digits.chunks(2).map(byte).collect::<Option<_>>().ok_or_else(bad)
}

/// Bytes for people: of many, their number and the beginning of their SHA-256.
pub(super) fn some(bytes: &[u8]) -> String {
    if bytes.len() <= SHOWN {
        return hex(bytes);
    }
    format!("{} bytes sha256:{}", bytes.len(), &Sha256::of(bytes).as_str()[..16])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_was_written() {
        let line = r#" a  "b c\n" "" 0x1 "#;
        let words: Vec<_> = split(line).unwrap();
        let plain = |word: &str| (word.to_owned(), false);
        let text = |word: &str| (word.to_owned(), true);
        assert_eq!(words, [plain("a"), text("b c\n"), text(""), plain("0x1")]);
        for name in ["a", "a b", "\"", "é\u{1b}", "", "etc/x.bin"] {
            let words = split(&quoted(name)).unwrap();
            assert_eq!(words.len(), 1, "{name:?}");
            assert_eq!(words[0].0, name);
        }
        assert!(split("\"a").is_err());
    }

    #[test]
    fn numbers_fit_their_type() {
        assert_eq!(number::<u8>("0xff"), Ok(0xff));
        assert_eq!(number::<u64>("18446744073709551615"), Ok(u64::MAX));
        for wrong in ["", "0x", "256", "-1", "x"] {
            assert!(number::<u8>(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn bytes_are_pairs_of_digits() {
        for data in [&[][..], &[0], &[0xff, 0x01]] {
            assert_eq!(bytes(&hex(data)).as_deref(), Ok(data));
        }
        for wrong in ["", "0", "0g", "+1", "é"] {
            // No word at all is none either.
            assert!(wrong.is_empty() || bytes(wrong).is_err(), "{wrong}");
        }
        assert!(some(&[7; 65]).starts_with("65 bytes sha256:"));
    }
}

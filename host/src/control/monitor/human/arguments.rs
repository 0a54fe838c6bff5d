//! From the words after a command to what it takes.

use super::words::{Unterminated, Words};

/// What a command takes. Options come before the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// `-f`.
    Option(char),
    /// A word.
    Word,
    /// A word, or nothing.
    OptionalWord,
    /// A number, or nothing.
    OptionalNumber,
}

/// What a command was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    options: Vec<char>,
    words: Vec<String>,
    pub(super) number: Option<i64>,
}

/// Why arguments are not what a command takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoSuchOption(char),
    NoWord,
    TooMuch,
    NoNumber(char),
    NumberTooLarge,
}

impl Given {
    pub(super) fn has(&self, option: char) -> bool {
        self.options.contains(&option)
    }

    pub(super) fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index).map(String::as_str)
    }
}

impl Problem {
    /// In QEMU's words, for a command of this name.
    pub(super) fn of(&self, name: &str) -> String {
        match self {
            Self::NoSuchOption(letter) => format!("{name}: unsupported option -{letter}"),
            Self::NoWord => format!("{name}: string expected"),
            Self::TooMuch => format!("{name}: extraneous characters at the end of line"),
            Self::NoNumber(wrong) => format!("invalid char '{wrong}' in expression"),
            Self::NumberTooLarge => "number too large".into(),
        }
    }
}

impl From<Unterminated> for Problem {
    fn from(Unterminated: Unterminated) -> Self {
        Self::NoWord
    }
}

/// Reads a command's arguments.
pub(super) fn read(parameters: &[Parameter], mut words: Words<'_>) -> Result<Given, Problem> {
    let mut given = Given::default();
    let has_options = parameters.iter().any(|p| matches!(p, Parameter::Option(_)));
    while has_options && let Some(letter) = words.rest().strip_prefix('-') {
        let letter = letter.chars().next().unwrap_or(' ');
        if !parameters.contains(&Parameter::Option(letter)) {
            return Err(Problem::NoSuchOption(letter));
        }
        given.options.push(letter);
        words.skip(1 + letter.len_utf8());
    }
    for parameter in parameters {
        match parameter {
            Parameter::Option(_) => {}
            Parameter::Word => given.words.push(words.next()?.ok_or(Problem::NoWord)?),
            Parameter::OptionalWord => given.words.extend(words.next()?),
            Parameter::OptionalNumber if words.rest().is_empty() => {}
            Parameter::OptionalNumber => given.number = Some(number(words.plain())?),
        }
    }
    if words.rest().is_empty() { Ok(given) } else { Err(Problem::TooMuch) }
}

/// A number as in C. QEMU takes whole expressions.
fn number(word: &str) -> Result<i64, Problem> {
    let (digits, radix) = match word.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if word.starts_with('0') => (word, 8),
        None => (word, 10),
    };
    let wrong = digits.chars().find(|digit| !digit.is_digit(radix));
    match wrong {
        Some(wrong) => Err(Problem::NoNumber(wrong)),
        None => i64::from_str_radix(digits, radix).map_err(|_| Problem::NumberTooLarge),
    }
}

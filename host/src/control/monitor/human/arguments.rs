//! From the words after a command to what it takes.

use super::words::{Unterminated, Words};

/// What a command takes. Options that follow each other may come in any order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    /// `-f`.
    Option(char),
    /// `-f value`.
    Value(char),
    /// A word.
    Word,
    /// The name of a file.
    File,
    /// The name of a drive.
    Drive,
    /// A word, or nothing.
    OptionalWord,
    /// A number.
    Number,
    /// A number, or nothing.
    OptionalNumber,
}

/// What a command was given.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    options: Vec<char>,
    values: Vec<(char, String)>,
    words: Vec<String>,
    number: Option<i64>,
}

/// Why arguments are not what a command takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    NoSuchOption(char),
    NoWord,
    NoFile,
    NoDrive,
    NoValue(char),
    TooMuch,
    NoExpression,
    NoNumber(char),
    NumberTooLarge,
    NumberTooWide,
}

impl Given {
    pub(super) fn has(&self, option: char) -> bool {
        self.options.contains(&option)
    }

    /// The value of an option.
    pub(super) fn value(&self, option: char) -> Option<&str> {
        let given = self.values.iter().find(|(given, _)| *given == option);
        given.map(|(_, value)| value.as_str())
    }

    pub(super) const fn number(&self) -> Option<i64> {
        self.number
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
            Self::NoFile => format!("{name}: filename expected"),
            Self::NoDrive => format!("{name}: block device name expected"),
            Self::NoValue(letter) => format!("{name}: value expected for -{letter}"),
            Self::NoExpression => "unexpected end of expression".into(),
            Self::NumberTooWide => format!("'{name}' has failed: integer is for 32-bit values"),
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
    let mut rest = parameters;
    while let Some((parameter, after)) = rest.split_first() {
        rest = after;
        match parameter {
            Parameter::Option(_) | Parameter::Value(_) => {
                let is_option =
                    |p: &Parameter| matches!(p, Parameter::Option(_) | Parameter::Value(_));
                let others = rest.iter().take_while(|p| is_option(p)).count();
                let here = &parameters[parameters.len() - rest.len() - 1..][..=others];
                rest = &rest[others..];
                options(here, &mut words, &mut given)?;
            }
            Parameter::Word => given.words.push(words.next()?.ok_or(Problem::NoWord)?),
            Parameter::File => given.words.push(words.next()?.ok_or(Problem::NoFile)?),
            Parameter::Drive => given.words.push(words.next()?.ok_or(Problem::NoDrive)?),
            Parameter::OptionalWord => given.words.extend(words.next()?),
            Parameter::Number if words.rest().is_empty() => return Err(Problem::NoExpression),
            Parameter::OptionalNumber if words.rest().is_empty() => {}
            Parameter::Number | Parameter::OptionalNumber => {
                given.number = Some(number(words.plain())?);
            }
        }
    }
    if words.rest().is_empty() { Ok(given) } else { Err(Problem::TooMuch) }
}

/// Reads the options that may stand at one place.
fn options(
    parameters: &[Parameter],
    words: &mut Words<'_>,
    given: &mut Given,
) -> Result<(), Problem> {
    while let Some(letter) = words.rest().strip_prefix('-') {
        let letter = letter.chars().next().unwrap_or(' ');
        let takes_value = parameters.contains(&Parameter::Value(letter));
        if !takes_value && !parameters.contains(&Parameter::Option(letter)) {
            return Err(Problem::NoSuchOption(letter));
        }
        words.skip(1 + letter.len_utf8());
        if takes_value {
            let value = words.next()?.ok_or(Problem::NoValue(letter))?;
            given.values.push((letter, value));
        } else {
            given.options.push(letter);
        }
    }
    Ok(())
}

/// A number as in C. QEMU takes whole expressions.
fn number(word: &str) -> Result<i64, Problem> {
    let digits = word.trim_start_matches('-');
    let signs = word.len() - digits.len();
    if signs != 0 && !digits.is_empty() {
        return match number(digits)? {
            // No command takes a negative one: its upper bits are set.
            value if value != 0 && !signs.is_multiple_of(2) => Err(Problem::NumberTooWide),
            value => Ok(value),
        };
    }
    let (digits, radix) = match word.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if word.starts_with('0') => (word, 8),
        None => (word, 10),
    };
    let wrong = digits.chars().find(|digit| !digit.is_digit(radix));
    match wrong {
        Some(wrong) => Err(Problem::NoNumber(wrong)),
        None => match i64::from_str_radix(digits, radix).map_err(|_| Problem::NumberTooLarge)? {
            value if value >> 32 != 0 => Err(Problem::NumberTooWide),
            value => Ok(value),
        },
    }
}

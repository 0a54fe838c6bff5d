//! Values in lists of options, as QEMU reads them.

use super::error::Problem;

const SIZE_HINT: &str = "\
Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-
and exabytes, respectively.";

const ID_HINT: &str =
    "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.";

/// Reads `on` or `off`; `yes`, `true` and `y`, and their opposites, are QEMU's
/// too.
pub(super) fn flag(name: &str, text: &str) -> Result<bool, Problem> {
    match text {
        "on" | "yes" | "true" | "y" => Ok(true),
        "off" | "no" | "false" | "n" => Ok(false),
        _ => Err(format!("Parameter '{name}' expects 'on' or 'off'").into()),
    }
}

/// Reads one of several words.
pub(super) fn word<T: Copy>(name: &str, text: &str, words: &[(&str, T)]) -> Result<T, Problem> {
    let found = words.iter().find(|(word, _)| *word == text);
    let found = found.map(|(_, value)| *value);
    found.ok_or_else(|| format!("Parameter '{name}' does not accept value '{text}'").into())
}

/// Whether an option that may also be left to QEMU is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Toggle {
    On,
    Off,
    Auto,
}

pub(super) fn auto(name: &str, text: &str) -> Result<Toggle, Problem> {
    word(name, text, &[("on", Toggle::On), ("off", Toggle::Off), ("auto", Toggle::Auto)])
}

/// Reads an identifier: a letter, then letters, digits, `-`, `.` and `_`.
pub(super) fn identifier(name: &str, text: &str) -> Result<String, Problem> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(inner) {
        return Ok(text.to_owned());
    }
    let text = format!("Parameter '{name}' expects an identifier");
    Err(Problem { text, hint: Some(ID_HINT) })
}

/// Why a number could not be read.
enum Bad {
    Syntax,
    Range,
}

/// Reads digits as `strtoull` does with base 0: `0x` is hexadecimal and a
/// leading 0 octal.
fn digits(text: &str) -> Result<u64, Bad> {
    let (digits, radix) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if text.len() > 1 && text.starts_with('0') => (&text[1..], 8),
        None => (text, 10),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return Err(Bad::Syntax);
    }
    u64::from_str_radix(digits, radix).map_err(|_| Bad::Range)
}

/// Reads a number from 0.
pub(super) fn number(name: &str, text: &str) -> Result<u64, Problem> {
    digits(text).map_err(|bad| match bad {
        Bad::Syntax => format!("Parameter '{name}' expects a number").into(),
        Bad::Range => format!("Value '{text}' is too large for parameter '{name}'").into(),
    })
}

/// Reads an integer with a sign.
pub(super) fn integer(name: &str, text: &str) -> Result<i64, Problem> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let number = digits(rest).ok().and_then(|number| i64::try_from(number).ok());
    let expected = || format!("Parameter '{name}' expects integer").into();
    number.map(|number| sign * number).ok_or_else(expected)
}

/// Reads a size: a number, perhaps with a fraction, perhaps with a suffix.
/// `unit` is what a number without a suffix counts. Returns bytes.
pub(super) fn size(name: &str, text: &str, unit: u64) -> Result<u64, Problem> {
    scaled(text, unit).map_err(|bad| match bad {
        Bad::Syntax => Problem {
            text: format!("Parameter '{name}' expects a non-negative number below 2^64"),
            hint: Some(SIZE_HINT),
        },
        Bad::Range => format!("Value '{text}' is out of range for parameter '{name}'").into(),
    })
}

fn scaled(text: &str, unit: u64) -> Result<u64, Bad> {
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let suffix = text.chars().last().filter(char::is_ascii_alphabetic);
    // `b` and `e` are digits there.
    let suffix = suffix.filter(|suffix| !(hexadecimal && suffix.is_ascii_hexdigit()));
    let unit = match suffix.map(|suffix| suffix.to_ascii_lowercase()) {
        None => unit,
        Some('b') => 1,
        Some(letter) => match "kmgtpe".find(letter) {
            Some(power) => 1 << (10 * (power + 1)),
            None => return Err(Bad::Syntax),
        },
    };
    let number = &text[..text.len() - suffix.map_or(0, char::len_utf8)];
    if hexadecimal {
        return digits(number)?.checked_mul(unit).ok_or(Bad::Range);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return Err(Bad::Syntax);
    }
    let whole: u64 = whole.parse().map_err(|_| Bad::Range)?;
    let part = format!("0.{fraction}0").parse::<f64>().unwrap_or(0.0);
    // Truncated, as QEMU does.
    let part = (part * unit as f64) as u64;
    whole.checked_mul(unit).and_then(|bytes| bytes.checked_add(part)).ok_or(Bad::Range)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn sizes_have_fractions_and_suffixes() {
        for (text, bytes) in [
            ("48", 48 * MIB),
            ("1.5G", 1536 * MIB),
            ("64m", 64 * MIB),
            ("64b", 64),
            ("0x40", 64 * MIB),
            ("0x40M", 64 * MIB),
            ("0", 0),
            ("2T", 2 << 40),
            ("1.", MIB),
        ] {
            assert_eq!(size("size", text, MIB), Ok(bytes), "{text}");
        }
        for text in ["", "foo", "64X", "-5", "+5", "1.5.5", ".5", "1 G", "0x", "1é", "64MB"] {
            let problem = size("size", text, MIB).expect_err(text);
            assert_eq!(problem.text, "Parameter 'size' expects a non-negative number below 2^64");
            assert!(problem.hint.is_some());
        }
        for text in ["99999999999999G", "16E", "99999999999999999999"] {
            let problem = size("size", text, MIB).expect_err(text);
            assert_eq!(
                problem.text,
                format!("Value '{text}' is out of range for parameter 'size'")
            );
        }
    }

    #[test]
    fn numbers_have_c_prefixes() {
        for (text, value) in [("10", 10), ("0x10", 16), ("010", 8), ("0", 0)] {
            assert_eq!(number("index", text), Ok(value), "{text}");
        }
        for text in ["", "foo", "1x", "0x", "09", "-"] {
            let problem = number("index", text).expect_err(text);
            assert_eq!(problem.text, "Parameter 'index' expects a number");
        }
        assert_eq!(integer("n", "-0x10"), Ok(-16));
        assert_eq!(
            integer("smp.cpus", "9999999999999999999").expect_err("too large").text,
            "Parameter 'smp.cpus' expects integer"
        );
    }

    #[test]
    fn flags_are_words() {
        for text in ["on", "yes", "true", "y"] {
            assert_eq!(flag("server", text), Ok(true));
        }
        for text in ["off", "no", "false", "n"] {
            assert_eq!(flag("server", text), Ok(false));
        }
        let problem = flag("server", "maybe").expect_err("no flag");
        assert_eq!(problem.text, "Parameter 'server' expects 'on' or 'off'");
        assert_eq!(
            auto("smm", "yes").expect_err("no word").text,
            "Parameter 'smm' does not accept value 'yes'"
        );
    }

    #[test]
    fn identifiers_begin_with_a_letter() {
        assert_eq!(identifier("id", "a1-._"), Ok("a1-._".into()));
        for text in ["", "1a", "a b", "-a", "é"] {
            assert!(identifier("id", text).is_err(), "{text}");
        }
    }
}

//! What a person does: pictures, keys, the mouse, media.

use super::About;
use super::arguments::Given;
use crate::control::person::block::{self, Change, ReadOnlyMode};
use crate::control::person::{self, Format, Key, Mouse, Problem};

/// What is printed of something that was done, or not.
fn done(result: Result<(), Problem>) -> String {
    result.map_or_else(|problem| format!("Error: {problem}\n"), |()| String::new())
}

fn no_value(word: &str) -> String {
    format!("Error: invalid parameter value: {word}\n")
}

pub(super) fn screendump(about: &About<'_>, given: &Given) -> String {
    let format = match given.value('f') {
        None => Format::default(),
        Some(name) => match Format::named(name) {
            Some(format) => format,
            None => return no_value(name),
        },
    };
    let filename = given.word(0).unwrap_or_default();
    let picture = person::picture(about.guest, given.word(1), given.number(), format);
    done(picture.and_then(|picture| person::save(filename, &picture)))
}

pub(super) fn sendkey(about: &About<'_>, given: &Given) -> String {
    let mut keys = Vec::new();
    for word in given.word(0).unwrap_or_default().split('-') {
        match Key::said(word) {
            Some(key) => keys.push(key),
            None => return format!("invalid parameter: {word}\n"),
        }
    }
    person::press(about.guest, &keys, person::hold(given.number()));
    String::new()
}

pub(super) fn mouse_move(about: &About<'_>, given: &Given) -> String {
    let by = |index| given.word(index).map_or(0, leading_number);
    person::mouse_move(about.guest, by(0), by(1), by(2));
    String::new()
}

pub(super) fn mouse_button(about: &About<'_>, given: &Given) -> String {
    let state = given.number().unwrap_or(0) as u32;
    person::mouse_button(about.guest, state);
    String::new()
}

pub(super) fn mice(about: &About<'_>, _: &Given) -> String {
    match Mouse::of(about.guest) {
        Some(Mouse { index, name, .. }) => format!("* Mouse #{index}: {name}\n"),
        None => "No mouse devices connected\n".into(),
    }
}

/// There is one mouse, which is the chosen one.
pub(super) fn mouse_set(about: &About<'_>, given: &Given) -> String {
    let index = given.number().unwrap_or(0);
    match Mouse::of(about.guest) {
        Some(mouse) if i64::from(mouse.index) == index => String::new(),
        _ => format!("Mouse at index '{index}' not found\n"),
    }
}

/// The number a word starts with, as C's `strtol` reads it; 0 if none.
fn leading_number(word: &str) -> i32 {
    let (negative, rest) = match word.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, word.strip_prefix('+').unwrap_or(word)),
    };
    let (digits, radix) = match rest.strip_prefix("0x").or_else(|| rest.strip_prefix("0X")) {
        Some(digits) => (digits, 16),
        None if rest.starts_with('0') => (rest, 8),
        None => (rest, 10),
    };
    let value =
        digits.chars().map_while(|digit| digit.to_digit(radix)).fold(0_i64, |value, digit| {
            value.saturating_mul(radix.into()).saturating_add(digit.into())
        });
    let value = if negative { -value } else { value };
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

pub(super) fn eject(about: &About<'_>, given: &Given) -> String {
    done(block::eject(about.guest, given.word(0), None, given.has('f')))
}

pub(super) fn change(about: &About<'_>, given: &Given) -> String {
    let mode = match given.word(3) {
        None => ReadOnlyMode::default(),
        Some(name) => match ReadOnlyMode::named(name) {
            Some(mode) => mode,
            None => return no_value(name),
        },
    };
    let change = Change {
        device: given.word(0),
        id: None,
        filename: given.word(1).unwrap_or_default(),
        format: given.word(2),
        force: given.has('f'),
        mode,
    };
    done(block::change(about.guest, &change))
}

pub(super) fn block(about: &About<'_>, given: &Given) -> String {
    let all = block::query(about.guest);
    if given.has('n') {
        return block::nodes_text(&all, given.word(0));
    }
    block::text(&all, given.word(0), given.has('v'))
}

pub(super) fn blockstats(about: &About<'_>, _: &Given) -> String {
    block::statistics_text(&block::statistics(about.guest, false))
}

#[cfg(test)]
mod tests {
    use super::leading_number;

    #[test]
    fn numbers_are_read_as_far_as_they_go() {
        for (word, number) in [
            ("12", 12),
            ("-3", -3),
            ("0x10", 16),
            ("010", 8),
            ("5x", 5),
            ("x", 0),
            ("", 0),
            ("-99999999999999999999", i32::MIN),
        ] {
            assert_eq!(leading_number(word), number, "{word}");
        }
    }
}

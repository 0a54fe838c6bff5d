//! Names: which are well formed, which are alike, in which order people expect
//! them.

use std::cmp::Ordering;

/// Similarity (of 1) from which on a name counts as a likely slip of another.
const ALIKE: f64 = 0.5;
/// How many names a hint lists at most.
const MOST: usize = 5;

/// The hint for a name that is not among `known`: the nearest ones, or all of
/// them if none is near and they are few.
pub(super) fn hint<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_by(|a, b| natural(a, b));
    known.dedup();
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(name, other);
    let mut near: Vec<&str> =
        known.iter().copied().filter(|other| likeness(other) >= ALIKE).collect();
    near.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    near.truncate(MOST);
    if !near.is_empty() {
        Some(format!("nearest: {}", near.join(", ")))
    } else if (1..=MOST).contains(&known.len()) {
        Some(format!("known: {}", known.join(", ")))
    } else {
        None
    }
}

/// Whether `name` is one that QEMU too takes as an id: a letter, then letters,
/// digits, `-` and `_`. Full stops are left out: they separate an id from the
/// name of a property.
pub(super) fn is_id(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// Compares names so that numbers in them count as numbers: `2.4` is before
/// `10.0`.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let (text_a, rest_a) = split(left, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = split(right, |c| !c.is_ascii_digit());
        let (number_a, rest_a) = split(rest_a, |c| c.is_ascii_digit());
        let (number_b, rest_b) = split(rest_b, |c| c.is_ascii_digit());
        let order = text_a.cmp(text_b).then_with(|| magnitude(number_a, number_b));
        if order != Ordering::Equal {
            return order;
        }
        if rest_a.is_empty() || rest_b.is_empty() {
            // Names that differ in leading zeros only must not count as equal.
            return rest_a.cmp(rest_b).then_with(|| a.cmp(b));
        }
        (left, right) = (rest_a, rest_b);
    }
}

fn split(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !belongs(c)).unwrap_or(text.len()))
}

/// Compares two strings of digits by value, whatever their length.
fn magnitude(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

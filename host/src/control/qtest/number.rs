//! Numbers as C reads them: `strtoul` and `strtol` with base 0, of a whole word.

/// An unsigned number. As in C a minus sign is accepted, and means the number's
/// two's complement.
pub(super) fn unsigned(word: &[u8]) -> Option<u64> {
    let (negative, magnitude) = magnitude(word)?;
    Some(if negative { magnitude.wrapping_neg() } else { magnitude })
}

/// A signed number.
pub(super) fn signed(word: &[u8]) -> Option<i64> {
    let (negative, magnitude) = magnitude(word)?;
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { magnitude.try_into().ok() }
}

/// The sign, and the number without it. White space may precede it; nothing may
/// follow.
fn magnitude(word: &[u8]) -> Option<(bool, u64)> {
    let word = &word[word.iter().take_while(|byte| is_space(**byte)).count()..];
    let (negative, digits) = match word {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, word),
    };
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', ..] => (8, digits),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0_u64, |value, &byte| {
        let digit = char::from(byte).to_digit(radix)?;
        value.checked_mul(radix.into())?.checked_add(digit.into())
    })?;
    Some((negative, value))
}

/// `isspace` of the C locale.
const fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_base_is_in_the_number() {
        for (word, value) in [
            ("0", 0),
            ("10", 10),
            ("010", 8),
            ("0x1F", 31),
            ("0Xa", 10),
            ("+7", 7),
            (" \t\x0b7", 7),
        ] {
            assert_eq!(unsigned(word.as_bytes()), Some(value), "{word:?}");
            assert_eq!(signed(word.as_bytes()), Some(value as i64), "{word:?}");
        }
    }

    #[test]
    fn what_c_does_not_read_whole_is_no_number() {
        for word in ["", " ", "-", "+", "0x", "0x-1", "08", "12x", "1 ", "--1", "0b1", "00x1", "x"]
        {
            assert_eq!(unsigned(word.as_bytes()), None, "{word:?}");
            assert_eq!(signed(word.as_bytes()), None, "{word:?}");
        }
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        assert_eq!(unsigned(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(unsigned(b"18446744073709551616"), None);
        assert_eq!(unsigned(b"-1"), Some(u64::MAX));
        assert_eq!(unsigned(b"-18446744073709551615"), Some(1));
        assert_eq!(unsigned(b"-18446744073709551616"), None);
        assert_eq!(signed(b"9223372036854775807"), Some(i64::MAX));
        assert_eq!(signed(b"9223372036854775808"), None);
        assert_eq!(signed(b"-9223372036854775808"), Some(i64::MIN));
        assert_eq!(signed(b"-9223372036854775809"), None);
    }

    proptest! {
        #[test]
        fn any_number_is_read_in_each_base(value: u64) {
            for word in [format!("{value}"), format!("{value:#x}"), format!("0{value:o}")] {
                prop_assert_eq!(unsigned(word.as_bytes()), Some(value));
            }
            let negative = value as i64;
            prop_assert_eq!(signed(negative.to_string().as_bytes()), Some(negative));
        }
    }
}

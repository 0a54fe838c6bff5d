//! What a device says, made fit for a log.

use std::fmt;

/// Characters of a message that are shown.
const MOST: usize = 1024;

/// A device's message as one line of text: a device cannot pass for another
/// source by writing a line's end, nor reach a terminal with control characters.
pub(super) struct Message<'a>(pub(super) &'a str);

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MOST) {
            if character.is_control() {
                write!(f, "{}", character.escape_default())?;
            } else {
                f.write_char(character)?;
            }
        }
        match characters.as_str().len() {
            0 => Ok(()),
            more => write!(f, "... ({more} bytes more)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line() {
        assert_eq!(Message("a value: 0x1f, é").to_string(), "a value: 0x1f, é");
        assert_eq!(Message("a\nERROR b\x1b[2J\t").to_string(), "a\\nERROR b\\u{1b}[2J\\t");
    }

    #[test]
    fn a_long_message_is_cut() {
        let text = Message(&"é".repeat(1030)).to_string();
        assert!(text.ends_with("éé... (12 bytes more)"), "{text}");
        assert_eq!(Message(&"x".repeat(1024)).to_string(), "x".repeat(1024));
    }
}

//! A line that a person edits at a terminal, with QEMU's keys.

/// How long a line can get, in bytes.
const LONGEST: usize = 4095;

/// How many lines are remembered.
const REMEMBERED: usize = 64;

/// The keys of a terminal that are more than one byte (ECMA-48).
#[derive(Clone, Copy, Default)]
enum Sequence {
    #[default]
    None,
    /// After ESC.
    Escape,
    /// After ESC `[`, with the number so far; or after ESC `O`.
    Control(u8),
}

/// A line that is edited.
#[derive(Default)]
pub(super) struct Line {
    text: Vec<u8>,
    cursor: usize,
    /// What the terminal shows, and where the cursor is there.
    shown: (Vec<u8>, usize),
    history: Vec<Vec<u8>>,
    /// The remembered line that was recalled last; the number of them if none was.
    recalled: usize,
    sequence: Sequence,
}

impl Line {
    /// Takes a byte. Returns the line when it is whole. What the terminal must be sent
    /// is added to `echo`.
    pub(super) fn take(&mut self, byte: u8, echo: &mut Vec<u8>) -> Option<String> {
        match std::mem::take(&mut self.sequence) {
            Sequence::None if matches!(byte, b'\r' | b'\n') => {
                echo.extend_from_slice(b"\r\n");
                return Some(self.finish());
            }
            Sequence::None => self.key(byte),
            Sequence::Escape if matches!(byte, b'[' | b'O') => {
                self.sequence = Sequence::Control(0);
            }
            Sequence::Escape => {}
            Sequence::Control(number) => self.control(byte, number),
        }
        self.redraw(echo);
        None
    }

    /// Forgets what was typed.
    pub(super) fn clear(&mut self) {
        (self.text, self.cursor, self.shown) = Default::default();
        self.sequence = Sequence::None;
        self.recalled = self.history.len();
    }

    fn key(&mut self, byte: u8) {
        match byte {
            0x01 => self.cursor = 0,
            0x02 => self.cursor = self.cursor.saturating_sub(1),
            0x04 => self.delete(),
            0x05 => self.cursor = self.text.len(),
            0x06 => self.cursor = (self.cursor + 1).min(self.text.len()),
            0x08 | 0x7f if self.cursor > 0 => {
                self.cursor -= 1;
                self.delete();
            }
            0x17 => self.delete_word(),
            0x1b => self.sequence = Sequence::Escape,
            0x20..=0x7e | 0x80.. if self.text.len() < LONGEST => {
                self.text.insert(self.cursor, byte);
                self.cursor += 1;
            }
            _ => {}
        }
    }

    /// The end of a sequence, or one more digit of its number.
    fn control(&mut self, byte: u8, number: u8) {
        match (byte, number) {
            (b'0'..=b'9', _) => {
                let number = number.saturating_mul(10).saturating_add(byte - b'0');
                self.sequence = Sequence::Control(number);
            }
            (b'A', _) => self.recall(false),
            (b'B', _) => self.recall(true),
            (b'C', _) => self.key(0x06),
            (b'D', _) => self.key(0x02),
            (b'H', _) | (b'~', 1) => self.key(0x01),
            (b'F', _) | (b'~', 4) => self.key(0x05),
            (b'~', 3) => self.key(0x04),
            _ => {}
        }
    }

    fn delete(&mut self) {
        if self.cursor < self.text.len() {
            self.text.remove(self.cursor);
        }
    }

    fn delete_word(&mut self) {
        let before = &self.text[..self.cursor];
        let end = before.iter().rposition(|byte| *byte != b' ').map_or(0, |last| last + 1);
        let start = before[..end].iter().rposition(|byte| *byte == b' ').map_or(0, |at| at + 1);
        self.text.drain(start..self.cursor);
        self.cursor = start;
    }

    fn recall(&mut self, later: bool) {
        let wanted = match later {
            true => Some(self.recalled + 1).filter(|at| *at <= self.history.len()),
            false => self.recalled.checked_sub(1),
        };
        let Some(wanted) = wanted else { return };
        self.recalled = wanted;
        self.text = self.history.get(wanted).cloned().unwrap_or_default();
        self.cursor = self.text.len();
    }

    fn finish(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() && self.history.last() != Some(&text) {
            self.history.push(text.clone());
            let too_many = self.history.len().saturating_sub(REMEMBERED);
            self.history.drain(..too_many);
        }
        self.clear();
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Sends what makes the terminal show the line as it is, as QEMU does.
    fn redraw(&mut self, echo: &mut Vec<u8>) {
        let (shown, at) = &self.shown;
        let mut times = |sequence: &[u8], count| echo.extend(sequence.repeat(count));
        if *shown == self.text {
            times(b"\x1b[D", at.saturating_sub(self.cursor));
            times(b"\x1b[C", self.cursor.saturating_sub(*at));
        } else {
            times(b"\x1b[D", *at);
            times(&self.text, 1);
            times(b"\x1b[K", 1);
            times(b"\x1b[D", self.text.len() - self.cursor);
        }
        self.shown = (self.text.clone(), self.cursor);
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    /// The lines that keys lead to, and what the terminal is sent.
    fn typed(keys: &str) -> (Vec<String>, String) {
        let (mut line, mut echo, mut lines) = (Line::default(), Vec::new(), Vec::new());
        for byte in keys.bytes() {
            lines.extend(line.take(byte, &mut echo));
        }
        (lines, String::from_utf8(echo).unwrap())
    }

    #[test]
    fn the_terminal_is_sent_what_qemu_sends() {
        let (lines, echo) = typed("foo\x7f\x7fx\r");
        assert_eq!(lines, ["fx"]);
        let expected = "f[K[Dfo[K[D[Dfoo[K[D[D[Dfo[K[D[Df[K[Dfx[K\r\n";
        assert_eq!(echo.replace('\x1b', ""), expected);
        assert_eq!(typed("h\x01c").1, "h\x1b[K\x1b[Dch\x1b[K\x1b[D");
        let expected = "a\x1b[K\x1b[Dab\x1b[K\x1b[D\x1b[Db\x1b[K\x1b[D";
        assert_eq!(typed("ab\x1b[D\x17").1, expected);
    }

    #[test]
    fn keys_edit_the_line() {
        for (keys, expected) in [
            ("bc\x01a\r", "abc"),
            ("ac\x1b[Db\r", "abc"),
            ("ac\x02b\x05d\r", "abcd"),
            ("xabc\x1b[1~\x1b[3~\r", "abc"),
            ("xabc\x1bOH\x04\x1bOFd\r", "abcd"),
            ("one two  \x17three\r", "one three"),
            ("one\x17\x17two\r", "two"),
            ("\x7f\x04\x1b[C\x1b[D\x1b[9q\x1bxab\x06\r", "ab"),
        ] {
            assert_eq!(typed(keys).0, [expected], "{keys:?}");
        }
        let long = "x".repeat(5000) + "\r";
        assert_eq!(typed(&long).0[0].len(), super::LONGEST);
    }

    #[test]
    fn lines_are_remembered() {
        for (keys, expected) in [
            ("a\rb\r\x1b[A\r", "b"),
            ("a\rb\r\x1b[A\x1b[A\r", "a"),
            ("a\rb\r\x1b[A\x1b[A\x1b[A\x1b[B\r", "b"),
            ("a\rb\r\x1b[A\x1b[B\x1b[Bc\r", "c"),
            ("a\ra\r\r\x1b[A\x1b[A\r", "a"),
        ] {
            assert_eq!(typed(keys).0.last().map(String::as_str), Some(expected), "{keys:?}");
        }
    }
}

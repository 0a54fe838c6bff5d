//! Takes a command line of the human monitor apart, as QEMU does.

/// The words of a line that are still to be read.
#[derive(Clone, Copy)]
pub(super) struct Words<'a>(&'a str);

/// A word has a quote at its start and none at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unterminated;

impl<'a> Words<'a> {
    pub(super) const fn new(line: &'a str) -> Self {
        Self(line)
    }

    /// What is left of the line.
    pub(super) fn rest(&self) -> &'a str {
        self.0.trim_start()
    }

    /// Passes over that many bytes of what is left.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.0 = self.rest().get(bytes..).unwrap_or_default();
    }

    /// The next word, as it is up to the next space; empty at the end.
    pub(super) fn plain(&mut self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.0 = rest;
        word
    }

    /// The next word, which may be in quotes; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<String>, Unterminated> {
        let Some(quoted) = self.rest().strip_prefix('"') else {
            let word = self.plain();
            return Ok((!word.is_empty()).then(|| word.to_owned()));
        };
        let mut word = String::new();
        let mut characters = quoted.char_indices();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &quoted[at + 1..];
                    return Ok(Some(word));
                }
                '\\' => match characters.next().ok_or(Unterminated)?.1 {
                    'n' => word.push('\n'),
                    'r' => word.push('\r'),
                    other => word.push(other),
                },
                other => word.push(other),
            }
        }
        Err(Unterminated)
    }
}

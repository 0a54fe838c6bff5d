//! Bytes to tokens.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Colon,
    Comma,
    /// With its quotes and escapes.
    String,
    Integer,
    Float,
    /// Lower-case letters.
    Word,
    /// What is no token; its last byte is the one that cannot be.
    Stray,
}

/// Where in a token the next byte is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    Space,
    String {
        quote: u8,
        escaped: bool,
    },
    Minus,
    Zero,
    Digits,
    Point,
    FractionDigits,
    Exponent,
    ExponentSign,
    ExponentDigits,
    Word,
    /// After a stray byte: up to what is likely to start something new.
    Recovery,
}

/// What a byte does.
enum Step {
    /// It belongs to the token, which goes on.
    Next(State),
    /// It ends the token and belongs to it.
    Last(Kind),
    /// It belongs to the next token: this one, if it is one, has ended.
    Before(Option<Kind>),
    /// Nothing starts here.
    Passed(State),
}

/// Finds tokens in a stream.
pub(super) struct Lexer {
    state: State,
}

impl Lexer {
    pub(super) const fn new() -> Self {
        Self { state: State::Start }
    }

    /// Takes the next byte, unless it belongs to the next token, and appends it to
    /// the `text` of the token. Returns whether it was taken, and the token if it
    /// has ended.
    pub(super) fn step(&mut self, byte: u8, text: &mut Vec<u8>) -> (bool, Option<Kind>) {
        match step(self.state, byte) {
            Step::Next(state) => {
                text.push(byte);
                self.state = state;
                (true, None)
            }
            Step::Last(kind) => {
                text.push(byte);
                self.state = if kind == Kind::Stray { State::Recovery } else { State::Start };
                (true, Some(kind))
            }
            Step::Before(kind) => {
                self.state = State::Start;
                (false, kind)
            }
            Step::Passed(state) => {
                self.state = state;
                (true, None)
            }
        }
    }

    /// Begins a new token with the next byte.
    pub(super) fn restart(&mut self) {
        self.state = State::Start;
    }
}

fn step(state: State, byte: u8) -> Step {
    use State::*;
    match (state, byte) {
        (Start, _) => start(byte),
        (Space, b' ' | b'\t' | b'\r' | b'\n') => Step::Passed(Space),
        (Space, _) => Step::Before(None),

        (String { quote, escaped: true }, 0x20..=0xfd) => {
            Step::Next(String { quote, escaped: false })
        }
        (String { quote, .. }, b'\\') => Step::Next(String { quote, escaped: true }),
        (String { quote, .. }, _) if byte == quote => Step::Last(Kind::String),
        (String { quote, escaped }, 0x20..=0xfd) => Step::Next(String { quote, escaped }),

        (Minus, b'0') => Step::Next(Zero),
        (Minus, b'1'..=b'9') => Step::Next(Digits),
        (Zero, b'0'..=b'9') => Step::Last(Kind::Stray),
        (Digits, b'0'..=b'9') => Step::Next(Digits),
        (Zero | Digits, b'.') => Step::Next(Point),
        (Point | FractionDigits, b'0'..=b'9') => Step::Next(FractionDigits),
        (Digits | FractionDigits, b'e' | b'E') => Step::Next(Exponent),
        (Exponent, b'+' | b'-') => Step::Next(ExponentSign),
        (Exponent | ExponentSign | ExponentDigits, b'0'..=b'9') => Step::Next(ExponentDigits),
        (Word, b'a'..=b'z') => Step::Next(Word),

        // Any other byte ends what may end here.
        (Zero | Digits, _) => Step::Before(Some(Kind::Integer)),
        (FractionDigits | ExponentDigits, _) => Step::Before(Some(Kind::Float)),
        (Word, _) => Step::Before(Some(Kind::Word)),

        (Recovery, b'\r' | b'\n') => Step::Passed(Start),
        (Recovery, b'{' | b'}' | b'[' | b']' | b':' | b',') => Step::Before(None),
        (Recovery, b'\t' | 0x20..=0xfd) => Step::Passed(Recovery),
        (Recovery, _) => Step::Before(None),

        _ => Step::Last(Kind::Stray),
    }
}

fn start(byte: u8) -> Step {
    match byte {
        b'{' => Step::Last(Kind::ObjectStart),
        b'}' => Step::Last(Kind::ObjectEnd),
        b'[' => Step::Last(Kind::ArrayStart),
        b']' => Step::Last(Kind::ArrayEnd),
        b':' => Step::Last(Kind::Colon),
        b',' => Step::Last(Kind::Comma),
        b'"' | b'\'' => Step::Next(State::String { quote: byte, escaped: false }),
        b'-' => Step::Next(State::Minus),
        b'0' => Step::Next(State::Zero),
        b'1'..=b'9' => Step::Next(State::Digits),
        b'a'..=b'z' => Step::Next(State::Word),
        b' ' | b'\t' | b'\r' | b'\n' => Step::Passed(State::Space),
        _ => Step::Last(Kind::Stray),
    }
}

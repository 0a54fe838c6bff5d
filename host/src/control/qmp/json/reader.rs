//! A stream of bytes to values, one after the other.

use serde_json::Value;

use super::lexer::{Kind, Lexer};
use super::parser::{Token, parse};
use super::string;
use crate::control::qmp::Error;

/// QEMU's limits: the tokens of a value, in bytes and in number, and how deep
/// arrays and objects lie in one another.
const MOST_BYTES: usize = 64 << 20;
const MOST_TOKENS: usize = 2 << 20;
const DEEPEST: i32 = 1024;

/// A stray token is quoted up to here, in bytes: QEMU's messages have 1,024.
const QUOTED: usize = 1000;

/// What is kept for the next value, in bytes.
const KEPT: usize = 64 << 10;

/// Takes values out of a stream. A value ends with its last bracket, or, if it has
/// none, with the byte after it.
///
/// What is no JSON is an error, and the value it stands in is dropped: the next one
/// begins where the first token comes after a line's end, or with the first
/// structural character.
pub(in super::super) struct Reader {
    lexer: Lexer,
    /// The tokens of the value so far; behind them the one that has begun.
    text: Vec<u8>,
    tokens: Vec<Token>,
    objects: i32,
    arrays: i32,
}

impl Reader {
    pub(in super::super) const fn new() -> Self {
        Self { lexer: Lexer::new(), text: Vec::new(), tokens: Vec::new(), objects: 0, arrays: 0 }
    }

    /// The next value of `input`, of which it takes what it has read. None if the
    /// value does not end there.
    pub(in super::super) fn next(&mut self, input: &mut &[u8]) -> Option<Result<Value, Error>> {
        while let Some((&byte, rest)) = input.split_first() {
            let (taken, token) = self.lexer.step(byte, &mut self.text);
            if taken {
                *input = rest;
            }
            let value = match token {
                Some(kind) => self.token(kind),
                None if self.text.len() > MOST_BYTES => {
                    self.lexer.restart();
                    Some(Err(too_large()))
                }
                None => None,
            };
            if let Some(value) = value {
                self.forget();
                return Some(value);
            }
        }
        None
    }

    /// Adds the token that has ended. If it ends the value, that.
    fn token(&mut self, kind: Kind) -> Option<Result<Value, Error>> {
        match kind {
            Kind::ObjectStart => self.objects += 1,
            Kind::ObjectEnd => self.objects -= 1,
            Kind::ArrayStart => self.arrays += 1,
            Kind::ArrayEnd => self.arrays -= 1,
            Kind::Stray => return Some(Err(self.stray())),
            _ => {}
        }
        if self.text.len() > MOST_BYTES {
            return Some(Err(too_large()));
        }
        if self.tokens.len() >= MOST_TOKENS {
            return Some(Err(Error::generic("JSON token count limit exceeded")));
        }
        if self.objects + self.arrays > DEEPEST {
            return Some(Err(Error::generic("JSON nesting depth limit exceeded")));
        }
        self.tokens.push(Token { kind, end: self.text.len() });
        let open = self.objects >= 0 && self.arrays >= 0 && self.objects + self.arrays > 0;
        (!open).then(|| parse(&self.tokens, &self.text))
    }

    /// The error of a stray token: up to a NUL, as in QEMU.
    fn stray(&self) -> Error {
        let start = self.tokens.last().map_or(0, |token| token.end);
        let text = &self.text[start..];
        let end = text.iter().take(QUOTED).position(|&byte| byte == 0);
        let text = string::quote(&text[..end.unwrap_or(text.len().min(QUOTED))]);
        Error::parse(format_args!("stray '{text}'"))
    }

    fn forget(&mut self) {
        self.text.clear();
        self.text.shrink_to(KEPT);
        self.tokens.clear();
        self.tokens.shrink_to(KEPT / size_of::<Token>());
        (self.objects, self.arrays) = (0, 0);
    }
}

fn too_large() -> Error {
    Error::generic("JSON token size limit exceeded")
}

//! The tokens of a value to the value.

use serde_json::{Map, Number, Value};

use super::lexer::Kind;
use super::string;
use crate::control::qmp::Error;

/// A token: its kind, and where it ends in the text of all.
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) end: usize,
}

/// The value that the first of these tokens begin. The words of errors are QEMU's.
pub(super) fn parse(tokens: &[Token], text: &[u8]) -> Result<Value, Error> {
    Parser { tokens, text, start: 0 }.value()
}

struct Parser<'a> {
    tokens: &'a [Token],
    text: &'a [u8],
    /// Where the first of the tokens starts.
    start: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<Kind> {
        self.tokens.first().map(|token| token.kind)
    }

    /// The next token and its text.
    fn take(&mut self) -> Result<(Kind, &'a [u8]), Error> {
        let (token, rest) = self.tokens.split_first().ok_or_else(premature_end)?;
        let text = &self.text[self.start..token.end];
        (self.tokens, self.start) = (rest, token.end);
        Ok((token.kind, text))
    }

    fn value(&mut self) -> Result<Value, Error> {
        let (kind, text) = self.take()?;
        match kind {
            Kind::ObjectStart => self.object(),
            Kind::ArrayStart => self.array(),
            Kind::String => string::unescape(text).map(Value::String),
            Kind::Integer | Kind::Float => number(kind, &String::from_utf8_lossy(text)),
            Kind::Word => word(text),
            _ => Err(Error::parse("expecting value")),
        }
    }

    fn object(&mut self) -> Result<Value, Error> {
        let mut members = Map::new();
        if self.peek() == Some(Kind::ObjectEnd) {
            self.take()?;
            return Ok(Value::Object(members));
        }
        loop {
            self.member(&mut members)?;
            match self.take()?.0 {
                Kind::ObjectEnd => return Ok(Value::Object(members)),
                Kind::Comma => {}
                _ => return Err(Error::parse("expected separator in dict")),
            }
        }
    }

    fn member(&mut self, members: &mut Map<String, Value>) -> Result<(), Error> {
        let Value::String(key) = self.value()? else {
            return Err(Error::parse("key is not a string in object"));
        };
        if self.take()?.0 != Kind::Colon {
            return Err(Error::parse("missing : in object pair"));
        }
        let value = self.value()?;
        match members.insert(key, value) {
            Some(_) => Err(Error::parse("duplicate key")),
            None => Ok(()),
        }
    }

    fn array(&mut self) -> Result<Value, Error> {
        let mut elements = Vec::new();
        if self.peek() == Some(Kind::ArrayEnd) {
            self.take()?;
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value()?);
            match self.take()?.0 {
                Kind::ArrayEnd => return Ok(Value::Array(elements)),
                Kind::Comma => {}
                _ => return Err(Error::parse("expected separator in list")),
            }
        }
    }
}

fn premature_end() -> Error {
    Error::parse("premature EOI")
}

/// An integer if it is one of 64 bits, signed or not; else the nearest number of
/// double precision. Where that is infinite QEMU goes on with what no JSON can say;
/// here it is refused.
fn number(kind: Kind, text: &str) -> Result<Value, Error> {
    if kind == Kind::Integer {
        if let Ok(value) = text.parse::<i64>() {
            return Ok(value.into());
        }
        if let Ok(value) = text.parse::<u64>() {
            return Ok(value.into());
        }
    }
    let value = text.parse().ok().and_then(Number::from_f64);
    value.map(Value::Number).ok_or_else(|| Error::parse("number is too large"))
}

fn word(text: &[u8]) -> Result<Value, Error> {
    match text {
        b"true" => Ok(Value::Bool(true)),
        b"false" => Ok(Value::Bool(false)),
        b"null" => Ok(Value::Null),
        _ => {
            // QEMU's messages end somewhere, too.
            let text = String::from_utf8_lossy(&text[..text.len().min(1000)]);
            Err(Error::parse(format_args!("invalid keyword '{text}'")))
        }
    }
}

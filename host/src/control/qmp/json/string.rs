//! What a string says.

use crate::control::qmp::Error;

/// What a string with quotes and escapes stands for. It is in modified UTF-8,
/// where a NUL is two bytes; surrogates stand in pairs; and there are no
/// noncharacters (Unicode 15, section 23.7).
pub(super) fn unescape(token: &[u8]) -> Result<String, Error> {
    // The lexer has seen the quotes.
    let mut rest = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    let mut text = String::with_capacity(rest.len());
    while let Some(position) = rest.iter().position(|&byte| byte == b'\\') {
        plain(&rest[..position], &mut text)?;
        rest = escape(&rest[position + 1..], token, &mut text)?;
    }
    plain(rest, &mut text)?;
    Ok(text)
}

/// Bytes as they are quoted in a message: with a replacement character for what no
/// string may have.
pub(super) fn quote(bytes: &[u8]) -> String {
    let mut text = String::new();
    let mut rest = bytes;
    loop {
        let nul = rest.windows(2).position(|pair| pair == NUL);
        let part = String::from_utf8_lossy(&rest[..nul.unwrap_or(rest.len())]);
        text.extend(part.chars().map(|character| match is_noncharacter(character) {
            true => char::REPLACEMENT_CHARACTER,
            false => character,
        }));
        let Some(nul) = nul else { return text };
        text.push('\0');
        rest = &rest[nul + NUL.len()..];
    }
}

/// A NUL in modified UTF-8.
const NUL: [u8; 2] = [0xc0, 0x80];

fn plain(bytes: &[u8], text: &mut String) -> Result<(), Error> {
    let invalid = |_| Error::parse("invalid UTF-8 sequence in string");
    let mut rest = bytes;
    loop {
        let nul = rest.windows(2).position(|pair| pair == NUL);
        let part = std::str::from_utf8(&rest[..nul.unwrap_or(rest.len())]).map_err(invalid)?;
        if part.chars().any(is_noncharacter) {
            return Err(Error::parse("invalid UTF-8 sequence in string"));
        }
        text.push_str(part);
        let Some(nul) = nul else { return Ok(()) };
        text.push('\0');
        rest = &rest[nul + NUL.len()..];
    }
}

/// Takes an escape, from behind its backslash, and returns what follows it.
fn escape<'a>(rest: &'a [u8], token: &[u8], text: &mut String) -> Result<&'a [u8], Error> {
    let (&byte, rest) = rest.split_first().ok_or_else(unknown_escape)?;
    text.push(match byte {
        b'"' | b'\'' | b'\\' | b'/' => byte.into(),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let (character, length) = unicode(rest, token)?;
            text.push(character);
            return Ok(&rest[length..]);
        }
        _ => return Err(unknown_escape()),
    });
    Ok(rest)
}

fn unknown_escape() -> Error {
    Error::parse("invalid escape sequence in string")
}

/// The character of a `\u`, and how many bytes behind that say it.
fn unicode(rest: &[u8], token: &[u8]) -> Result<(char, usize), Error> {
    let end = token.get(..1).unwrap_or_default();
    let invalid = |length: usize| {
        // As in QEMU the quotation mark at the end may be among them.
        let said = [&rest[..length.min(rest.len())], end].concat();
        let said = quote(&said[..length.min(said.len())]);
        Error::parse(format_args!("\\u{said} is not a valid Unicode character"))
    };
    let first = hex(rest).ok_or_else(|| invalid(4))?;
    let second = rest.get(4..).and_then(|rest| rest.strip_prefix(b"\\u")).and_then(hex);
    let (code, length) = match (first, second) {
        (0xd800..=0xdbff, Some(second @ 0xdc00..=0xdfff)) => {
            (0x1_0000 + ((first & 0x3ff) << 10 | second & 0x3ff), 10)
        }
        _ => (first, 4),
    };
    let character = char::from_u32(code).filter(|&character| !is_noncharacter(character));
    character.map(|character| (character, length)).ok_or_else(|| invalid(length))
}

/// The number that four digits say.
fn hex(bytes: &[u8]) -> Option<u32> {
    let digits = bytes.get(..4)?;
    digits.iter().try_fold(0, |number, &digit| {
        char::from(digit).to_digit(16).map(|digit| number << 4 | digit)
    })
}

fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    matches!(code, 0xfdd0..=0xfdef) || code & 0xfffe == 0xfffe
}

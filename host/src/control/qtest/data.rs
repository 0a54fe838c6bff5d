//! Bytes as text: hexadecimal and Base64 (RFC 4648, section 4), read as leniently
//! as QEMU reads them.

/// Bytes in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// Two characters, which QEMU takes for `0x` whatever they are, and two hex
    /// digits for each byte.
    Hex(&'a [u8]),
    /// Base64.
    Base64(&'a [u8]),
}

/// How bytes are said in a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Hex,
    Base64,
}

impl Text<'_> {
    /// At most the first `length` bytes.
    ///
    /// Hexadecimal data that is too short continues with zeros. Base64 data does
    /// not: QEMU's documentation says that the shorter length holds. (QEMU 7.2
    /// itself then writes what it finds behind the data.)
    pub(super) fn decode(self, length: usize) -> Vec<u8> {
        match self {
            Self::Hex(text) => {
                let digits = text.get(2..).unwrap_or_default();
                let mut bytes: Vec<u8> =
                    digits.chunks_exact(2).take(length).map(hex_byte).collect();
                bytes.resize(length, 0);
                bytes
            }
            Self::Base64(text) => {
                let mut bytes = decode_base64(text);
                bytes.truncate(length);
                bytes
            }
        }
    }
}

/// Two digits. What is no digit counts as -1, as in QEMU.
fn hex_byte(digits: &[u8]) -> u8 {
    let value = |digit: u8| char::from(digit).to_digit(16).map_or(-1, |value| value as i8);
    digits.iter().fold(0, |byte, &digit| byte << 4 | value(digit)) as u8
}

/// Decodes as GLib does, which QEMU uses: characters that are not Base64 are
/// passed over, padding may be anywhere, and an incomplete group of four says
/// nothing.
fn decode_base64(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut group = [0; 4];
    let mut filled = 0;
    for &character in text {
        let Some(value) = base64_value(character) else { continue };
        group[filled] = value;
        filled += 1;
        if filled == 4 {
            filled = 0;
            // Padding in the last two places says how many bytes there are.
            let count = match group {
                [_, _, PADDING, _] => 1,
                [_, _, _, PADDING] => 2,
                _ => 3,
            };
            let bits = group.iter().fold(0, |bits, &value| bits << 6 | u32::from(value & 0x3f));
            bytes.extend_from_slice(&bits.to_be_bytes()[1..][..count]);
        }
    }
    bytes
}

/// The value of `=`: six bits of zeros, and a mark above them.
const PADDING: u8 = 0x40;

fn base64_value(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        b'=' => PADDING,
        _ => return None,
    })
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

impl Form {
    /// Appends bytes to a text.
    pub(super) fn encode(self, bytes: &[u8], text: &mut Vec<u8>) {
        match self {
            Self::Hex => {
                text.extend_from_slice(b"0x");
                let digits = |byte: &u8| [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                text.extend(bytes.iter().flat_map(digits));
            }
            Self::Base64 => {
                for group in bytes.chunks(3) {
                    let bits = (0..3)
                        .fold(0, |bits, at| bits << 8 | usize::from(*group.get(at).unwrap_or(&0)));
                    let mut characters = [18, 12, 6, 0].map(|shift| BASE64[bits >> shift & 0x3f]);
                    characters[group.len() + 1..].fill(b'=');
                    text.extend_from_slice(&characters);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn encoded(form: Form, bytes: &[u8]) -> String {
        let mut text = Vec::new();
        form.encode(bytes, &mut text);
        String::from_utf8(text).unwrap()
    }

    /// What QEMU 7.2 wrote for these requests.
    #[test]
    fn odd_hexadecimal_data_is_read_as_qemu_does() {
        let cases: [(&str, &[u8]); 8] = [
            ("0x0102", &[1, 2, 0, 0]),
            ("01020304", &[2, 3, 4, 0]),
            ("0xAbCdEf12", &[0xab, 0xcd, 0xef, 0x12]),
            ("0x010", &[1, 0, 0, 0]),
            ("0xZZ", &[0xff, 0, 0, 0]),
            ("0x1g2h3", &[0xff, 0xff, 0, 0]),
            ("\t0x01020304", &[0xf0, 0x10, 0x20, 0x30]),
            ("0x010203-4", &[1, 2, 3, 0xf4]),
        ];
        for (text, bytes) in cases {
            assert_eq!(Text::Hex(text.as_bytes()).decode(4), bytes, "{text:?}");
        }
    }

    /// RFC 4648, section 10, and what QEMU 7.2 makes of less.
    #[test]
    fn base64_is_read_leniently() {
        let cases: [(&str, &[u8]); 9] = [
            ("Zg==", b"f"),
            ("Zm8=", b"fo"),
            ("Zm9v", b"foo"),
            ("Zm9vYg==", b"foob"),
            ("Zm9vYmFy", b"foobar"),
            ("A-QI=", &[1, 2]),
            ("!!!!", b""),
            ("AQI", b""),
            ("AQ==BAUG", &[1, 4, 5, 6]),
        ];
        for (text, bytes) in cases {
            assert_eq!(Text::Base64(text.as_bytes()).decode(100), bytes, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(bytes: Vec<u8>) {
            let (hex, base64) = (encoded(Form::Hex, &bytes), encoded(Form::Base64, &bytes));
            prop_assert_eq!(Text::Hex(hex.as_bytes()).decode(bytes.len()), &bytes[..]);
            prop_assert_eq!(Text::Base64(base64.as_bytes()).decode(bytes.len()), &bytes[..]);
        }

        #[test]
        fn no_text_is_too_odd(text: Vec<u8>, length in 0_usize..100) {
            prop_assert_eq!(Text::Hex(&text).decode(length).len(), length);
            prop_assert!(Text::Base64(&text).decode(length).len() <= length);
        }
    }
}

//! The machine's UUID (RFC 4122).

/// Sixteen bytes, in the order in which they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Uuid(pub(crate) [u8; 16]);

impl Uuid {
    /// Parses `00112233-4455-6677-8899-aabbccddeeff`; an empty text is none.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let wrong = || format!("property uuid: {text:?}, expected 32 hexadecimal digits in groups");
        let groups: Vec<&str> = text.split('-').collect();
        let lengths = groups.iter().map(|group| group.len());
        if !lengths.eq([8, 4, 4, 4, 12]) {
            return Err(wrong());
        }
        let mut value = 0_u128;
        for digit in groups.concat().chars() {
            let digit = digit.to_digit(16).ok_or_else(wrong)?;
            value = value << 4 | u128::from(digit);
        }
        Ok(Some(Self(value.to_be_bytes())))
    }

    /// The first three fields little-endian (SMBIOS 2.8, 7.2.1).
    pub(crate) const fn encoded(self) -> [u8; 16] {
        let [a, b, c, d, e, f, g, h, rest @ ..] = self.0;
        let [i, j, k, l, m, n, o, p] = rest;
        [d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p]
    }
}

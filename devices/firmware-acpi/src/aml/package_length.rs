//! The length that precedes variable content (ACPI 20.2.4, `PkgLength`).

/// Appends the length of `content` bytes, which covers its own bytes too.
pub(super) fn append(to: &mut Vec<u8>, content: usize) {
    let length = (1..4).find(|own| content + own < limit(*own)).unwrap_or(4);
    append_raw(to, content + length, length);
}

/// Appends a number of bits in the same encoding, which does not count itself:
/// the width of a field's part (ACPI 20.2.5.2, `NamedField`).
pub(super) fn append_width(to: &mut Vec<u8>, bits: usize) {
    let length = (1..4).find(|own| bits < limit(*own)).unwrap_or(4);
    append_raw(to, bits, length);
}

/// What `length` bytes cannot express: one byte has six bits; of several, the
/// first has four.
const fn limit(length: usize) -> usize {
    if length == 1 { 1 << 6 } else { 1 << (4 + 8 * (length - 1)) }
}

fn append_raw(to: &mut Vec<u8>, value: usize, length: usize) {
    if length == 1 {
        to.push(low(value));
        return;
    }
    to.push(low(length - 1) << 6 | low(value) & 0xf);
    to.extend((0..length - 1).map(|index| low(value >> (4 + 8 * index))));
}

const fn low(value: usize) -> u8 {
    (value & 0xff) as u8
}

#[cfg(test)]
mod tests {
    use super::{append, append_width};

    fn encoded(content: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        append(&mut bytes, content);
        bytes
    }

    #[test]
    fn lengths_take_as_few_bytes_as_they_can() {
        assert_eq!(encoded(0), [1]);
        assert_eq!(encoded(62), [63]);
        assert_eq!(encoded(63), [0x41, 4]);
        assert_eq!(encoded(0xffd), [0x4f, 0xff]);
        assert_eq!(encoded(0xffe), [0x81, 0, 1]);
        assert_eq!(encoded(0xf_fffc), [0x8f, 0xff, 0xff]);
        assert_eq!(encoded(0xf_fffd), [0xc1, 0, 0, 1]);
    }

    #[test]
    fn widths_do_not_count_themselves() {
        let mut bytes = Vec::new();
        append_width(&mut bytes, 63);
        append_width(&mut bytes, 64);
        append_width(&mut bytes, 256);
        assert_eq!(bytes, [63, 0x40, 4, 0x40, 0x10]);
    }
}

//! Constants, strings, buffers and packages (ACPI 20.2.3 and 20.2.5.4).

use super::Term;

const BYTE: u8 = 0x0a;
const WORD: u8 = 0x0b;
const DWORD: u8 = 0x0c;
const QWORD: u8 = 0x0e;
const STRING: u8 = 0x0d;
const BUFFER: u8 = 0x11;
const PACKAGE: u8 = 0x12;
const VARIABLE_PACKAGE: u8 = 0x13;

/// A number, in the shortest form that holds it; zero and one have opcodes.
pub(crate) fn int(value: u64) -> Term {
    let bytes = value.to_le_bytes();
    match value {
        0 | 1 => Term::opcode(bytes[0]),
        2..=0xff => Term::opcode(BYTE).bytes(&bytes[..1]),
        0x100..=0xffff => Term::opcode(WORD).bytes(&bytes[..2]),
        0x1_0000..=0xffff_ffff => Term::opcode(DWORD).bytes(&bytes[..4]),
        _ => Term::opcode(QWORD).bytes(bytes),
    }
}

/// Several numbers: the elements of a package.
pub(crate) fn ints(values: impl IntoIterator<Item = u64>) -> Vec<Term> {
    values.into_iter().map(int).collect()
}

/// A string of ASCII characters, with its zero.
pub(crate) fn string(text: &str) -> Term {
    Term::opcode(STRING).bytes(text).bytes([0])
}

/// A buffer of exactly these bytes.
pub(crate) fn buffer(content: &[u8]) -> Term {
    Term::opcode(BUFFER).sized(int(content.len() as u64).bytes(content))
}

/// A package of `count` elements, of which the first are given. More than 255
/// take the other opcode, whose count is a number.
pub(crate) fn package(count: usize, elements: Vec<Term>) -> Term {
    match u8::try_from(count) {
        Ok(count) => Term::opcode(PACKAGE).sized(Term::empty().bytes([count]).with(elements)),
        Err(_) => Term::opcode(VARIABLE_PACKAGE).sized(int(count as u64).with(elements)),
    }
}

/// A PNP id in compressed form (ACPI 19.6, `EISAID`): three letters of five bits and
/// four hexadecimal digits, big-endian. It stays four bytes, small or not.
pub(crate) fn eisa_id(id: &str) -> Term {
    let letters = id.bytes().take(3).fold(0, |sum, letter| sum << 5 | u32::from(letter & 0x1f));
    let digits = id.chars().skip(3).filter_map(|digit| digit.to_digit(16));
    let product = digits.fold(0, |sum, digit| sum << 4 | digit);
    Term::opcode(DWORD).bytes((letters << 16 | product).to_be_bytes())
}

/// A UUID as a buffer (ACPI 19.6, `ToUUID`): its first three groups
/// little-endian, the other two as they are written.
pub(crate) fn uuid(value: u128) -> Term {
    let mut bytes = value.to_be_bytes();
    bytes[..4].reverse();
    bytes[4..6].reverse();
    bytes[6..8].reverse();
    buffer(&bytes)
}

#[cfg(test)]
mod tests {
    use super::{eisa_id, int, package, uuid};

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        assert_eq!(int(0).into_bytes(), [0]);
        assert_eq!(int(1).into_bytes(), [1]);
        assert_eq!(int(0xff).into_bytes(), [0x0a, 0xff]);
        assert_eq!(int(0x100).into_bytes(), [0x0b, 0, 1]);
        assert_eq!(int(0xffff_ffff).into_bytes(), [0x0c, 0xff, 0xff, 0xff, 0xff]);
        assert_eq!(int(1 << 32).into_bytes(), [0x0e, 0, 0, 0, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn ids_are_compressed() {
        assert_eq!(eisa_id("PNP0A03").into_bytes(), [0x0c, 0x41, 0xd0, 0x0a, 0x03]);
    }

    #[test]
    fn a_uuid_is_mixed_endian() {
        let bytes = uuid(0xe5c9_37d0_3553_4d7a_9117_ea4d_19c3_434d).into_bytes();
        assert_eq!(bytes[..4], [0x11, 0x13, 0x0a, 0x10]);
        assert_eq!(bytes[4..14], [0xd0, 0x37, 0xc9, 0xe5, 0x53, 0x35, 0x7a, 0x4d, 0x91, 0x17]);
    }

    #[test]
    fn a_package_beyond_255_elements_counts_with_a_number() {
        assert_eq!(package(255, vec![]).into_bytes(), [0x12, 2, 255]);
        assert_eq!(package(256, vec![]).into_bytes(), [0x13, 4, 0x0b, 0, 1]);
    }
}

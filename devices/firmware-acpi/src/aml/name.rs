//! Names of objects (ACPI 20.2.2).

use super::Term;

const DUAL: u8 = 0x2e;
const MULTI: u8 = 0x2f;
const SEGMENT: usize = 4;

/// A name as it is written in the language: segments of up to four characters
/// between dots, from the root (`\`) or from a parent (`^`).
pub(crate) type Path<'a> = &'a str;

/// A reference to an object by its name.
pub(crate) fn path(path: Path<'_>) -> Term {
    let relative = path.trim_start_matches(['\\', '^']);
    let prefix = &path[..path.len() - relative.len()];
    let segments: Vec<_> = relative.split('.').filter(|segment| !segment.is_empty()).collect();
    let term = Term::empty().bytes(prefix);
    let term = match segments.len() {
        0 => term.bytes([0]),
        1 => term,
        2 => term.bytes([DUAL]),
        count => term.bytes([MULTI, u8::try_from(count).unwrap_or(u8::MAX)]),
    };
    segments.into_iter().fold(term, |term, name| term.bytes(segment(name)))
}

/// One segment, filled up with underscores.
pub(super) fn segment(name: &str) -> [u8; SEGMENT] {
    let mut segment = [b'_'; SEGMENT];
    segment.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
    segment
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_path_counts_its_segments() {
        assert_eq!(path("\\").into_bytes(), *b"\\\0");
        assert_eq!(path("_SB").into_bytes(), *b"_SB_");
        assert_eq!(path("^S20.PCNT").into_bytes(), *b"^\x2eS20_PCNT");
        assert_eq!(path("\\_SB.PCI0.PRES").into_bytes(), *b"\\\x2f\x03_SB_PCI0PRES");
    }
}

//! The formats of floppy disks, told from the size of the medium.

/// The kinds of drive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 3.5 inches, 1.44 MB.
    Hd144 = 0,
    /// 3.5 inches, 2.88 MB.
    Ed288 = 1,
    /// 5.25 inches, 1.2 MB.
    Hd120 = 2,
}

impl Kind {
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Hd144,
            1 => Self::Ed288,
            2 => Self::Hd120,
            _ => return None,
        })
    }

    const fn is_small(self) -> bool {
        !matches!(self, Self::Hd120)
    }
}

/// Data rates as the data rate select register has them.
const KBPS_500: u8 = 0;
const KBPS_300: u8 = 1;
const KBPS_250: u8 = 2;
const KBPS_1000: u8 = 3;

/// How a disk is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Format {
    pub(crate) kind: Kind,
    pub(crate) sectors: u8,
    pub(crate) tracks: u8,
    pub(crate) sides: u8,
    pub(crate) rate: u8,
}

impl Format {
    fn size(self) -> u64 {
        u64::from(self.sectors) * u64::from(self.tracks) * u64::from(self.sides)
    }
}

/// Layouts of a kind of drive at a rate: sectors, tracks, sides.
type Group = (Kind, u8, &'static [(u8, u8, u8)]);

/// In the order in which they are tried: the first of a kind is what it takes for a
/// medium of no known size.
const GROUPS: [Group; 7] = [
    (
        Kind::Hd144,
        KBPS_500,
        &[
            (18, 80, 2),
            (20, 80, 2),
            (21, 80, 2),
            (21, 82, 2),
            (21, 83, 2),
            (22, 80, 2),
            (23, 80, 2),
            (24, 80, 2),
        ],
    ),
    (Kind::Ed288, KBPS_1000, &[(36, 80, 2), (39, 80, 2), (40, 80, 2), (44, 80, 2), (48, 80, 2)]),
    (
        Kind::Hd144,
        KBPS_250,
        &[(9, 80, 2), (10, 80, 2), (10, 82, 2), (10, 83, 2), (13, 80, 2), (14, 80, 2)],
    ),
    (Kind::Hd120, KBPS_500, &[(15, 80, 2), (18, 80, 2), (18, 82, 2), (18, 83, 2), (20, 80, 2)]),
    (Kind::Hd120, KBPS_250, &[(9, 80, 2), (11, 80, 2)]),
    (Kind::Hd120, KBPS_300, &[(9, 40, 2), (9, 40, 1), (10, 41, 2), (10, 42, 2)]),
    (Kind::Hd120, KBPS_250, &[(8, 40, 2), (8, 40, 1)]),
];

/// The single-sided format of 3.5 inches: the size of a double-sided one of 5.25.
const SINGLE_SIDED: Group = (Kind::Hd144, KBPS_250, &[(9, 80, 1)]);

fn formats() -> impl Iterator<Item = Format> {
    let groups = GROUPS.into_iter().chain([SINGLE_SIDED]);
    groups.flat_map(|(kind, rate, layouts)| {
        let format = move |&(sectors, tracks, sides)| Format { kind, sectors, tracks, sides, rate };
        layouts.iter().map(format)
    })
}

/// The format of a medium of `size` sectors in a drive of `kind`, or, if that is
/// none yet, in one that becomes what the medium is of, else `fallback`.
pub(crate) fn recognize(size: u64, kind: Option<Kind>, fallback: Kind) -> Format {
    let fits = |format: &Format| format.size() == size;
    let alike = |format: &Format| kind.is_some_and(|k| k.is_small() == format.kind.is_small());
    let usual = |format: &Format| format.kind == kind.unwrap_or(fallback);
    // What QEMU takes for a medium of another size than the format's is the first
    // format of the kind that has not that size.
    formats()
        .find(|format| fits(format) && kind.is_none_or(|kind| kind == format.kind))
        .or_else(|| formats().find(|format| fits(format) && alike(format)))
        .or_else(|| formats().find(|format| usual(format) && !fits(format)))
        .unwrap_or(Format { kind: fallback, sectors: 18, tracks: 80, sides: 2, rate: KBPS_500 })
}

//! A drive: its heads, and what is in it.

use southbridge_sdk::wit::Medium;

use crate::media::{Format, Kind, recognize};

pub(crate) const SECTOR: usize = 512;

/// How many sectors and tracks an empty drive has in QEMU.
const EMPTY: u8 = 0xff;

/// What a drive is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// There is none.
    Absent,
    /// What the first medium is of.
    Auto,
    Fixed(Kind),
}

/// How a seek has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    /// On the same track.
    Stayed,
    /// On another track.
    Stepped,
    /// There is no such track or side, or no medium.
    Nowhere,
    /// There is no such sector on a track.
    NoSector,
}

/// A drive, or the place of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drive {
    pub(crate) wanted: Wanted,
    pub(crate) fallback: Kind,
    /// What it is; none until there has been a medium or a reset.
    pub(crate) kind: Option<Kind>,
    /// Whether QEMU has a drive here, be it one of its own making.
    pub(crate) connected: bool,
    pub(crate) medium: Option<Medium>,
    pub(crate) head: u8,
    pub(crate) track: u8,
    pub(crate) sect: u8,
    /// Sectors of a track, which the guest can change.
    pub(crate) last_sect: u8,
    /// Tracks, as QEMU counts: one too many can be reached.
    pub(crate) max_track: u8,
    pub(crate) double_sided: bool,
    pub(crate) media_changed: u8,
    pub(crate) media_rate: u8,
    pub(crate) perpendicular: u8,
}

impl Drive {
    pub(crate) const fn new(wanted: Wanted, fallback: Kind) -> Self {
        let kind = match wanted {
            Wanted::Fixed(kind) => Some(kind),
            Wanted::Absent | Wanted::Auto => None,
        };
        let reach = if matches!(wanted, Wanted::Absent) { 0 } else { EMPTY };
        Self {
            wanted,
            fallback,
            kind,
            connected: !matches!(wanted, Wanted::Absent),
            medium: None,
            head: 0,
            track: 0,
            sect: 0,
            last_sect: reach,
            max_track: reach,
            double_sided: false,
            media_changed: 1,
            media_rate: 0,
            perpendicular: 0,
        }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.wanted != Wanted::Absent
    }

    /// Without a medium at power-on the drive becomes the fallback.
    pub(crate) fn settle_kind(&mut self) {
        if self.is_there() {
            self.kind.get_or_insert(self.fallback);
        }
    }

    /// A medium has come or gone. Of one that has gone the sides and the rate stay.
    pub(crate) fn change(&mut self, medium: Option<Medium>) {
        if !self.is_there() || self.medium.is_none() && medium.is_none() {
            return;
        }
        self.media_changed = 1;
        self.medium = medium;
        if let Some(Medium { size, .. }) = medium {
            let size = size / SECTOR as u64;
            let Format { kind, sectors, tracks, sides, rate } =
                recognize(size, self.kind, self.fallback);
            self.kind.get_or_insert(kind);
            (self.last_sect, self.max_track) = (sectors, tracks);
            (self.double_sided, self.media_rate) = (sides == 2, rate);
        } else {
            (self.last_sect, self.max_track) = (EMPTY, EMPTY);
        }
    }

    /// Whether it cannot be written to.
    pub(crate) fn is_read_only(&self) -> bool {
        self.medium.is_none_or(|medium| medium.read_only)
    }

    /// The number of a sector on the medium. What a guest makes of the registers
    /// may be before its beginning.
    fn number(&self, head: u8, track: u8, sect: u8) -> i64 {
        let sides = if self.double_sided { 2 } else { 1 };
        let track = i64::from(track) * sides + i64::from(head);
        track * i64::from(self.last_sect) + i64::from(sect) - 1
    }

    /// The number of the sector it is at.
    pub(crate) fn sector(&self) -> i64 {
        self.number(self.head, self.track, self.sect)
    }

    /// Where a sector is on the medium, in bytes, if it is there.
    pub(crate) fn offset(&self, sector: i64) -> Option<u64> {
        let start = u64::try_from(sector).ok()?.checked_mul(SECTOR as u64)?;
        let end = start.checked_add(SECTOR as u64)?;
        (end <= self.medium?.size).then_some(start)
    }

    /// Goes to a sector. As in QEMU every transfer may, whatever CONFIGURE says.
    pub(crate) fn seek(&mut self, head: u8, track: u8, sect: u8) -> Seek {
        if track > self.max_track || head != 0 && !self.double_sided {
            return Seek::Nowhere;
        }
        if sect > self.last_sect {
            return Seek::NoSector;
        }
        let mut result = Seek::Stayed;
        if self.number(head, track, sect) != self.sector() {
            self.head = head;
            if self.track != track {
                if self.medium.is_some() {
                    self.media_changed = 0;
                }
                result = Seek::Stepped;
            }
            (self.track, self.sect) = (track, sect);
        }
        if self.medium.is_none() { Seek::Nowhere } else { result }
    }

    pub(crate) fn recalibrate(&mut self) {
        self.seek(0, 0, 1);
    }

    /// Goes to another track with the same head and sector.
    pub(crate) fn step_to(&mut self, track: u8) {
        self.seek(self.head, track, self.sect);
    }
}

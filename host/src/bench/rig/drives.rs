//! Media in the drives of the device, and its requests.

use std::collections::{BTreeMap, VecDeque};

use storage::{Piece, READ_LIMIT, Request, SECTOR};

use crate::component::{Failure, GuestRam, Medium};

/// The drives of a device.
pub(super) struct Drives {
    disks: Vec<Option<Disk>>,
    requests: VecDeque<(u32, u32, Request)>,
}

/// A medium. A sector that was never written holds its own number, over and over.
struct Disk {
    size: u64,
    read_only: bool,
    written: BTreeMap<u64, [u8; SECTOR as usize]>,
}

impl Drives {
    /// So many drives without media.
    pub(super) fn new(count: usize) -> Self {
        let disks = std::iter::repeat_with(|| None).take(count).collect();
        Self { disks, requests: VecDeque::new() }
    }

    /// Puts another medium into a drive.
    pub(super) fn insert(&mut self, drive: u32, medium: Option<Medium>) {
        if let Some(disk) = self.disks.get_mut(drive as usize) {
            *disk = medium.map(|Medium { size, read_only }| Disk {
                size,
                read_only,
                written: BTreeMap::new(),
            });
        }
    }

    /// Takes a request of the device.
    pub(super) fn push(&mut self, drive: u32, tag: u32, request: Request) {
        self.requests.push_back((drive, tag, request));
    }

    /// How many requests have not ended.
    pub(super) fn pending(&self) -> usize {
        self.requests.len()
    }

    /// Ends the oldest request: the drive, the device's mark, and what came of it.
    pub(super) fn end(
        &mut self,
        failure: Option<Failure>,
        ram: &GuestRam,
    ) -> Option<(u32, u32, Result<Vec<u8>, Failure>)> {
        let (drive, tag, request) = self.requests.pop_front()?;
        let disk = self.disks.get_mut(drive as usize).and_then(Option::as_mut);
        let outcome = match (failure, disk) {
            (Some(failure), _) => Err(failure),
            (None, Some(disk)) => disk.carry_out(request, ram).ok_or(Failure::Io),
            (None, None) => Err(Failure::Io),
        };
        Some((drive, tag, outcome))
    }
}

impl Disk {
    /// Carries a request out; none if it fails.
    fn carry_out(&mut self, request: Request, ram: &GuestRam) -> Option<Vec<u8>> {
        match request {
            Request::Read { offset, length } => {
                let whole = length <= READ_LIMIT;
                self.range(offset, length.into()).filter(|()| whole)?;
                Some(self.read(offset, length as usize))
            }
            Request::Write { offset, data } => {
                self.writable(offset, data.len() as u64)?;
                self.write(offset, &data);
                Some(Vec::new())
            }
            Request::ToMemory { offset, pieces } => {
                self.range(offset, length(&pieces))?;
                let mut at = offset;
                for Piece { address, length } in pieces {
                    ram.write(address, &self.read(at, length as usize));
                    at += u64::from(length);
                }
                Some(Vec::new())
            }
            Request::FromMemory { offset, pieces } => {
                self.writable(offset, length(&pieces))?;
                let mut all = Vec::new();
                for Piece { address, length } in pieces {
                    let mut data = vec![0; length as usize];
                    ram.read(address, &mut data);
                    all.append(&mut data);
                }
                self.write(offset, &all);
                Some(Vec::new())
            }
            Request::Flush => Some(Vec::new()),
        }
    }

    /// Whether a request is in whole sectors of the medium.
    fn range(&self, offset: u64, length: u64) -> Option<()> {
        let end = offset.checked_add(length).filter(|end| *end <= self.size)?;
        (offset.is_multiple_of(SECTOR) && end.is_multiple_of(SECTOR)).then_some(())
    }

    fn writable(&self, offset: u64, length: u64) -> Option<()> {
        self.range(offset, length).filter(|()| !self.read_only)
    }

    fn read(&self, offset: u64, length: usize) -> Vec<u8> {
        let mut data = Vec::with_capacity(length);
        let (mut sector, mut skip) = (offset / SECTOR, (offset % SECTOR) as usize);
        while data.len() < length {
            let contents = self.written.get(&sector).copied().unwrap_or_else(|| fresh(sector));
            let part = &contents[skip..];
            data.extend_from_slice(&part[..part.len().min(length - data.len())]);
            (sector, skip) = (sector + 1, 0);
        }
        data
    }

    fn write(&mut self, offset: u64, data: &[u8]) {
        for (sector, part) in (offset / SECTOR..).zip(data.chunks(SECTOR as usize)) {
            if let Ok(contents) = part.try_into() {
                self.written.insert(sector, contents);
            }
        }
    }
}

fn length(pieces: &[Piece]) -> u64 {
    pieces.iter().map(|piece| u64::from(piece.length)).sum()
}

/// What is in a sector that was never written.
fn fresh(sector: u64) -> [u8; SECTOR as usize] {
    let number = sector.to_le_bytes();
    std::array::from_fn(|at| number[at % number.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drive(size: u64, read_only: bool) -> Drives {
        let mut drives = Drives::new(1);
        drives.insert(0, Some(Medium { size, read_only }));
        drives
    }

    fn ask(drives: &mut Drives, request: Request) -> Result<Vec<u8>, Failure> {
        drives.push(0, 7, request);
        let (drive, tag, outcome) = drives.end(None, &GuestRam::default()).expect("a request");
        assert_eq!((drive, tag), (0, 7));
        outcome
    }

    #[test]
    fn what_was_written_is_read() {
        let mut drives = drive(4096, false);
        let fresh = ask(&mut drives, Request::Read { offset: 512, length: 1024 }).unwrap();
        assert_eq!((fresh[0], fresh[8], fresh[512], fresh.len()), (1, 1, 2, 1024));
        ask(&mut drives, Request::Write { offset: 1024, data: vec![9; 512] }).unwrap();
        let read = ask(&mut drives, Request::Read { offset: 512, length: 1024 }).unwrap();
        assert_eq!((&read[..512], &read[512..]), (&fresh[..512], &[9; 512][..]));
    }

    #[test]
    fn a_request_fails_beyond_the_end_and_on_what_is_read_only() {
        let mut drives = drive(1024, true);
        let beyond = Request::Read { offset: 512, length: 1024 };
        assert_eq!(ask(&mut drives, beyond), Err(Failure::Io));
        assert_eq!(ask(&mut drives, Request::Read { offset: 1, length: 512 }), Err(Failure::Io));
        let write = Request::Write { offset: 0, data: vec![0; 512] };
        assert_eq!(ask(&mut drives, write), Err(Failure::Io));
        assert_eq!(ask(&mut drives, Request::Flush), Ok(Vec::new()));
        drives.insert(0, None);
        assert_eq!(ask(&mut drives, Request::Flush), Err(Failure::Io));
        assert!(drives.end(None, &GuestRam::default()).is_none());
    }
}

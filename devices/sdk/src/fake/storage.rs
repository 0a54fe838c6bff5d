//! Media in drives.

use super::{Bench, Bytes};
use crate::wit::{Failure, Medium, Piece};
use crate::{Device, StorageEvents};

/// A request to a drive that has not ended yet.
#[derive(Clone, Debug)]
pub struct DriveRequest {
    /// The drive.
    pub drive: u32,
    /// The device's mark.
    pub tag: u32,
    /// Where on the medium, in bytes; 0 for a flush.
    pub offset: u64,
    /// What is to be done.
    pub transfer: Transfer,
}

/// What a request does.
#[derive(Clone, Debug)]
pub enum Transfer {
    /// `storage.read` of so many bytes.
    Read(u32),
    /// `storage.write`
    Write(Vec<u8>),
    /// `storage.read-to-memory`
    ToMemory(Vec<Piece>),
    /// `storage.write-from-memory`
    FromMemory(Vec<Piece>),
    /// `storage.flush`
    Flush,
}

impl<D: Device + StorageEvents> Bench<D> {
    /// Puts a medium into a drive, or takes it out.
    pub fn insert(&mut self, drive: u32, medium: Option<(Vec<u8>, Medium)>) {
        let description = medium.as_ref().map(|(_, medium)| *medium);
        match medium {
            Some((data, _)) => self.fake.media.insert(drive, Bytes { data }),
            None => self.fake.media.remove(&drive),
        };
        self.call(|device, cx| device.medium_changed(cx, drive, description));
    }

    /// Puts a medium with these contents into a drive.
    pub fn insert_disk(&mut self, drive: u32, data: Vec<u8>) {
        let medium = Medium { size: data.len() as u64, read_only: false };
        self.insert(drive, Some((data, medium)));
    }

    /// Ends the oldest request, with a failure if one is given; returns whether
    /// there was any.
    pub fn end_request(&mut self, failure: Option<Failure>) -> bool {
        if self.fake.requests.is_empty() {
            return false;
        }
        let DriveRequest { drive, tag, offset, transfer } = self.fake.requests.remove(0);
        let outcome = match failure {
            Some(failure) => Err(failure),
            None => self.carry_out(drive, offset, transfer),
        };
        self.call(|device, cx| device.completed(cx, drive, tag, outcome));
        true
    }

    /// Ends all requests, and those they lead to.
    pub fn end_requests(&mut self) {
        while self.end_request(None) {}
    }

    fn carry_out(
        &mut self,
        drive: u32,
        offset: u64,
        transfer: Transfer,
    ) -> Result<Vec<u8>, Failure> {
        let fake = &mut self.fake;
        let medium = fake.media.get_mut(&drive).ok_or(Failure::Io)?;
        let length = match &transfer {
            Transfer::Read(length) => u64::from(*length),
            Transfer::Write(data) => data.len() as u64,
            Transfer::ToMemory(pieces) | Transfer::FromMemory(pieces) => {
                pieces.iter().map(|piece| u64::from(piece.length)).sum()
            }
            Transfer::Flush => 0,
        };
        if offset.checked_add(length).is_none_or(|end| end > medium.data.len() as u64) {
            return Err(Failure::Io);
        }
        match transfer {
            Transfer::Read(length) => return Ok(medium.read(offset, length as usize)),
            Transfer::Write(data) => medium.write(offset, &data),
            Transfer::ToMemory(pieces) => {
                let mut at = offset;
                for Piece { address, length } in pieces {
                    fake.ram.write(address, &medium.read(at, length as usize));
                    at += u64::from(length);
                }
            }
            Transfer::FromMemory(pieces) => {
                let mut at = offset;
                for Piece { address, length } in pieces {
                    medium.write(at, &fake.ram.read(address, length as usize));
                    at += u64::from(length);
                }
            }
            Transfer::Flush => {}
        }
        Ok(Vec::new())
    }
}

//! Requests to drives.

use storage::{Piece, Request};

use super::{Outside, contract};
use crate::component::Effect;

impl Outside {
    fn request(&mut self, drive: u32, tag: u32, request: Request) {
        self.record(Effect::Drive { drive, tag, request });
    }
}

fn pieces(pieces: &[contract::storage::Piece]) -> Vec<Piece> {
    let piece = |piece: &contract::storage::Piece| {
        let contract::storage::Piece { address, length } = *piece;
        Piece { address, length }
    };
    pieces.iter().map(piece).collect()
}

impl contract::storage::Host for Outside {
    fn read(&mut self, drive: u32, tag: u32, offset: u64, length: u32) {
        self.request(drive, tag, Request::Read { offset, length });
    }

    fn write(&mut self, drive: u32, tag: u32, offset: u64, data: Vec<u8>) {
        self.request(drive, tag, Request::Write { offset, data });
    }

    fn read_to_memory(
        &mut self,
        drive: u32,
        tag: u32,
        offset: u64,
        to: Vec<contract::storage::Piece>,
    ) {
        self.request(drive, tag, Request::ToMemory { offset, pieces: pieces(&to) });
    }

    fn write_from_memory(
        &mut self,
        drive: u32,
        tag: u32,
        offset: u64,
        from: Vec<contract::storage::Piece>,
    ) {
        self.request(drive, tag, Request::FromMemory { offset, pieces: pieces(&from) });
    }

    fn flush(&mut self, drive: u32, tag: u32) {
        self.request(drive, tag, Request::Flush);
    }

    fn tray(&mut self, drive: u32, open: bool) {
        self.record(Effect::Tray { drive, open });
    }

    fn lock(&mut self, drive: u32, locked: bool) {
        self.record(Effect::Lock { drive, locked });
    }
}

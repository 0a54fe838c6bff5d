//! A stream read in pieces is what it is read as a whole, and what was read is
//! written back byte for byte, decoded or not. Guest memory that is handed over lies
//! in its blocks.
#![no_main]

use libfuzzer_sys::fuzz_target;
use southbridge_fuzz::Pieces;
use vmstate::ram::{Block, Memory, PAGE_SIZE};
use vmstate::{Configuration, Error, Layouts, Problem, Scanner, Stream};

fuzz_target!(|input: &[u8]| {
    let Some(pieces) = Pieces::new(input) else { return };
    let bytes = pieces.data;
    let whole = Stream::read(bytes, Layouts::builtin());
    let mut live = Vec::new();
    assert_eq!(in_pieces(pieces, &mut live), whole);
    handed_over(pieces, &whole);
    let stream = match whole {
        Ok(stream) => stream,
        Err(error) => {
            assert!(error.offset <= bytes.len() as u64, "{error}");
            return;
        }
    };
    let range = stream.live.range.start as usize..stream.live.range.end as usize;
    assert!(live == bytes[range], "the live part is another one in pieces");
    assert!(stream.write(&live) == bytes, "written back differently");
    let own = stream.devices.layouts().expect("it has been read by them");
    let layouts = own.as_ref().unwrap_or(Layouts::builtin());
    for section in &stream.devices.sections {
        let structure = layouts.decode(section).expect("it has been read by them").structure;
        assert_eq!(structure.encode().as_ref(), Ok(&section.payload), "{}", section.name);
        let _ = structure.to_json();
    }
});

fn in_pieces(pieces: Pieces<'_>, live: &mut Vec<u8>) -> Result<Stream, Error> {
    let mut scanner = Scanner::new();
    for piece in pieces {
        let range = scanner.push(piece)?;
        live.extend_from_slice(&piece[range]);
    }
    scanner.finish(Layouts::builtin())
}

/// Checks what is handed over, and counts it.
#[derive(Default)]
struct Handed {
    blocks: Vec<Block>,
    bytes: u64,
    fills: u64,
}

impl Handed {
    fn check(&self, block: usize, offset: u64, length: usize) {
        assert!(length <= PAGE_SIZE);
        assert!(offset + length as u64 <= self.blocks[block].size, "outside its block");
    }
}

impl Memory for Handed {
    fn blocks(&mut self, _: Option<&Configuration>, blocks: &[Block]) -> Result<(), String> {
        assert!(self.blocks.is_empty() && self.bytes == 0 && self.fills == 0);
        self.blocks = blocks.to_vec();
        Ok(())
    }

    fn bytes(&mut self, block: usize, offset: u64, bytes: &[u8]) -> Result<(), String> {
        self.check(block, offset, bytes.len());
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn fill(&mut self, block: usize, offset: u64, _: u8) -> Result<(), String> {
        self.check(block, offset, PAGE_SIZE);
        self.fills += 1;
        Ok(())
    }
}

fn handed_over(pieces: Pieces<'_>, whole: &Result<Stream, Error>) {
    let (mut scanner, mut handed) = (Scanner::new(), Handed::default());
    for piece in pieces {
        match scanner.push_into(piece, &mut handed) {
            Ok(()) => {}
            // What only a receiver of live migration reads.
            Err(Error { problem: Problem::Encoded(_), .. }) => return,
            Err(_) => {
                assert!(whole.is_err(), "it is refused only if it is handed over");
                return;
            }
        }
        if scanner.has_ended() {
            scanner.finish(Layouts::builtin()).expect("it has ended");
            return;
        }
    }
    if let Ok(stream) = whole {
        assert_eq!(handed.bytes, stream.live.pages * PAGE_SIZE as u64);
        assert_eq!(handed.fills, stream.live.zero_pages);
    }
}

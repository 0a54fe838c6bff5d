//! A stream read in pieces is what it is read as a whole, and what was read is
//! written back byte for byte, decoded or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use southbridge_fuzz::Pieces;
use vmstate::{Error, Layouts, Scanner, Stream};

fuzz_target!(|input: &[u8]| {
    let Some(pieces) = Pieces::new(input) else { return };
    let bytes = pieces.data;
    let whole = Stream::read(bytes, Layouts::builtin());
    let mut live = Vec::new();
    assert_eq!(in_pieces(pieces, &mut live), whole);
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

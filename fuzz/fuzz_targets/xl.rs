//! The device state in a save file is found whatever the pieces, and can be
//! replaced by itself without a trace.
#![no_main]

use libfuzzer_sys::fuzz_target;
use southbridge_fuzz::Pieces;
use vmstate::xl::{Emulator, Scanner};
use vmstate::{Error, Layouts, Stream};

fuzz_target!(|input: &[u8]| {
    let Some(pieces) = Pieces::new(input) else { return };
    let bytes = pieces.data;
    let whole = scan([bytes]);
    assert_eq!(scan(pieces), whole);
    let found = match whole {
        Ok(found) => found,
        Err(error) => {
            assert!(error.offset <= bytes.len() as u64, "{error}");
            return;
        }
    };
    let (start, end) = (found.range.start as usize, found.range.end as usize);
    assert!(bytes[found.state_offset() as usize..].starts_with(&found.state));
    let again = found.write(&found.state).expect("it was short enough to be read");
    assert!(bytes[start..end] == again, "written back differently");
    // Any answer will do.
    let _ = Stream::read(&found.state, Layouts::builtin());
});

fn scan<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Emulator, Error> {
    let mut scanner = Scanner::new();
    pieces.into_iter().try_for_each(|piece| scanner.push(piece))?;
    scanner.finish()
}

//! Any bytes from a QMP client, in pieces: what comes back is JSON, a line each, and
//! after what brings the stream back to its senses a command is executed again.
//!
//! Commands that open files are left out: this process may open any.
#![no_main]

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use southbridge::control::qmp::{Input, Style};
use southbridge_fuzz::Pieces;
use southbridge_fuzz::machine::Driven;

static DRIVEN: Mutex<Option<Driven>> = Mutex::new(None);

/// Ends a string, a word and whatever is open, and asks for something.
const LAST: &[u8] = b"\x01\n]\n{'execute': 'query-status', 'id': 'last'}\n";

/// What a client sends, piece by piece.
struct Sent<'a>(Box<dyn Iterator<Item = &'a [u8]> + 'a>, &'a [u8]);

impl Read for Sent<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.1.is_empty() {
            self.1 = self.0.next().unwrap_or_default();
        }
        self.1.read(buffer)
    }
}

impl Input for Sent<'_> {
    fn take_fds(&mut self) -> Vec<OwnedFd> {
        Vec::new()
    }
}

#[derive(Clone, Default)]
struct Said(Arc<Mutex<Vec<u8>>>);

impl Write for Said {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(pieces) = Pieces::new(input) else { return };
    let has = |word: &[u8]| pieces.data.windows(word.len()).any(|window| window == word);
    if [&b"lename"[..], b"component", b"\\u"].into_iter().any(has) {
        return;
    }
    let mut driven = DRIVEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if !driven.as_ref().is_some_and(Driven::lives) {
        *driven = Some(Driven::new());
    }
    let driven = driven.as_ref().expect("it was just made");
    let said = Said::default();
    let sent = Sent(Box::new(pieces.into_iter().chain([LAST])), &[]);
    driven.qmp.monitor(Style::Line).serve(sent, said.clone()).expect("memory does not fail");
    let said = said.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let said = std::str::from_utf8(&said).expect("JSON is text");
    let values = said.split_terminator("\r\n");
    let last = values
        .map(|line| serde_json::from_str::<Value>(line).expect("each line is JSON"))
        .filter(|value| value.get("event").is_none())
        .last()
        .expect("it is greeted at least");
    // Whoever may send out of band may also leave before the others are executed.
    assert!(last["id"] == "last" || has(b"oob"), "{said}");
});

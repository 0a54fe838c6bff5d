//! Any bytes from a qtest client, in pieces: each line gets one reply, and the machine
//! still answers.
#![no_main]

use std::io::{self, Read};
use std::sync::Mutex;

use libfuzzer_sys::fuzz_target;
use southbridge_fuzz::Pieces;
use southbridge_fuzz::machine::Driven;

static DRIVEN: Mutex<Option<Driven>> = Mutex::new(None);

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

fuzz_target!(|input: &[u8]| {
    let Some(pieces) = Pieces::new(input) else { return };
    let mut driven = DRIVEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let driven = driven.get_or_insert_with(Driven::new);
    assert!(driven.lives(), "no request ends it");
    let mut said = Vec::new();
    let sent = Sent(Box::new(pieces.into_iter().chain([&b"\nendianness\n"[..]])), &[]);
    driven.qtest.serve(sent, &mut said).expect("memory does not fail");
    // As in QEMU an unknown command is quoted as it came.
    let said = String::from_utf8_lossy(&said);
    let replies: Vec<_> = said.lines().filter(|line| !line.starts_with("IRQ ")).collect();
    let lines = pieces.data.iter().filter(|&&byte| byte == b'\n').count() + 2;
    assert_eq!(replies.len(), lines, "{said}");
    assert!(
        replies.iter().all(|line| line.starts_with("OK") || line.starts_with("FAIL")),
        "{said}"
    );
    assert_eq!(replies.last(), Some(&"OK little"));
});

//! `-qtest-log`: the conversation with a test client, as QEMU writes it down.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::anyhow;

use crate::cli::Result;
use crate::cli::qemu::invocation::QtestLog;

/// Where the conversation is written down, with the time since it began.
#[derive(Clone)]
pub(super) struct Log(Arc<Mutex<Inner>>);

struct Inner {
    output: Box<dyn Write + Send>,
    start: Instant,
}

impl Log {
    /// None if nothing is to be written down.
    pub(super) fn open(log: &QtestLog) -> Result<Option<Self>> {
        let output: Box<dyn Write + Send> = match log {
            QtestLog::Nowhere => return Ok(None),
            QtestLog::Stderr => Box::new(io::stderr()),
            QtestLog::File(path) => {
                let file = File::create(path);
                Box::new(file.map_err(|error| {
                    anyhow!("-qtest-log {}: cannot write: {error}", path.display())
                })?)
            }
        };
        Ok(Some(Self(Arc::new(Mutex::new(Inner { output, start: Instant::now() })))))
    }

    /// Notes that a client has come or gone.
    pub(super) fn note(&self, what: &str) {
        self.lock().write('I', what.as_bytes());
    }

    /// A reader or writer whose lines are written down: `mark` is `R` for what is
    /// received, `S` for what is sent.
    pub(super) fn listen<T>(&self, inner: T, mark: char) -> Logged<T> {
        Logged { inner, log: self.clone(), mark, line: Vec::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self, mark: char, line: &[u8]) {
        let time = self.start.elapsed();
        let (seconds, micros) = (time.as_secs(), time.subsec_micros());
        let text = String::from_utf8_lossy(line);
        // The test goes on without its log.
        let _ = writeln!(self.output, "[{mark} +{seconds}.{micros:06}] {text}");
    }
}

/// A direction of a conversation that is written down.
pub(super) struct Logged<T> {
    inner: T,
    log: Log,
    mark: char,
    /// The beginning of a line.
    line: Vec<u8>,
}

/// How much of a line is written down, in bytes.
const LONGEST: usize = 4096;

impl<T> Logged<T> {
    fn hear(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            let text = part.strip_suffix(b"\n");
            let room = LONGEST.saturating_sub(self.line.len());
            let heard = text.unwrap_or(part);
            self.line.extend_from_slice(&heard[..heard.len().min(room)]);
            if text.is_some() {
                self.log.lock().write(self.mark, &self.line);
                self.line.clear();
            }
        }
    }
}

impl<T: Read> Read for Logged<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hear(&buffer[..count]);
        Ok(count)
    }
}

impl<T: Write> Write for Logged<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.hear(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

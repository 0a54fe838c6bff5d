//! A saved state out of a file.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use anyhow::anyhow;
use indicatif::ProgressBar;
use vmstate::{Error, Layouts, Scanner, Section, Stream, xl};

use super::progress;
use crate::cli::Result;

/// Bytes that are read at once.
pub(super) const PIECE: u64 = 1 << 20;

/// A stream, and the file it was found in.
pub(in crate::cli) struct Source {
    /// The file, as messages name it.
    pub(super) file: String,
    /// Where the stream begins in the file.
    pub(super) offset: u64,
    /// Whether the file is one of `xl save`.
    pub(super) is_xl: bool,
    /// The record of a file of `xl save` that holds the stream.
    pub(super) emulator: Option<xl::Emulator>,
    pub(super) stream: Stream,
}

impl Source {
    /// Reads a file piece by piece: of guest memory nothing is kept.
    pub(in crate::cli) fn read(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let mut file = File::open(path).map_err(|error| unreadable(&name, &error))?;
        // What is no regular file has no length to speak of.
        let bar = progress::bar(file.metadata().map_or(0, |metadata| metadata.len()));
        let mut piece = Vec::new();
        read(&mut file, &mut piece, &name)?;
        let is_xl = piece.starts_with(xl::MAGIC);
        let (mut offset, mut record) = (0, None);
        let stream = if is_xl {
            let mut scanner = xl::Scanner::new();
            feed(&mut file, piece, &name, &bar, |piece| scanner.push(piece))?;
            let emulator = scanner.finish().map_err(|error| wrong(&name, 0, error))?;
            offset = emulator.state_offset();
            let stream = Stream::read(&emulator.state, Layouts::builtin());
            record = Some(emulator);
            stream
        } else {
            let mut scanner = Scanner::new();
            feed(&mut file, piece, &name, &bar, |piece| scanner.push(piece).map(drop))?;
            scanner.finish(Layouts::builtin())
        };
        let stream = stream.map_err(|error| wrong(&name, offset, error))?;
        Ok(Self { file: name, offset, is_xl, emulator: record, stream })
    }

    /// The machine the stream says it is of.
    pub(super) fn machine(&self) -> Option<&str> {
        self.stream.configuration.as_ref().map(|configuration| configuration.machine.as_str())
    }

    /// Whether the stream has device sections alone, as `xen-save-devices-state`
    /// writes them.
    pub(super) fn is_bare(&self) -> bool {
        self.stream.configuration.is_none() && self.stream.live.range.is_empty()
    }

    /// Where a section's payload begins in the file.
    pub(super) fn offset_of(&self, section: &Section) -> u64 {
        self.offset + section.offset
    }

    /// An error of the stream, said of the file.
    pub(super) fn wrong(&self, error: Error) -> anyhow::Error {
        wrong(&self.file, self.offset, error)
    }
}

/// Hands a file over from `piece`, which was read from it, to its end.
fn feed(
    file: &mut File,
    mut piece: Vec<u8>,
    name: &str,
    bar: &ProgressBar,
    mut push: impl FnMut(&[u8]) -> std::result::Result<(), Error>,
) -> Result<()> {
    while !piece.is_empty() {
        push(&piece).map_err(|error| wrong(name, 0, error))?;
        bar.inc(piece.len() as u64);
        read(file, &mut piece, name)?;
    }
    Ok(())
}

/// Reads the next piece of a file, which is empty at its end.
fn read(file: &mut File, piece: &mut Vec<u8>, name: &str) -> Result<()> {
    piece.clear();
    let count = file.take(PIECE).read_to_end(piece);
    count.map(drop).map_err(|error| unreadable(name, &error))
}

pub(super) fn unreadable(name: &str, error: &io::Error) -> anyhow::Error {
    anyhow!("{name}: cannot read: {error}")
}

fn wrong(file: &str, base: u64, error: Error) -> anyhow::Error {
    let error = Error { offset: base.saturating_add(error.offset), ..error };
    anyhow!("{file}: {error}")
}

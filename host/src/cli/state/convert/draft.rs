//! The converted file: written beside the place where it is to be, and moved
//! there when it is whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use vmstate::{Framing, Layouts, Reframer, Stream, xl};

use super::super::progress;
use super::super::source::{PIECE, Source, unreadable};
use crate::cli::Result;
use crate::machine::file::MachineType;

/// Writes the file `input`, which was read as `source`, with another state in the
/// place of its own. Returns how many bytes of guest memory come before the
/// devices.
pub(super) fn write(
    input: &Path,
    source: &Source,
    state: &Stream,
    to: &MachineType,
    output: &Path,
) -> Result<u64> {
    let mut file = File::open(input).map_err(|error| unreadable(&source.file, &error))?;
    let metadata = file.metadata().map_err(|error| unreadable(&source.file, &error))?;
    if !metadata.is_file() {
        return Err(anyhow!("{}: not a regular file: it has to be read twice", source.file));
    }
    let mut draft = Draft::beside(output)?;
    // It holds the same guest's memory.
    draft.file.set_permissions(metadata.permissions()).map_err(|error| draft.unwritable(&error))?;
    let live = match &source.emulator {
        Some(emulator) => save_file(&mut file, source, emulator, state, &mut draft)?,
        None => {
            let framing = Framing {
                footers: state.devices.footers,
                switchover_start: to.migration.send_switchover_start,
            };
            stream(&mut file, source, state, framing, &mut draft)?
        }
    };
    draft.keep()?;
    Ok(live)
}

/// Copies a stream, the live part in another frame.
fn stream(
    file: &mut File,
    source: &Source,
    state: &Stream,
    framing: Framing,
    draft: &mut Draft,
) -> Result<u64> {
    draft.write(&state.head())?;
    let mut reframer = Reframer::new(framing);
    let (mut out, mut live) = (Vec::new(), 0);
    pieces(file, &source.file, |piece| {
        reframer.push(piece, &mut out).map_err(|error| source.wrong(error))?;
        draft.write(&out)?;
        live += out.len() as u64;
        out.clear();
        Ok(())
    })?;
    let read = reframer.finish(Layouts::builtin()).map_err(|error| source.wrong(error))?;
    if read != source.stream {
        return Err(changed(source));
    }
    draft.write(&state.devices.write())?;
    Ok(live)
}

/// Copies a file of `xl save`, with another record in the place of the one that
/// holds the devices.
fn save_file(
    file: &mut File,
    source: &Source,
    emulator: &xl::Emulator,
    state: &Stream,
    draft: &mut Draft,
) -> Result<u64> {
    // In the record is no guest memory: Xen saves that itself.
    let range = source.stream.live.range.clone();
    if !range.is_empty() {
        return Err(anyhow!("{}: guest memory inside the record of the devices", source.file));
    }
    let record = emulator.write(&state.write(&[])).map_err(|error| source.wrong(error))?;
    let mut scanner = xl::Scanner::new();
    let mut at = 0;
    pieces(file, &source.file, |piece| {
        scanner.push(piece).map_err(|error| source.wrong(error))?;
        let within = |offset: u64| offset.saturating_sub(at).min(piece.len() as u64) as usize;
        let end = at + piece.len() as u64;
        draft.write(&piece[..within(emulator.range.start)])?;
        if (at..end).contains(&emulator.range.start) {
            draft.write(&record)?;
        }
        draft.write(&piece[within(emulator.range.end)..])?;
        at = end;
        Ok(())
    })?;
    match scanner.finish() {
        Ok(found) if found == *emulator => Ok(0),
        _ => Err(changed(source)),
    }
}

fn changed(source: &Source) -> anyhow::Error {
    anyhow!("{}: the file changed while it was converted", source.file)
}

/// Hands over a file from where it is read to its end.
fn pieces(file: &mut File, name: &str, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let bar = progress::bar(file.metadata().map_or(0, |metadata| metadata.len()));
    let mut piece = Vec::new();
    loop {
        piece.clear();
        let count = file.take(PIECE).read_to_end(&mut piece);
        match count.map_err(|error| unreadable(name, &error))? {
            0 => return Ok(()),
            _ => take(&piece)?,
        }
        bar.inc(piece.len() as u64);
    }
}

/// A file that goes away unless it is kept.
struct Draft {
    file: File,
    path: PathBuf,
    /// Where it is to be.
    place: PathBuf,
    kept: bool,
}

impl Draft {
    fn beside(place: &Path) -> Result<Self> {
        // A link stays one; what it leads to is replaced.
        let place = fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let name = place.display();
        if fs::metadata(&place).is_ok_and(|metadata| !metadata.is_file()) {
            return Err(anyhow!("{name}: not a regular file: it cannot be replaced"));
        }
        let Some(file_name) = place.file_name() else {
            return Err(anyhow!("{name}: the name of a file expected"));
        };
        let mut draft = std::ffi::OsString::from(".");
        draft.push(file_name);
        draft.push(format!(".{}", std::process::id()));
        let path = place.with_file_name(draft);
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| unwritable(&path, &error))?;
        Ok(Self { file, path, place, kept: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| self.unwritable(&error))
    }

    fn keep(mut self) -> Result<()> {
        let moved = self.file.sync_all().and_then(|()| fs::rename(&self.path, &self.place));
        self.kept = moved.is_ok();
        moved.map_err(|error| self.unwritable(&error))
    }

    fn unwritable(&self, error: &io::Error) -> anyhow::Error {
        unwritable(&self.place, error)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // Nobody is left to tell if it stays.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("{}: cannot write: {error}", path.display())
}

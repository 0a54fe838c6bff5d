//! Saving the devices' state to a file.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::protocol::Saved;
use super::{Problem, Subject};

/// Saves the state of all devices, as a whole or not at all: the file appears,
/// or takes the place of another, when it is complete.
pub(super) fn save(subject: &dyn Subject, path: &Path) -> Result<Saved, Problem> {
    let mut saved = None;
    subject.still(&mut |machine| saved = Some(machine.save_stream()));
    let stream = saved.ok_or_else(|| Problem::new("the machine does not stand still"))?;
    let stream = stream.map_err(Problem::new)?;
    let bytes = stream.write(&[]);
    let wrong = |error| Problem::new(format!("{}: cannot write: {error}", path.display()));
    write(path, &bytes).map_err(wrong)?;
    let sections = stream.devices.sections.len();
    Ok(Saved { filename: path.display().to_string(), sections, bytes: bytes.len() })
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = PathBuf::from(path).with_file_name(name);
    let result = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if result.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&new);
    }
    result
}

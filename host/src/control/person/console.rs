//! The screen of a guest.

use std::fs;

use super::Problem;
use super::error::reason;
use super::picture::Format;
use crate::guest::Guest;
use crate::machine::Machine;

/// Which screen: the device's id, here also its slot's name, and the number of its screen.
pub(super) fn check(machine: &Machine, id: &str, head: i64) -> Result<(), Problem> {
    let named = machine.parts().find(|part| part.entry.id == id);
    let part = named.ok_or_else(|| Problem::no_device(id))?;
    if head != 0 || !part.image().exports().contains("display") {
        let text = format!("Device {id} (head {head}) is not bound to a QemuConsole");
        return Err(Problem::other(text));
    }
    Ok(())
}

/// What is on the screen, as the bytes of a file. A device's id says which screen.
///
/// # Errors
/// There is no such screen, or none at all.
pub fn picture(
    guest: &Guest,
    device: Option<&str>,
    head: Option<i64>,
    format: Format,
) -> Result<Vec<u8>, Problem> {
    let machine = guest.machine();
    let picture = match (device, head) {
        (Some(id), head) => {
            check(machine, id, head.unwrap_or(0))?;
            machine.picture_of(id)
        }
        (None, None) => machine.picture(),
        (None, Some(_)) => {
            return Err(Problem::other("'head' must be specified together with 'device'"));
        }
    };
    format.encode(&picture.ok_or_else(no_console)?).map_err(Problem::other)
}

/// Writes a picture into a file.
///
/// # Errors
/// The system refuses.
pub fn save(filename: &str, picture: &[u8]) -> Result<(), Problem> {
    fs::write(filename, picture).map_err(|error| not_saved(filename, &reason(&error)))
}

/// A picture was not written, for a reason of the system's.
pub(crate) fn not_saved(filename: &str, reason: &str) -> Problem {
    Problem::other(format_args!("failed to open file '{filename}': {reason}"))
}

/// The characters on the screen in rows from the top; none if it is in a graphics mode.
///
/// # Errors
/// There is no screen.
pub fn screen_text(guest: &Guest) -> Result<Option<Vec<String>>, Problem> {
    let machine = guest.machine();
    if machine.has_display() { Ok(machine.screen_text()) } else { Err(no_console()) }
}

fn no_console() -> Problem {
    Problem::other("There is no console to take a screendump from")
}

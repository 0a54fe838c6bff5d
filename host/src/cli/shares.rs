//! What shares a character device: devices of the guest, and a monitor for people.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::Arc;

use super::Result;
use crate::chardev::{Chardev, Mux, Muxed, Writer};
use crate::control::qmp::PersonMonitor;
use crate::guest::{Cause, Guest};

/// The front ends of character devices that several share, by the character device.
#[derive(Default)]
pub(super) struct Shares(BTreeMap<String, Vec<Box<dyn Muxed>>>);

impl Shares {
    /// Of the character devices of these labels.
    pub(super) fn new<'a>(labels: impl IntoIterator<Item = &'a String>) -> Self {
        Self(labels.into_iter().map(|label| (label.clone(), Vec::new())).collect())
    }

    /// Adds one, whose character device is shared from now on.
    pub(super) fn add(&mut self, label: &str, front_end: impl Muxed + 'static) {
        self.0.entry(label.to_owned()).or_default().push(Box::new(front_end));
    }

    /// Those of one; none if it is not shared.
    pub(super) fn of(&mut self, label: &str) -> Option<&mut Vec<Box<dyn Muxed>>> {
        self.0.get_mut(label)
    }

    /// Attaches them. The key `escape` and a letter end the guest.
    pub(super) fn attach<'a>(
        mut self,
        chardevs: impl Iterator<Item = &'a Arc<Chardev>>,
        escape: u8,
        guest: &Arc<Guest>,
    ) -> Result<()> {
        for chardev in chardevs {
            let Some(front_ends) = self.0.remove(chardev.label()) else { continue };
            let guest = guest.clone();
            chardev.attach(Mux::new(escape, front_ends, move || guest.quit(Cause::Quit)))?;
        }
        Ok(())
    }
}

/// A monitor for people that shares its character device.
pub(super) struct Sharing(pub(super) PersonMonitor);

impl Muxed for Sharing {
    fn focus(&mut self, has_input: bool, output: &mut Writer) -> io::Result<()> {
        if has_input { self.0.begin(output) } else { output.write_all(b"\r\n") }
    }

    fn receive(&mut self, bytes: &[u8], output: &mut Writer) -> io::Result<()> {
        self.0.receive(bytes, output)
    }
}

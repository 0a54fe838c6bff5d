//! Several front ends at one character device, of which one has the input: QEMU's
//! `mux=on`.

use std::io::{self, Read as _, Write as _};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::connection::{Connection, FrontEnd, Writer};

/// The key that makes the next one a command, unless another is chosen: Ctrl-A.
pub const ESCAPE: u8 = 0x01;

/// Bytes that are received at once.
const AT_ONCE: usize = 256;

/// How often so many bytes may wait for a device. What a person types is far less.
const MOST_WAITING: usize = 1024;

/// A front end that shares its character device. It may write at any time; what is
/// received is for the one that has the input.
pub trait Muxed: Send {
    /// It has the input from now on, or has it no more.
    ///
    /// # Errors
    /// The connection is over.
    fn focus(&mut self, has_input: bool, output: &mut Writer) -> io::Result<()>;

    /// Takes input.
    ///
    /// # Errors
    /// The connection is over.
    fn receive(&mut self, bytes: &[u8], output: &mut Writer) -> io::Result<()>;
}

/// The front end of a character device that several share. The last one has the input
/// first. A person chooses another, or ends the program, by two keys: the escape key
/// and a letter, which are QEMU's.
pub struct Mux {
    escape: u8,
    front_ends: Vec<Box<dyn Muxed>>,
    focus: usize,
    quit: Box<dyn FnMut() + Send>,
}

impl Mux {
    /// `quit` is called when the person ends the program. An escape key of 0 is none.
    #[must_use]
    pub fn new(
        escape: u8,
        front_ends: Vec<Box<dyn Muxed>>,
        quit: impl FnMut() + Send + 'static,
    ) -> Self {
        let focus = front_ends.len().saturating_sub(1);
        Self { escape, front_ends, focus, quit: Box::new(quit) }
    }

    fn talk(&mut self, connection: Connection) -> io::Result<()> {
        let (mut reader, mut writer) = connection.split();
        self.tell_focus(true, &mut writer)?;
        let (mut buffer, mut escaped) = ([0; AT_ONCE], false);
        loop {
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            let mut rest = &buffer[..count];
            while let Some(&first) = rest.first() {
                if std::mem::take(&mut escaped) {
                    self.command(first, &mut writer)?;
                    rest = &rest[1..];
                    continue;
                }
                let is_escape = |byte: &u8| *byte == self.escape && self.escape != 0;
                let until = rest.iter().position(is_escape);
                self.receive(&rest[..until.unwrap_or(rest.len())], &mut writer)?;
                escaped = until.is_some();
                rest = until.map_or(&[], |until| &rest[until + 1..]);
            }
        }
    }

    /// The key after the escape key.
    fn command(&mut self, key: u8, writer: &mut Writer) -> io::Result<()> {
        match key {
            key if key == self.escape => self.receive(&[key], writer),
            b'h' | b'?' => writer.write_all(help(self.escape).as_bytes()),
            b'x' => {
                writer.write_all(b"QEMU: Terminated\n\r")?;
                (self.quit)();
                Ok(())
            }
            b'c' if !self.front_ends.is_empty() => {
                self.tell_focus(false, writer)?;
                self.focus = (self.focus + 1) % self.front_ends.len();
                self.tell_focus(true, writer)
            }
            _ => Ok(()),
        }
    }

    fn receive(&mut self, bytes: &[u8], writer: &mut Writer) -> io::Result<()> {
        match self.front_ends.get_mut(self.focus) {
            Some(front_end) if !bytes.is_empty() => front_end.receive(bytes, writer),
            _ => Ok(()),
        }
    }

    fn tell_focus(&mut self, has_input: bool, writer: &mut Writer) -> io::Result<()> {
        let front_end = self.front_ends.get_mut(self.focus);
        front_end.map_or(Ok(()), |front_end| front_end.focus(has_input, writer))
    }
}

impl FrontEnd for Mux {
    fn serve(&mut self, connection: Connection) {
        if let Err(error) = self.talk(connection) {
            tracing::debug!(%error, "input is lost");
        }
    }
}

/// What the keys are, with the line ends of a terminal that is the guest's console.
fn help(escape: u8) -> String {
    let (title, name) = match escape {
        1..=26 => (String::new(), format!("C-{}", char::from(b'a' + escape - 1))),
        other => {
            (format!("\n\rEscape-Char set to Ascii: {other:#x}\n\r"), "Escape-Char".to_owned())
        }
    };
    format!(
        "{title}\n\r{name} h    print this help\n\r\
         {name} x    exit emulator\n\r\
         {name} c    switch between console and monitor\n\r\
         {name} {name}  sends {name}\n\r"
    )
}

/// A device that shares its character device: whether it takes what is typed or not, the
/// keys that are commands work.
pub struct Queued(SyncSender<Vec<u8>>);

impl Queued {
    /// Feeds `offer`, on a thread of its own, as [`Input`](super::Input) does.
    ///
    /// # Errors
    /// There is no thread for it.
    pub fn new(mut offer: impl FnMut(&[u8]) -> Option<usize> + Send + 'static) -> io::Result<Self> {
        let (sender, typed) = sync_channel::<Vec<u8>>(MOST_WAITING);
        thread::Builder::new().name("chardev input".into()).spawn(move || {
            for bytes in typed {
                let mut bytes = &bytes[..];
                while !bytes.is_empty() {
                    let Some(taken) = offer(bytes) else { return };
                    bytes = bytes.get(taken..).unwrap_or_default();
                }
            }
        })?;
        Ok(Self(sender))
    }
}

impl Muxed for Queued {
    fn focus(&mut self, _: bool, _: &mut Writer) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, bytes: &[u8], _: &mut Writer) -> io::Result<()> {
        // Its thread is gone when the device is.
        let _ = self.0.send(bytes.to_vec());
        Ok(())
    }
}

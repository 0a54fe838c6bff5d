//! For the ports of devices: output to whoever is there, input for a device.

use std::io::{self, Write};
use std::sync::Arc;

use super::Shared;
use super::connection::{Connection, FrontEnd};

/// Bytes that are received at once. More would only wait here instead of where
/// the peer can see it.
const AT_ONCE: usize = 256;

/// How often in a row a device may take nothing after the peer is gone, before
/// what is left of its input is dropped.
const PATIENCE: u32 = 10;

/// Output of a character device, for what does not care who is connected: it
/// goes to the connection there is, and is dropped when there is none, as in
/// QEMU. Writing never fails. See [`Writer`](super::Writer) for what a peer is
/// that does not read.
#[derive(Clone)]
pub struct Output(pub(super) Arc<Shared>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(link) = self.0.current() {
            // A connection that is lost says so itself.
            let _ = link.send(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A front end that feeds a device.
pub struct Input<F>(F);

impl<F: FnMut(&[u8]) -> Option<usize> + Send> Input<F> {
    /// Feeds `offer` with what is received. It returns how many of the bytes it
    /// took, and should wait a moment (100 ms) if that is none; it is asked
    /// again with the rest. None says that it will never take any.
    pub const fn new(offer: F) -> Self {
        Self(offer)
    }
}

impl<F: FnMut(&[u8]) -> Option<usize> + Send> FrontEnd for Input<F> {
    fn serve(&mut self, connection: Connection) {
        let (mut reader, _) = connection.split();
        let mut buffer = [0; AT_ONCE];
        loop {
            let mut bytes = match io::Read::read(&mut reader, &mut buffer) {
                Ok(0) => return,
                Ok(count) => &buffer[..count],
                Err(error) => {
                    tracing::debug!(%error, "input is lost");
                    return;
                }
            };
            let mut refusals = 0;
            while !bytes.is_empty() {
                let Some(taken) = (self.0)(bytes) else { return reader.ignore() };
                bytes = bytes.get(taken..).unwrap_or_default();
                refusals = if taken == 0 { refusals + 1 } else { 0 };
                // Another peer may be waiting.
                if refusals >= PATIENCE && reader.is_peer_gone() {
                    return;
                }
            }
        }
    }
}

/// A front end for what has no input. Standard input and files are not read.
pub struct NoInput;

impl FrontEnd for NoInput {
    fn serve(&mut self, connection: Connection) {
        connection.split().0.ignore();
    }
}

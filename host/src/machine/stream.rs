//! Character streams: what a device's port is connected to on the host.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{Error, Machine};
use crate::component::{Effects, SlotId};
use crate::slot::Slot;

/// The host's end of a device's stream.
pub struct Stream {
    output: Mutex<Option<Box<dyn Write + Send>>>,
    /// Counts what the device says about room.
    ready: Mutex<u64>,
    may_have_room: Condvar,
}

impl Stream {
    /// A stream whose bytes go to a writer. A byte that cannot be written ends
    /// the stream's output: there is nobody to tell in the guest.
    #[must_use]
    pub fn to(output: impl Write + Send + 'static) -> Arc<Self> {
        Self::new(Some(Box::new(output)))
    }

    /// A stream that is connected to nothing.
    #[must_use]
    pub fn null() -> Arc<Self> {
        Self::new(None)
    }

    fn new(output: Option<Box<dyn Write + Send>>) -> Arc<Self> {
        let (output, ready) = (Mutex::new(output), Mutex::new(0));
        Arc::new(Self { output, ready, may_have_room: Condvar::new() })
    }

    pub(super) fn put(&self, byte: u8) {
        let mut output = lock(&self.output);
        let Some(writer) = output.as_mut() else { return };
        if let Err(error) = writer.write_all(&[byte]).and_then(|()| writer.flush()) {
            tracing::warn!(%error, "a stream's output is lost");
            *output = None;
        }
    }

    pub(super) fn ready(&self) {
        *lock(&self.ready) += 1;
        self.may_have_room.notify_all();
    }

    /// Waits until the device has said something about room since `seen`, or a
    /// moment has passed.
    fn wait(&self, seen: u64) {
        let ready = lock(&self.ready);
        let moment = Duration::from_millis(100);
        drop(self.may_have_room.wait_timeout_while(ready, moment, |ready| *ready == seen));
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Collects what a stream says, for tests and the demo. Clones share the bytes.
#[derive(Clone, Default)]
pub struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All bytes so far.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        lock(&self.0).clone()
    }

    /// All bytes so far as text, with a replacement character for what is not
    /// UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&lock(&self.0)).into_owned()
    }
}

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The way into a device's stream.
pub struct StreamInput {
    machine: std::sync::Weak<Machine>,
    slot: Arc<Slot>,
    number: u32,
    stream: Arc<Stream>,
}

impl StreamInput {
    /// Sends bytes to the device as it has room for them. Returns false if the
    /// machine went away first.
    pub fn send(&self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            let Some(count) = self.offer(bytes) else { return false };
            bytes = &bytes[count..];
        }
        true
    }

    /// Sends the device as many of the bytes as it has room for, and says how
    /// many. If it has room for none, waits a moment (100 ms) for it to say
    /// otherwise. None when the machine went away.
    pub fn offer(&self, bytes: &[u8]) -> Option<usize> {
        let seen = *lock(&self.stream.ready);
        let count = self.fill(bytes)?;
        if count == 0 && !bytes.is_empty() {
            self.stream.wait(seen);
        }
        Some(count)
    }

    /// Sends the device as many of the bytes as it has room for now, and says how many.
    /// None when the machine went away.
    pub fn fill(&self, bytes: &[u8]) -> Option<usize> {
        let mut effects = Effects::new();
        for (count, &byte) in bytes.iter().enumerate() {
            if !self.send_byte(byte, &mut effects)? {
                return Some(count);
            }
        }
        Some(bytes.len())
    }

    /// Whether the device had room for it. None when the machine went away.
    fn send_byte(&self, byte: u8, effects: &mut Effects) -> Option<bool> {
        let machine = self.machine.upgrade()?;
        let has_room = self.slot.stream_room(self.number, effects) > 0;
        if has_room {
            self.slot.stream_receive(self.number, byte, effects);
        }
        machine.apply(effects);
        Some(has_room)
    }
}

impl Machine {
    /// The way into the stream of a device.
    ///
    /// # Errors
    /// There is no such slot, or its device has no such stream.
    pub fn stream_input(self: &Arc<Self>, slot: &str, stream: &str) -> Result<StreamInput, Error> {
        let slot = self.slot(slot)?.clone();
        let image = slot.image();
        let streams = &image.description().streams;
        let missing = || Error::Host(format!("slot {} has no stream {stream:?}", slot.name()));
        let number = streams.iter().position(|name| name == stream).ok_or_else(missing)? as u32;
        let host = self.stream(slot.id(), number).ok_or_else(missing)?.clone();
        Ok(StreamInput { machine: Arc::downgrade(self), slot: slot.clone(), number, stream: host })
    }

    pub(super) fn stream(&self, slot: SlotId, stream: u32) -> Option<&Arc<Stream>> {
        self.streams.get(slot.0 as usize)?.get(stream as usize)
    }
}

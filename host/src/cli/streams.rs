//! The host's ends of the guest's streams.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::sync::Arc;
use std::thread;

use anyhow::{anyhow, bail};

use super::Result;
use super::args::{Backend, Pair};
use crate::guest::Guest;
use crate::machine::{Plan, Stream, StreamInput};

/// The stream of the first serial port.
const CONSOLE: &str = "serial0";

/// What each stream is connected to, by name.
pub(super) struct Connections(BTreeMap<String, Backend>);

impl Connections {
    /// Connects the streams of a machine as its user asks, and the first serial
    /// port to stdio if nothing else wants that.
    pub(super) fn new(
        plan: &Plan,
        serial: Option<&Backend>,
        streams: &[Pair<Backend>],
    ) -> Result<Self> {
        let known = plan.streams();
        let console = serial.map(|value| Pair { name: CONSOLE.into(), value: value.clone() });
        let mut connections = BTreeMap::new();
        for Pair { name, value } in console.iter().chain(streams) {
            if !known.contains(name.as_str()) {
                let known: Vec<_> = known.into_iter().collect();
                bail!("no stream {name:?}; this machine has {}", known.join(", "));
            }
            if connections.insert(name.clone(), value.clone()).is_some() {
                bail!("stream {name:?} is connected twice");
            }
        }
        let on_stdio = connections.values().filter(|backend| **backend == Backend::Stdio).count();
        if on_stdio > 1 {
            bail!("stdio is connected to {on_stdio} streams, one expected");
        }
        if on_stdio == 0 && known.contains(CONSOLE) {
            connections.entry(CONSOLE.into()).or_insert(Backend::Stdio);
        }
        Ok(Self(connections))
    }

    /// Opens them all.
    pub(super) fn open(&self) -> Result<BTreeMap<String, Arc<Stream>>> {
        self.0.iter().map(|(name, backend)| Ok((name.clone(), open(backend)?))).collect()
    }

    /// The way from stdio into the guest, if a device that takes input is
    /// connected to it.
    pub(super) fn input(&self, plan: &Plan, guest: &Guest) -> Result<Option<StreamInput>> {
        let stdio = self.0.iter().find(|(_, backend)| **backend == Backend::Stdio);
        let Some((name, _)) = stdio else { return Ok(None) };
        let machine = guest.machine();
        let takes_input = |slot: &str| {
            let status = machine.status();
            let status = status.iter().find(|status| &*status.name == slot);
            status.is_some_and(|status| status.image.exports().contains("stream-input"))
        };
        let end = plan.ends_of(name).find(|(slot, _)| takes_input(slot));
        Ok(end.map(|(slot, stream)| machine.stream_input(slot, stream)).transpose()?)
    }
}

fn open(backend: &Backend) -> Result<Arc<Stream>> {
    Ok(match backend {
        Backend::Stdio => Stream::to(io::stdout()),
        Backend::Stderr => Stream::to(io::stderr()),
        Backend::Null => Stream::null(),
        Backend::File(path) => {
            let file = File::create(path);
            Stream::to(file.map_err(|error| anyhow!("cannot write {}: {error}", path.display()))?)
        }
    })
}

/// Sends standard input into the guest, until its end or the guest's, on a
/// thread that ends with the process.
pub(super) fn feed(input: StreamInput) -> io::Result<()> {
    let thread = thread::Builder::new().name("stdin".into());
    thread.spawn(move || {
        let (mut stdin, mut bytes) = (io::stdin().lock(), [0; 256]);
        loop {
            match stdin.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) if input.send(&bytes[..count]) => {}
                Ok(_) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    tracing::warn!(%error, "standard input is lost");
                    return;
                }
            }
        }
    })?;
    Ok(())
}

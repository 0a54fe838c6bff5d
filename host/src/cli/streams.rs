//! The host's ends of the guest's streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;

use super::Result;
use super::args::Pair;
use crate::chardev::{Backend, Chardev, Config, Input, NoInput};
use crate::guest::Guest;
use crate::machine::{Plan, Stream, StreamInput};

/// The stream of the first serial port.
const CONSOLE: &str = "serial0";

/// The console's back end.
const STDIO: Backend = Backend::Stdio { signal: true };

/// What each stream is connected to, by name.
pub(super) struct Connections(BTreeMap<String, Backend>);

/// Character devices, by the names of the machine's streams they are connected to.
pub(super) struct Streams(BTreeMap<String, Arc<Chardev>>);

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
        let on_stdio = connections.values().filter(|backend| **backend == STDIO).count();
        if on_stdio > 1 {
            bail!("stdio is connected to {on_stdio} streams, one expected");
        }
        if on_stdio == 0 && known.contains(CONSOLE) {
            connections.entry(CONSOLE.into()).or_insert(STDIO);
        }
        Ok(Self(connections))
    }

    /// Opens them all.
    pub(super) fn open(self) -> Result<Streams> {
        let open = |(name, backend): (String, Backend)| {
            let chardev = Chardev::open(Config { id: name.clone(), backend })?;
            Ok((name, chardev))
        };
        self.0.into_iter().map(open).collect::<Result<_>>().map(Streams)
    }
}

impl Streams {
    pub(super) const fn new(chardevs: BTreeMap<String, Arc<Chardev>>) -> Self {
        Self(chardevs)
    }

    /// Where the devices' output goes, by name.
    pub(super) fn outputs(&self) -> BTreeMap<String, Arc<Stream>> {
        let outputs = self.0.iter();
        outputs.map(|(name, chardev)| (name.clone(), Stream::to(chardev.output()))).collect()
    }

    /// Sends what is received into the guest, to the devices that take input.
    /// `console` is called before anything is read from standard input.
    pub(super) fn attach(&self, plan: &Plan, guest: &Guest, console: impl Fn()) -> Result<()> {
        for (name, chardev) in &self.0 {
            match input(plan, guest, name)? {
                Some(input) => {
                    if chardev.filename() == "stdio" {
                        console();
                    }
                    chardev.attach(Input::new(move |bytes| input.offer(bytes)))?;
                }
                None => chardev.attach(NoInput)?,
            }
        }
        Ok(())
    }
}

/// The way into the device at the other end of a stream, if one takes input.
fn input(plan: &Plan, guest: &Guest, name: &str) -> Result<Option<StreamInput>> {
    let machine = guest.machine();
    let takes_input = |slot: &str| {
        let status = machine.status();
        let status = status.iter().find(|status| &*status.name == slot);
        status.is_some_and(|status| status.image.exports().contains("stream-input"))
    };
    let end = plan.ends_of(name).find(|(slot, _)| takes_input(slot));
    Ok(end.map(|(slot, stream)| machine.stream_input(slot, stream)).transpose()?)
}

//! The host's ends of the guest's streams.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;

use super::Result;
use super::args::Pair;
use super::shares::Shares;
use crate::chardev::{Backend, Chardev, Config, Input, NoInput, Queued};
use crate::guest::Guest;
use crate::machine::{Plan, Stream, StreamInput};

/// The stream of the first serial port.
pub(super) const CONSOLE: &str = "serial0";

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
        let is_stdio = |backend: &&Backend| matches!(backend, Backend::Stdio { .. });
        let on_stdio = connections.values().filter(is_stdio).count();
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

    /// Sends what is received into the guest, to the devices that take input. Those whose
    /// character device is shared are added to `shares`. `console` is called before
    /// anything is read from standard input.
    pub(super) fn attach(
        &self,
        plan: &Plan,
        guest: &Guest,
        shares: &mut Shares,
        console: impl Fn(),
    ) -> Result<()> {
        for (name, chardev) in &self.0 {
            let input = input(plan, guest, name)?;
            if input.is_some() && chardev.filename() == "stdio" {
                console();
            }
            match (input, shares.of(chardev.label())) {
                (Some(input), Some(shares)) => {
                    shares.push(Box::new(Queued::new(move |bytes| input.offer(bytes))?));
                }
                (Some(input), None) => {
                    chardev.attach(Input::new(move |bytes| input.offer(bytes)))?;
                }
                (None, Some(_)) => {}
                (None, None) => chardev.attach(NoInput)?,
            }
        }
        Ok(())
    }

    /// The character devices.
    pub(super) fn chardevs(&self) -> impl Iterator<Item = &Arc<Chardev>> {
        self.0.values()
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

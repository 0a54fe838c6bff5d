//! The character devices of a command line, and what is attached to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;

use super::later::Later;
use super::qtest_log::Log;
use crate::chardev::{Backend, Chardev, Config, Connection};
use crate::cli::Result;
use crate::cli::qemu::invocation::{Monitor, Qtest as Server};
use crate::cli::shares::{Shares, Sharing};
use crate::cli::signals::Held;
use crate::cli::streams::Streams;
use crate::cli::terminal::Terminal;
use crate::control::qmp::{self, Qmp, Style};
use crate::control::qtest::Qtest;
use crate::guest::Guest;
use crate::machine::{Plan, Stream};

/// The character devices.
#[derive(Clone)]
pub(super) struct Characters {
    all: Arc<[Arc<Chardev>]>,
    /// Of standard input and output: whether the keys for signals keep their meaning.
    signals: bool,
}

/// Closes the character devices when it is dropped.
pub(super) struct Closing(Characters);

impl Characters {
    pub(super) fn open(configs: &[Config]) -> Result<Self> {
        let opened = configs.iter().map(|config| Chardev::open(config.clone()));
        let all = opened.collect::<std::result::Result<_, _>>()?;
        let is_silent = |config: &Config| config.backend == Backend::Stdio { signal: false };
        Ok(Self { all, signals: !configs.iter().any(is_silent) })
    }

    /// To be dropped when nobody is to be served any more.
    pub(super) fn closing(&self) -> Closing {
        Closing(self.clone())
    }

    /// What `query-chardev` says.
    pub(super) fn list(&self) -> Vec<qmp::Chardev> {
        let entry = |chardev: &Arc<Chardev>| qmp::Chardev {
            label: chardev.label().to_owned(),
            filename: chardev.filename(),
            frontend_open: chardev.frontend_open(),
        };
        self.all.iter().map(entry).collect()
    }

    /// Where the machine's streams go to: `streams` has the character device of each.
    pub(super) fn outputs(
        &self,
        streams: &BTreeMap<String, String>,
    ) -> BTreeMap<String, Arc<Stream>> {
        self.streams(streams).outputs()
    }

    /// Sends what comes from the character devices into the machine.
    pub(super) fn attach_streams(
        &self,
        streams: &BTreeMap<String, String>,
        plan: &Plan,
        guest: &Guest,
        shares: &mut Shares,
        held: &Held,
    ) -> Result<()> {
        let console = || held.hold_terminal(|| Terminal::enter(self.signals));
        self.streams(streams).attach(plan, guest, shares, console)
    }

    /// Attaches what shares its character device.
    pub(super) fn attach_shares(
        &self,
        shares: Shares,
        escape: u8,
        guest: &Arc<Guest>,
    ) -> Result<()> {
        shares.attach(self.all.iter(), escape, guest)
    }

    /// Attaches a monitor for people, or adds it to `shares`.
    pub(super) fn attach_person(
        &self,
        monitor: &Monitor,
        qmp: &Qmp,
        shares: &mut Shares,
        held: &Held,
    ) -> Result<()> {
        let chardev = self.find(&monitor.chardev)?;
        if chardev.filename() == "stdio" {
            held.hold_terminal(|| Terminal::enter(self.signals));
        }
        let mut own = qmp.person_monitor();
        match shares.of(&monitor.chardev) {
            Some(shares) => shares.push(Box::new(Sharing(own))),
            None => chardev.attach(move |connection: Connection| {
                let (reader, writer) = connection.split();
                if let Err(error) = own.serve(reader, writer) {
                    tracing::debug!(%error, "monitor");
                }
            })?,
        }
        Ok(())
    }

    /// Clients are greeted at once. What they want is done when the machine is there.
    pub(super) fn attach_monitor(
        &self,
        monitor: &Monitor,
        pretty: bool,
        qmp: Later<Qmp>,
    ) -> Result<()> {
        let style = if pretty { Style::Pretty } else { Style::Line };
        // It lives from client to client.
        let mut own = None;
        self.find(&monitor.chardev)?.attach(move |connection: Connection| {
            let (reader, mut writer) = connection.split();
            let served = qmp::greet(style, &mut writer).and_then(|()| match &own {
                Some(monitor) => qmp::Monitor::serve_greeted(monitor, reader, writer),
                None => match qmp.wait() {
                    Some(qmp) => own.insert(qmp.monitor(style)).serve_greeted(reader, writer),
                    None => Ok(()),
                },
            });
            if let Err(error) = served {
                tracing::debug!(%error, "monitor");
            }
        })?;
        Ok(())
    }

    pub(super) fn attach_qtest(&self, server: &Server, qtest: Arc<Qtest>) -> Result<()> {
        let log = Log::open(&server.log)?;
        self.find(&server.chardev)?.attach(move |connection: Connection| {
            let (reader, writer) = connection.split();
            let served = match &log {
                None => qtest.serve(reader, writer),
                Some(log) => {
                    log.note("OPENED");
                    let served = qtest.serve(log.listen(reader, 'R'), log.listen(writer, 'S'));
                    log.note("CLOSED");
                    served
                }
            };
            if let Err(error) = served {
                tracing::debug!(%error, "qtest");
            }
        })?;
        Ok(())
    }

    fn streams(&self, streams: &BTreeMap<String, String>) -> Streams {
        let find = |id: &String| self.all.iter().find(|chardev| chardev.label() == *id).cloned();
        let found = streams.iter().filter_map(|(stream, id)| Some((stream.clone(), find(id)?)));
        Streams::new(found.collect())
    }

    fn find(&self, id: &str) -> Result<&Arc<Chardev>> {
        let found = self.all.iter().find(|chardev| chardev.label() == id);
        found.ok_or_else(|| anyhow!("there is no character device '{id}'"))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.all.iter().for_each(|chardev| chardev.close());
    }
}

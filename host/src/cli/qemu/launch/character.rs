//! The character devices of a command line, and what is attached to them.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::anyhow;

use super::later::Later;
use super::qtest_log::Log;
use crate::chardev::{Chardev, Config, Connection};
use crate::cli::Result;
use crate::cli::qemu::invocation::{Monitor, Qtest as Server};
use crate::cli::signals::Held;
use crate::cli::streams::Streams;
use crate::cli::terminal::Terminal;
use crate::control::qmp::{self, Qmp, Style};
use crate::control::qtest::Qtest;
use crate::guest::Guest;
use crate::machine::{Plan, Stream};

/// The character devices.
#[derive(Clone)]
pub(super) struct Characters(Arc<[Arc<Chardev>]>);

/// Closes the character devices when it is dropped.
pub(super) struct Closing(Characters);

impl Characters {
    pub(super) fn open(configs: &[Config]) -> Result<Self> {
        let opened = configs.iter().map(|config| Chardev::open(config.clone()));
        Ok(Self(opened.collect::<std::result::Result<_, _>>()?))
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
        self.0.iter().map(entry).collect()
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
        held: &Held,
    ) -> Result<()> {
        self.streams(streams).attach(plan, guest, || held.hold_terminal(Terminal::enter()))
    }

    /// Clients are greeted at once. What they want is done when the machine is there.
    pub(super) fn attach_monitor(&self, monitor: &Monitor, qmp: Later<Qmp>) -> Result<()> {
        let style = if monitor.pretty { Style::Pretty } else { Style::Line };
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
        let find = |id: &String| self.0.iter().find(|chardev| chardev.label() == *id).cloned();
        let found = streams.iter().filter_map(|(stream, id)| Some((stream.clone(), find(id)?)));
        Streams::new(found.collect())
    }

    fn find(&self, id: &str) -> Result<&Arc<Chardev>> {
        let found = self.0.iter().find(|chardev| chardev.label() == id);
        found.ok_or_else(|| anyhow!("there is no character device '{id}'"))
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.0.iter().for_each(|chardev| chardev.close());
    }
}

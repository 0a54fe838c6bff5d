//! Starts what a command line says, and lives with it until it ends.

mod accelerator;
mod backends;
mod character;
mod daemon;
mod drives;
mod firmware;
mod incoming;
mod later;
mod pidfile;
mod qtest_log;

use std::sync::Arc;

use anyhow::anyhow;

use super::invocation::{Invocation, Mode, Own};
use crate::cli::Result;
use crate::cli::components::Components;
use crate::cli::shares::Shares;
use crate::cli::signals::{self, Hangup, Held, Release};
use crate::control::metrics::MetricsServer;
use crate::control::qmp::{ControlServer, Qmp, Setup};
use crate::guest::Outcome;
use crate::vm;

use accelerator::Started;
use character::Characters;
pub(in crate::cli) use drives::Drives;
use later::later;
use pidfile::PidFile;

pub(super) use daemon::Daemon;

/// Starts a machine and returns the process's exit status when it has ended.
/// `program` is the name that messages begin with.
pub(super) fn launch(program: &str, invocation: &Invocation, daemon: Option<Daemon>) -> Result<u8> {
    let held = Held::default();
    // Whatever goes wrong, no socket is left behind.
    let _release = Release(held.clone());
    let characters = Characters::open(&invocation.chardevs)?;
    held.hold(characters.closing());
    // Gone before what is held is given back, so that no monitor waits for it any more.
    let (machine, wanted) = later();
    for monitor in &invocation.monitors {
        if let Mode::Control { pretty } = monitor.mode {
            characters.attach_monitor(monitor, pretty, wanted.clone())?;
        }
    }
    if let Some(path) = &invocation.process.pidfile {
        held.hold(PidFile::create(path)?);
    }

    let Own { code_cache, control, metrics, .. } = &invocation.own;
    let library = Arc::new(Components::new(code_cache.clone()).library()?);
    let drives = Drives::open(program, &invocation.drives)?;
    let streams = characters.outputs(&invocation.streams);
    let backends = backends::open(invocation, &drives, streams);
    let Started { guest, inbox, plan, qtest } =
        accelerator::start(program, invocation, &library, &drives, &backends)?;
    let told = program.to_owned();
    signals::watch(guest.clone(), held.clone(), Hangup::Ends, move |signal| {
        eprintln!("{told}: terminating on signal {signal}");
    })
    .map_err(|error| anyhow!("cannot watch for signals: {error}"))?;

    let listed = characters.clone();
    let qmp = Qmp::new(Setup {
        name: invocation.name.clone(),
        uuid: uuid(invocation.uuid.unwrap_or_default()),
        chardevs: Box::new(move || listed.list()),
        ..Setup::new(guest.clone(), library)
    });
    incoming::begin(invocation, &qmp)?;
    let mut shares = Shares::new(&invocation.shared);
    for monitor in invocation.monitors.iter().filter(|m| m.mode == Mode::Readline) {
        characters.attach_person(monitor, &qmp, &mut shares, &held)?;
    }
    characters.attach_streams(&invocation.streams, &plan, &guest, &mut shares, &held)?;
    characters.attach_shares(shares, invocation.escape, &guest)?;
    if let (Some(qtest), Some(server)) = (qtest, &invocation.qtest) {
        characters.attach_qtest(server, qtest)?;
    }
    machine.give(qmp.clone());
    if let Some(path) = control {
        held.hold(ControlServer::start(path, &qmp)?);
    }
    if let Some(address) = metrics {
        guest.machine().measure_time(true);
        held.hold(MetricsServer::start(address, guest.clone())?);
    }
    if let Some(daemon) = daemon {
        daemon.ready(invocation.log.file.is_some())?;
    }

    vm::release_code();
    let outcome = guest.run(inbox);
    held.release();
    match outcome {
        Outcome::Shutdown | Outcome::Quit => Ok(0),
        Outcome::Exit(status) => Ok(status),
        Outcome::Failed(reason) => Err(anyhow!(reason)),
    }
}

/// A UUID as it is written.
fn uuid(bytes: [u8; 16]) -> String {
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]);
    parts.join("-")
}

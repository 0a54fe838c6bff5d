//! What the machine does, and what it is to do (QEMU's `qapi/run-state.json` and
//! `qapi/misc.json`).

use serde::Serialize;

use crate::control::qmp::{Call, Done, Error, NoArguments, Registry};
use crate::guest::{Cause, RunState};

pub(super) fn register(registry: &mut Registry) {
    registry.add("query-status", query_status);
    registry.add("stop", stop);
    registry.add("cont", cont);
    registry.add("system_reset", system_reset);
    registry.add("system_powerdown", system_powerdown);
    registry.add("system_wakeup", system_wakeup);
    registry.add("quit", quit);
}

/// `StatusInfo`.
#[derive(Serialize)]
struct StatusInfo {
    status: &'static str,
    singlestep: bool,
    running: bool,
}

fn query_status(call: &Call<'_>, _: NoArguments) -> Result<StatusInfo, Error> {
    let state = call.guest().state();
    // Processors run many instructions at a time.
    let singlestep = false;
    Ok(StatusInfo { status: state.name(), singlestep, running: state == RunState::Running })
}

pub(super) fn stop(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.guest().pause();
    Ok(Done {})
}

pub(super) fn cont(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.guest().resume().map_err(Error::generic)?;
    Ok(Done {})
}

pub(super) fn system_reset(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.guest().reset().map_err(Error::generic)?;
    Ok(Done {})
}

pub(super) fn system_powerdown(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.guest().press_power_button();
    Ok(Done {})
}

pub(super) fn system_wakeup(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.guest().wake().map_err(Error::generic)?;
    Ok(Done {})
}

pub(super) fn quit(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.guest().quit(Cause::Quit);
    Ok(Done {})
}

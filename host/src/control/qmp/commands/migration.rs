//! The machine's state to somewhere else and back (QEMU's `qapi/migration.json`).

use serde::{Deserialize, Serialize};

use crate::control::qmp::{Access, Call, Done, Error, NoArguments, Registry};
use crate::guest::RunState;
use crate::migrate::{Info, Problem, Uri};

pub(super) fn register(registry: &mut Registry) {
    registry.add("migrate", migrate);
    registry.add("migrate-incoming", migrate_incoming);
    registry.add("migrate_cancel", migrate_cancel);
    registry.add("query-migrate", query_migrate);
    registry.add("migrate-set-capabilities", migrate_set_capabilities);
    registry.add("query-migrate-capabilities", query_migrate_capabilities);
    registry.add("xen-save-devices-state", xen_save_devices_state);
    registry.add("xen-load-devices-state", xen_load_devices_state);
    registry.add("xen-set-global-dirty-log", xen_set_global_dirty_log);
}

#[derive(Deserialize)]
struct Migrate {
    uri: String,
    blk: Option<bool>,
    inc: Option<bool>,
    /// QEMU ignores it, too: it is for its monitor for people.
    #[serde(rename = "detach")]
    _detach: Option<bool>,
    resume: Option<bool>,
}

/// Sends the machine, with its memory, to where the URI says. Returns at once;
/// `query-migrate` and events tell what becomes of it.
fn migrate(call: &Call<'_>, Migrate { uri, blk, inc, resume, .. }: Migrate) -> Result<Done, Error> {
    if resume == Some(true) {
        return Err(Error::generic("Cannot resume if there is no paused migration"));
    }
    if blk == Some(true) || inc == Some(true) {
        let what = "there are no drives here whose contents could be migrated";
        return Err(Error::generic(what));
    }
    call.migrations().send(&parse(&uri)?, &mut |name| call.named_fd(name).ok())?;
    Ok(Done {})
}

#[derive(Deserialize)]
struct Incoming {
    uri: String,
}

/// Receives the machine's state, for one that was started with `-incoming defer`.
fn migrate_incoming(call: &Call<'_>, Incoming { uri }: Incoming) -> Result<Done, Error> {
    call.migrations().receive(&parse(&uri)?, &mut |name| call.named_fd(name).ok())?;
    Ok(Done {})
}

fn parse(uri: &str) -> Result<Uri, Error> {
    let protocol = uri.split_once(':').map(|(protocol, _)| protocol);
    if !protocol.is_some_and(|protocol| Uri::PROTOCOLS.contains(&protocol)) {
        // QEMU's words, of a protocol it does not know.
        let what = "Parameter 'uri' expects a valid migration protocol";
        return Err(Error::generic(what));
    }
    uri.parse().map_err(Error::generic)
}

fn migrate_cancel(call: &Call<'_>, _: NoArguments) -> Result<Done, Error> {
    call.migrations().cancel();
    Ok(Done {})
}

/// An empty object if there was no migration yet.
fn query_migrate(call: &Call<'_>, _: NoArguments) -> Result<Answer, Error> {
    Ok(Answer(call.migrations().info()))
}

struct Answer(Option<Info>);

impl Serialize for Answer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(info) => info.serialize(serializer),
            None => Done {}.serialize(serializer),
        }
    }
}

/// QEMU 7.2's capabilities of migrations (`MigrationCapability`). All but `events` are
/// off here, and stay so.
const CAPABILITIES: [&str; 22] = [
    "xbzrle",
    "rdma-pin-all",
    "auto-converge",
    "zero-blocks",
    "compress",
    EVENTS,
    "postcopy-ram",
    "x-colo",
    "release-ram",
    "block",
    "return-path",
    "pause-before-switchover",
    "multifd",
    "dirty-bitmaps",
    "postcopy-blocktime",
    "late-block-activate",
    "x-ignore-shared",
    "validate-uuid",
    "background-snapshot",
    "zero-copy-send",
    "postcopy-preempt",
    "switchover-ack",
];

/// Clients hear of each change of a migration's status.
const EVENTS: &str = "events";

#[derive(Deserialize)]
struct Set {
    capabilities: Vec<Capability>,
}

#[derive(Deserialize, Serialize)]
struct Capability {
    capability: String,
    state: bool,
}

fn migrate_set_capabilities(call: &Call<'_>, Set { capabilities }: Set) -> Result<Done, Error> {
    // All are looked at before one is set.
    for Capability { capability, state } in &capabilities {
        if !CAPABILITIES.contains(&capability.as_str()) {
            return Err(Error::generic(format_args!("Invalid parameter '{capability}'")));
        }
        if *state && capability != EVENTS {
            return Err(Error::generic(format_args!(
                "Migration capability '{capability}' is not supported here"
            )));
        }
    }
    for capability in capabilities.iter().filter(|found| found.capability == EVENTS) {
        call.migrations().set_tells(capability.state)?;
    }
    Ok(Done {})
}

fn query_migrate_capabilities(call: &Call<'_>, _: NoArguments) -> Result<Vec<Capability>, Error> {
    let tells = call.migrations().tells();
    let state = |name: &str| name == EVENTS && tells;
    let all = CAPABILITIES.iter();
    Ok(all.map(|name| Capability { capability: (*name).into(), state: state(name) }).collect())
}

/// How large a state of devices may be, in bytes. Real ones have some ten thousand.
const LARGEST: usize = 64 << 20;

/// QEMU's `QERR_IO_ERROR`.
const IO_ERROR: &str = "An IO error has occurred";

#[derive(Deserialize)]
struct Save {
    filename: String,
    /// Whether the guest is to go on elsewhere. QEMU then gives its drives up, of
    /// which there are none here.
    #[serde(rename = "live")]
    _live: Option<bool>,
}

/// Saves devices and processors, in the form in which Xen's toolstack keeps them: a stream
/// without configuration, guest memory and description.
fn xen_save_devices_state(call: &Call<'_>, Save { filename, .. }: Save) -> Result<Done, Error> {
    let guest = call.guest();
    let state = guest.state();
    let ran = state == RunState::Running;
    if ran {
        guest.pause();
    }
    let saved = save(call, &filename, state);
    if ran {
        guest.resume().map_err(Error::generic)?;
    }
    saved
}

fn save(call: &Call<'_>, filename: &str, state: RunState) -> Result<Done, Error> {
    let file = call.open(filename, Access::Write)?;
    let saved = call.guest().save_devices(state).map_err(Error::generic)?;
    file.write_all(&saved).map_err(|error| {
        tracing::warn!(filename, %error, "cannot write");
        Error::generic(IO_ERROR)
    })?;
    Ok(Done {})
}

#[derive(Deserialize)]
struct Load {
    filename: String,
}

/// Loads what [`xen_save_devices_state`] saves, into all devices or none.
fn xen_load_devices_state(call: &Call<'_>, Load { filename }: Load) -> Result<Done, Error> {
    if call.guest().state() == RunState::Running {
        return Err(Error::generic("Cannot update device state while vm is running"));
    }
    let file = call.open(&filename, Access::Read)?;
    let bytes = file.read_all(LARGEST).map_err(|error| Error::system(IO_ERROR, &error))?;
    let wrong = |what: String| Error::generic(format_args!("{filename}: {what}"));
    let loaded = call.guest().still(|machine| machine.load_devices(&bytes));
    let loaded = loaded.ok_or_else(|| Error::generic("the machine does not stand still"))?;
    match loaded {
        Ok(_) => Ok(Done {}),
        Err(problems) => {
            let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
            Err(wrong(problems.join("; ")))
        }
    }
}

#[derive(Deserialize)]
struct DirtyLog {
    #[serde(rename = "enable")]
    _enable: bool,
}

/// Has changes of guest memory be noted. Under Xen it is the hypervisor that has guest
/// memory and sends it, and notes what devices change of it: devices here change
/// nothing on their own.
fn xen_set_global_dirty_log(_: &Call<'_>, _: DirtyLog) -> Result<Done, Error> {
    Ok(Done {})
}

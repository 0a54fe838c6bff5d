//! The machine's state to somewhere else and back (QEMU's `qapi/migration.json`).

use serde::Deserialize;
use vmstate::{Layouts, Stream};

use crate::control::qmp::{Access, Call, Done, Error, Registry};
use crate::guest::RunState;

pub(super) fn register(registry: &mut Registry) {
    registry.add("xen-save-devices-state", xen_save_devices_state);
    registry.add("xen-load-devices-state", xen_load_devices_state);
    registry.add("xen-set-global-dirty-log", xen_set_global_dirty_log);
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

/// Saves the devices alone, in the form in which Xen's toolstack keeps them: a stream
/// without configuration, guest memory and description.
fn xen_save_devices_state(call: &Call<'_>, Save { filename, .. }: Save) -> Result<Done, Error> {
    let guest = call.guest();
    let ran = guest.state() == RunState::Running;
    if ran {
        guest.pause();
    }
    let saved = save(call, &filename);
    if ran {
        guest.resume().map_err(Error::generic)?;
    }
    saved
}

fn save(call: &Call<'_>, filename: &str) -> Result<Done, Error> {
    let file = call.open(filename, Access::Write)?;
    let saved = call.guest().still(|machine| machine.save_stream());
    let saved = saved.ok_or_else(|| Error::generic("the machine does not stand still"))?;
    let mut stream = saved.map_err(Error::generic)?;
    stream.configuration = None;
    stream.devices.description = None;
    file.write_all(&stream.write(&[])).map_err(|error| {
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
    let stream = Stream::read(&bytes, Layouts::builtin());
    let stream = stream.map_err(|error| wrong(error.to_string()))?;
    let loaded = call.guest().still(|machine| machine.load_stream(&stream));
    let loaded = loaded.ok_or_else(|| Error::generic("the machine does not stand still"))?;
    match loaded {
        Ok(_) => Ok(Done {}),
        Err(problems) => {
            let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
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

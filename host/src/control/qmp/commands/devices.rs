//! Southbridge's own commands: what is in each slot, and replacing it. Their names
//! follow QEMU's rules for those of others (`docs/devel/qapi-code-gen.rst`).

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::control::qmp::{Call, Done, Error, NoArguments, Registry};
use crate::machine::Machine;
use crate::slot::{Status, Swapped};

pub(super) fn register(registry: &mut Registry) {
    registry.add("__org.southbridge_query-devices", query_devices);
    registry.add_at_once("__org.southbridge_swap", swap);
    registry.add("__org.southbridge_roll-back", roll_back);
    registry.add("__org.southbridge_save-state", save_state);
    registry.add("__org.southbridge_measure-time", measure_time);
}

/// What is in a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Device {
    /// The slot's name.
    pub slot: String,
    /// The device's name, version and build, as people say it.
    pub device: String,
    /// SHA-256 of the component's bytes, in hexadecimal.
    pub hash: String,
    /// Why the device is out of service, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// How old its checkpoint is by the machine's clock, in nanoseconds, if there
    /// is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_age_ns: Option<u64>,
    /// How many of its regions are mapped.
    pub mapped: usize,
    /// Reads by the guest.
    pub reads: u64,
    /// Writes by the guest.
    pub writes: u64,
    /// Calls into the device.
    pub calls: u64,
    /// Time of the calls, in nanoseconds, if it is measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ns: Option<u64>,
    /// Replacements that succeeded.
    pub swaps: u64,
    /// Times it was put back in service.
    pub restores: u64,
    /// Faults.
    pub faults: u64,
    /// Effects that named something undeclared.
    pub violations: u64,
    /// Messages to the log that were dropped.
    pub messages_dropped: u64,
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

impl Device {
    /// What is in each slot of a machine.
    #[must_use]
    pub fn all(machine: &Machine) -> Vec<Self> {
        let now = machine.clock().now();
        machine.status().iter().map(|status| Self::new(status, now)).collect()
    }

    fn new(status: &Status, now: u64) -> Self {
        let Status { name, image, fault, mapped, checkpoint, counts } = status;
        Self {
            slot: name.to_string(),
            device: image.title(),
            hash: image.hash().into(),
            fault: fault.as_ref().map(ToString::to_string),
            checkpoint_age_ns: checkpoint.as_ref().map(|kept| now.saturating_sub(kept.time)),
            mapped: *mapped,
            reads: counts.reads,
            writes: counts.writes,
            calls: counts.calls,
            time_ns: counts.time.map(nanoseconds),
            swaps: counts.swaps,
            restores: counts.restores,
            faults: counts.faults,
            violations: counts.violations,
            messages_dropped: counts.messages_dropped,
        }
    }
}

#[derive(Deserialize)]
struct MeasureTime {
    enable: bool,
}

/// Has calls into devices timed from now on, or no more.
fn measure_time(call: &Call<'_>, MeasureTime { enable }: MeasureTime) -> Result<Done, Error> {
    call.machine().measure_time(enable);
    Ok(Done {})
}

fn query_devices(call: &Call<'_>, _: NoArguments) -> Result<Vec<Device>, Error> {
    Ok(Device::all(call.machine()))
}

/// Arguments of `__org.southbridge_swap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Swap {
    /// The slot, by its device's id in the machine.
    pub slot: String,
    /// The new component: the name of one in the program, or a file as the process
    /// of the guest sees it.
    pub component: String,
    /// For how many milliseconds the old version is kept as a guard, if it is: should
    /// the new one fail, it answers and is back in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_ms: Option<u64>,
}

/// Compiles the component while other commands are executed.
fn swap(call: &Call<'_>, Swap { slot, component, guard_ms }: Swap) -> Result<Replaced, Error> {
    let image = call.setup().library.get(&component).map_err(Error::generic)?;
    let _turn = call.turn();
    let swapped = match guard_ms.map(Duration::from_millis) {
        Some(time) => call.machine().swap_guarded(&slot, &image, time),
        None => call.machine().swap(&slot, &image),
    };
    Ok(Replaced::new(slot, &swapped.map_err(Error::generic)?))
}

/// Arguments of `__org.southbridge_roll-back`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollBack {
    /// The slot.
    pub slot: String,
}

fn roll_back(call: &Call<'_>, RollBack { slot }: RollBack) -> Result<Replaced, Error> {
    let swapped = call.machine().roll_back(&slot).map_err(Error::generic)?;
    Ok(Replaced::new(slot, &swapped))
}

/// A replacement that took place. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Replaced {
    /// The slot.
    pub slot: String,
    /// What was plugged: name, version, build.
    pub from: String,
    /// What is plugged now.
    pub to: String,
    /// How long the slot did not answer, in microseconds.
    pub blackout_us: u64,
    /// Whether the state moved over: false if the old device was out of service.
    pub state_moved: bool,
    /// How old the checkpoint was, by the machine's clock in nanoseconds, if the
    /// new device started from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_age_ns: Option<u64>,
}

impl Replaced {
    pub(in super::super) fn new(slot: String, swapped: &Swapped) -> Self {
        Self {
            slot,
            from: swapped.from.title(),
            to: swapped.to.title(),
            blackout_us: u64::try_from(swapped.blackout.as_micros()).unwrap_or(u64::MAX),
            state_moved: swapped.state_moved,
            checkpoint_age_ns: swapped.checkpoint_age.map(nanoseconds),
        }
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, from, to, blackout_us, state_moved, checkpoint_age_ns } = self;
        write!(f, "{slot}: {from} -> {to}, blackout {blackout_us} us")?;
        match checkpoint_age_ns {
            _ if *state_moved => Ok(()),
            Some(age) => {
                write!(f, ", with the checkpoint of {:.1?} before", Duration::from_nanos(*age))
            }
            None => {
                f.write_str(", reset: the old device was out of service and had no state to move")
            }
        }
    }
}

/// Arguments of `__org.southbridge_save-state`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaveState {
    /// The file, as the process of the guest sees it. It is complete or as it was.
    pub filename: String,
}

/// A state that was saved. Displays as one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Saved {
    /// The file.
    pub filename: String,
    /// How many sections it has.
    pub sections: usize,
    /// Its size.
    pub bytes: usize,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { filename, sections, bytes } = self;
        write!(f, "{filename}: {sections} sections, {bytes} bytes")
    }
}

/// Saves the state of all devices, as a whole or not at all: the file appears, or
/// takes the place of another, when it is complete.
fn save_state(call: &Call<'_>, SaveState { filename }: SaveState) -> Result<Saved, Error> {
    let saved = call.guest().still(|machine| machine.save_stream());
    let saved = saved.ok_or_else(|| Error::generic("the machine does not stand still"))?;
    let stream = saved.map_err(Error::generic)?;
    let bytes = stream.write(&[]);
    write(filename.as_ref(), &bytes)
        .map_err(|error| Error::generic(format_args!("{filename}: cannot write: {error}")))?;
    Ok(Saved { filename, sections: stream.devices.sections.len(), bytes: bytes.len() })
}

/// Writes a file that is either whole or as it was.
pub(super) fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = PathBuf::from(path).with_file_name(name);
    let result = File::create(&new).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    });
    if result.is_err() {
        // What is left of it is of no use to anybody.
        let _ = fs::remove_file(&new);
    }
    result
}

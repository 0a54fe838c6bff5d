//! Southbridge's own commands: what is in each slot, and replacing it. Their names
//! follow QEMU's rules for those of others (`docs/devel/qapi-code-gen.rst`).

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::control::qmp::{Call, Error, NoArguments, Registry};
use crate::slot::{Status, Swapped};

pub(super) fn register(registry: &mut Registry) {
    registry.add("__org.southbridge_query-devices", query_devices);
    registry.add_at_once("__org.southbridge_swap", swap);
    registry.add("__org.southbridge_roll-back", roll_back);
    registry.add("__org.southbridge_save-state", save_state);
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
    /// Calls into the device.
    pub calls: u64,
    /// Replacements that succeeded.
    pub swaps: u64,
    /// Faults.
    pub faults: u64,
    /// Effects that named something undeclared.
    pub violations: u64,
}

impl From<&Status> for Device {
    fn from(status: &Status) -> Self {
        Self {
            slot: status.name.to_string(),
            device: status.image.title(),
            hash: status.image.hash().into(),
            fault: status.fault.as_ref().map(ToString::to_string),
            calls: status.counts.calls,
            swaps: status.counts.swaps,
            faults: status.counts.faults,
            violations: status.counts.violations,
        }
    }
}

fn query_devices(call: &Call<'_>, _: NoArguments) -> Result<Vec<Device>, Error> {
    Ok(call.machine().status().iter().map(Device::from).collect())
}

/// Arguments of `__org.southbridge_swap`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swap {
    /// The slot, by its device's id in the machine.
    pub slot: String,
    /// The new component: the name of one in the program, or a file as the process
    /// of the guest sees it.
    pub component: String,
}

/// Compiles the component while other commands are executed.
fn swap(call: &Call<'_>, Swap { slot, component }: Swap) -> Result<Replaced, Error> {
    let image = call.setup().library.get(&component).map_err(Error::generic)?;
    let _turn = call.turn();
    let swapped = call.machine().swap(&slot, &image).map_err(Error::generic)?;
    Ok(Replaced::new(slot, &swapped))
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
}

impl Replaced {
    fn new(slot: String, swapped: &Swapped) -> Self {
        Self {
            slot,
            from: swapped.from.title(),
            to: swapped.to.title(),
            blackout_us: u64::try_from(swapped.blackout.as_micros()).unwrap_or(u64::MAX),
            state_moved: swapped.state_moved,
        }
    }
}

impl fmt::Display for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, from, to, blackout_us, state_moved } = self;
        write!(f, "{slot}: {from} -> {to}, blackout {blackout_us} us")?;
        if !state_moved {
            f.write_str(", reset: the old device was out of service and had no state to move")?;
        }
        Ok(())
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

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
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

//! Southbridge's own: another version that runs beside a device, and takes its place
//! once it has been seen to do the same.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::devices::Replaced;
use crate::control::qmp::{Call, Done, Error, Registry};
use crate::slot::{Difference, ShadowStatus, Verdict};

pub(super) fn register(registry: &mut Registry) {
    registry.add_at_once("__org.southbridge_shadow", shadow);
    registry.add("__org.southbridge_query-shadow", query_shadow);
    registry.add("__org.southbridge_commit", commit);
    registry.add("__org.southbridge_end-shadow", end_shadow);
}

/// Arguments of `__org.southbridge_shadow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    /// The slot.
    pub slot: String,
    /// The version: the name of one in the program, or a file as the process of the
    /// guest sees it.
    pub component: String,
    /// How many accesses of the guest are to agree.
    pub accesses: u64,
}

/// Compiles the component while other commands are executed.
fn shadow(call: &Call<'_>, given: Shadow) -> Result<Done, Error> {
    let Shadow { slot, component, accesses } = given;
    let image = call.setup().library.get(&component).map_err(Error::generic)?;
    let _turn = call.turn();
    call.machine().shadow(&slot, &image, accesses).map_err(Error::generic)?;
    Ok(Done {})
}

/// Arguments of the commands that name a shadow by its slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowOf {
    /// The slot.
    pub slot: String,
}

/// What is known of a shadow. Displays as lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ShadowNews {
    /// The slot.
    pub slot: String,
    /// The version: name, version, build.
    pub device: String,
    /// How many accesses of the guest were to agree.
    pub wanted: u64,
    /// How many have agreed.
    pub accesses: u64,
    /// How many calls of any kind have.
    pub calls: u64,
    /// `running`, `agreed`, `differed` or `ended`.
    pub status: String,
    /// Why it ended, if it did otherwise than by agreeing or differing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// In what it differed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<ShadowDifference>,
}

/// The first call in which a shadow differed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowDifference {
    /// The machine's clock, in nanoseconds.
    pub time: u64,
    /// The call.
    pub input: String,
    /// What the device in the slot did.
    pub expected: String,
    /// What the shadow did.
    pub found: String,
    /// The calls before, the oldest first.
    pub history: Vec<String>,
}

impl ShadowNews {
    fn new(slot: String, status: ShadowStatus) -> Self {
        let ShadowStatus { image, wanted, accesses, calls, verdict } = status;
        let (status, reason, difference) = match verdict {
            Verdict::Running => ("running", None, None),
            Verdict::Agreed => ("agreed", None, None),
            Verdict::Ended(reason) => ("ended", Some(reason.into()), None),
            Verdict::Differed(Difference { time, input, expected, found, history }) => {
                let difference = ShadowDifference { time, input, expected, found, history };
                ("differed", None, Some(difference))
            }
        };
        let device = image.title();
        Self { slot, device, wanted, accesses, calls, status: status.into(), reason, difference }
    }

    /// Whether it goes on.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }

    /// Whether it may be committed.
    #[must_use]
    pub fn has_agreed(&self) -> bool {
        self.status == "agreed"
    }
}

impl fmt::Display for ShadowNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, device, wanted, accesses, calls, status, reason, difference } = self;
        write!(f, "{slot}: {device} as a shadow: {status}")?;
        match reason {
            Some(reason) => write!(f, ": {reason}")?,
            None => write!(f, " in {accesses} of {wanted} accesses, {calls} calls")?,
        }
        let Some(difference) = difference else { return Ok(()) };
        let ShadowDifference { time, input, expected, found, history } = difference;
        for line in history {
            write!(f, "\n  {line}")?;
        }
        write!(f, "\n  {time}: {input}\n    the device {expected}\n    the shadow {found}")
    }
}

fn query_shadow(call: &Call<'_>, ShadowOf { slot }: ShadowOf) -> Result<ShadowNews, Error> {
    let status = call.machine().shadow_status(&slot).map_err(Error::generic)?;
    let status = status.ok_or_else(|| no_shadow(&slot))?;
    Ok(ShadowNews::new(slot, status))
}

/// Arguments of `__org.southbridge_commit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Commit {
    /// The slot.
    pub slot: String,
    /// For how many milliseconds the old version is kept as a guard, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard_ms: Option<u64>,
}

fn commit(call: &Call<'_>, Commit { slot, guard_ms }: Commit) -> Result<Replaced, Error> {
    let time = guard_ms.map(Duration::from_millis);
    let swapped = call.machine().commit(&slot, time).map_err(Error::generic)?;
    Ok(Replaced::new(slot, &swapped))
}

fn end_shadow(call: &Call<'_>, ShadowOf { slot }: ShadowOf) -> Result<Done, Error> {
    match call.machine().end_shadow(&slot).map_err(Error::generic)? {
        true => Ok(Done {}),
        false => Err(no_shadow(&slot)),
    }
}

fn no_shadow(slot: &str) -> Error {
    Error::generic(format_args!("slot {slot}: there is no shadow"))
}

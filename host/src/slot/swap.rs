//! Replaces the device in a slot under a running guest.
//!
//! All that takes long happens while the guest still has the old device: compiling,
//! linking and configuring the new instance, and moving the state over, which is saved
//! for that and compared. Then the slot is locked, and if the state is still that, one
//! pointer changes. If it is another one by then, a new instance takes it over under the
//! lock. Until the pointer changes the old device is untouched, so any failure simply
//! drops the new one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::companion::{Companion, can_be_two};
use super::downgrade::downgrade;
use super::{Plugged, Slot, compare};
use crate::component::{
    Description, Effects, Error, Fault, Image, Instance, Refusal, Scope, Section, StateDescription,
};

/// Why a device was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum SwapError {
    /// The new version cannot be plugged at all.
    #[error("the new version {0}")]
    Unusable(#[from] Error),
    /// The new version's regions, lines or the like are not the old one's, so
    /// that the machine is wired for another device.
    #[error("the new version declares other {what}: {found}, where the old one has {expected}")]
    OtherShape {
        /// What differs: `lines`, `regions` ...
        what: &'static str,
        /// What the new version declares.
        found: String,
        /// What the old version declares.
        expected: String,
    },
    /// The new version does not take the old one's state.
    #[error("the new version refuses the state: {}", describe(.0))]
    Refused(Refusal),
    /// The new version took the state and holds another one.
    #[error("the new version does not keep the state: {0}")]
    StateLost(String),
    /// The new version failed.
    #[error("the new version failed: {0}")]
    NewFaulted(Fault),
    /// The old version failed while it was saved; it is out of service now.
    #[error("the old version failed: {0}")]
    OldFaulted(Fault),
    /// The old version is out of service, and the new one does not take the
    /// state that is kept.
    #[error("with the checkpoint of {age:.1?} before: {source}")]
    Checkpoint {
        /// How old it is by the machine's clock.
        age: Duration,
        /// What is wrong.
        source: Box<Self>,
    },
    /// Requests to the device's drives do not end.
    #[error("{0} requests to the device's drives do not end: is one held back after an error?")]
    Busy(usize),
    /// Only a device that is in service can have a shadow.
    #[error("the device is out of service: it has nothing to compare with")]
    NothingToShadow,
    /// With the same state the version drives other lines, regions or timers, or asks
    /// its drives for something.
    #[error("with the state of the device the new version does not drive what the device drives")]
    OtherOutputs,
    /// There cannot be two of the device.
    #[error("the device {0}: there cannot be two of it")]
    NotTwo(&'static str),
    /// There is nothing to commit.
    #[error("the slot has no shadow")]
    NoShadow,
    /// It is too early to commit.
    #[error("the shadow has agreed in {accesses} of {wanted} accesses so far")]
    ShadowRuns {
        /// Accesses in which it has agreed.
        accesses: u64,
        /// How many it was to be.
        wanted: u64,
    },
    /// The shadow did something else.
    #[error("the shadow did not do what the device did")]
    ShadowDiffered,
    /// The shadow has not come to its end.
    #[error("the shadow ended before its time: {0}")]
    ShadowEnded(&'static str),
    /// There is nothing to go back to.
    #[error("there is no earlier version to go back to")]
    NoPrevious,
    /// Only a device that has failed can be put back in service.
    #[error("the device is in service: only one that has failed is restored")]
    InService,
    /// There is nothing to restore.
    #[error("there is no checkpoint: none was taken since the last reset")]
    NoCheckpoint,
}

fn describe(refusal: &Refusal) -> String {
    let Refusal { section, field, offset, reason } = refusal;
    match (section.is_empty(), field.is_empty()) {
        (true, _) => reason.clone(),
        (_, true) => format!("section {section}: {reason}"),
        _ => format!("section {section}, field {field} at offset {offset}: {reason}"),
    }
}

/// A replacement that took place.
#[derive(Clone, Debug)]
pub struct Swapped {
    /// What was plugged.
    pub from: Image,
    /// What is plugged now.
    pub to: Image,
    /// How long the slot was locked: the longest an access can have waited.
    pub blackout: Duration,
    /// Whether the state moved over. A device that was out of service has none
    /// to move: the new one starts from the checkpoint, or as after a reset.
    pub state_moved: bool,
    /// How old the checkpoint was, by the machine's clock, if the new device
    /// started from it.
    pub checkpoint_age: Option<Duration>,
}

/// How long an exchange waits for requests to drives to end.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// A new device that is to take a place in which another one is.
pub(super) struct Candidate {
    image: Image,
    pub(super) instance: Instance,
    pub(super) state: Arc<StateDescription>,
    /// What was in that place when the two were compared.
    fits: Image,
    /// The state that it has taken over already.
    holds: Option<Vec<Section>>,
}

impl Candidate {
    /// Checks that it has the shape of what is plugged: another swap may have been faster.
    pub(super) fn check(&self, plugged: &Image) -> Result<(), SwapError> {
        // To compare takes longer than all else that accesses wait for.
        if plugged.hash() == self.fits.hash() {
            return Ok(());
        }
        same_shape(plugged.description(), self.image.description())
    }
}

/// Where a new device's state came from.
pub(super) enum Origin {
    /// From the device before.
    Old,
    /// From the state that was kept.
    Checkpoint {
        /// How old it was.
        age: Duration,
    },
    /// From nowhere.
    Reset,
}

impl Slot {
    /// Replaces the device. On an error the old one is in place, untouched.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn swap(&self, image: &Image, effects: &mut Effects) -> Result<Swapped, SwapError> {
        self.replace(image, None, effects)
    }

    /// Replaces the device, and keeps the old one as a guard for some time: it hears of
    /// all that is done to the new one, and if that fails it answers instead and is back
    /// in its place. On an error the old one is in place, untouched.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn swap_guarded(
        &self,
        image: &Image,
        time: Duration,
        effects: &mut Effects,
    ) -> Result<Swapped, SwapError> {
        can_be_two(image.description())?;
        self.replace(image, Some(time), effects)
    }

    fn replace(
        &self,
        image: &Image,
        guarded: Option<Duration>,
        effects: &mut Effects,
    ) -> Result<Swapped, SwapError> {
        let mut new = self.prepare(image)?;
        self.rehearse(&mut new, effects)?;
        let mut locked = Duration::ZERO;
        let (mut plugged, start, old_state, (origin, mut old)) = loop {
            let (mut plugged, requests) = self.lock_idle(LONGEST_WAIT);
            if requests != 0 {
                return Err(SwapError::Busy(requests));
            }
            let start = Instant::now();
            let old_state = plugged.state.clone();
            if self.is_still(&mut plugged, &new, effects)? {
                let seated = self.seat(&mut plugged, new, effects)?;
                break (plugged, start, old_state, seated);
            }
            drop(plugged);
            locked = start.elapsed();
            // An instance takes over one state. The next one takes what there is when
            // the slot is locked.
            new = self.prepare(image)?;
        };
        plugged.counts.swaps += 1;
        let from = std::mem::replace(&mut plugged.image, image.clone());
        plugged.previous = Some(from.clone());
        if let Some(time) = guarded
            && let Some(old) = old.take()
        {
            plugged.companion = Some(Companion::guard(from.clone(), old_state, old, time).into());
            plugged.listen();
        }
        drop(plugged);
        let blackout = start.elapsed().max(locked);
        // Unmapping the old one's memory takes long and disturbs nobody now.
        drop(old);
        Ok(Swapped::new(from, image.clone(), blackout, origin))
    }

    /// Goes back to the version that the last swap replaced.
    ///
    /// # Errors
    /// There is none, or a check failed.
    pub fn roll_back(&self, effects: &mut Effects) -> Result<Swapped, SwapError> {
        let previous = self.lock().previous.clone();
        self.swap(&previous.ok_or(SwapError::NoPrevious)?, effects)
    }

    /// All of a swap that does not need the slot.
    pub(super) fn prepare(&self, image: &Image) -> Result<Candidate, SwapError> {
        let fits = self.image();
        same_shape(fits.description(), image.description())?;
        let (instance, state) = self.setting.instantiate(image)?;
        Ok(Candidate { image: image.clone(), instance, state, fits, holds: None })
    }

    /// Has a new device take over the state that the one in the slot has now, while that
    /// one goes on.
    fn rehearse(&self, new: &mut Candidate, effects: &mut Effects) -> Result<(), SwapError> {
        let mut plugged = self.lock();
        new.check(&plugged.image)?;
        let now = self.clock.now();
        let saved = self.save_whole(&mut plugged, now, effects).map_err(SwapError::OldFaulted)?;
        let old = plugged.state.clone();
        drop(plugged);
        if let Some(saved) = saved {
            hand_over(&old, &saved, &mut new.instance, &new.state, now)?;
            new.holds = Some(saved);
        }
        Ok(())
    }

    /// Whether the state that a new device has taken over, if it has, is that of the one
    /// in the slot.
    fn is_still(
        &self,
        plugged: &mut Plugged,
        new: &Candidate,
        effects: &mut Effects,
    ) -> Result<bool, SwapError> {
        let Some(held) = &new.holds else { return Ok(true) };
        let now = self.clock.now();
        let saved = self.save_whole(plugged, now, effects).map_err(SwapError::OldFaulted)?;
        Ok(saved.is_some_and(|saved| compare::same_bytes(held, &saved)))
    }

    /// Gives a new device the state of the one that is plugged, or was, unless it holds it
    /// already, and its place. On an error all is as it was, but a device that fails while
    /// it is saved is out of service.
    pub(super) fn seat(
        &self,
        plugged: &mut Plugged,
        new: Candidate,
        effects: &mut Effects,
    ) -> Result<(Origin, Option<Instance>), SwapError> {
        new.check(&plugged.image)?;
        let Candidate { instance: mut new, state, holds, .. } = new;
        if holds.is_some() {
            return Ok((Origin::Old, self.put(plugged, new, state, effects)));
        }
        let now = self.clock.now();
        let saved = self.save_whole(plugged, now, effects).map_err(SwapError::OldFaulted)?;
        let origin = match saved {
            Some(saved) => {
                hand_over(&plugged.state, &saved, &mut new, &state, now)?;
                Origin::Old
            }
            None => match plugged.checkpoint.clone() {
                Some(kept) => {
                    let age = kept.age(now);
                    // To the device it is the time of the checkpoint, and then
                    // the time passes, as if nobody had called it since.
                    hand_over(&kept.state, &kept.sections, &mut new, &state, kept.time)
                        .and_then(|()| tell_inputs(&kept.inputs, plugged, &mut new, now))
                        .map_err(|source| SwapError::Checkpoint { age, source: source.into() })?;
                    Origin::Checkpoint { age }
                }
                None => {
                    new.reset(now).map_err(SwapError::NewFaulted)?;
                    let low = vec![false; plugged.inputs.len()];
                    tell_inputs(&low, plugged, &mut new, now)?;
                    Origin::Reset
                }
            },
        };
        Ok((origin, self.put(plugged, new, state, effects)))
    }
}

/// Has the new version take a state over, and checks that it holds it then.
pub(super) fn hand_over(
    old: &StateDescription,
    saved: &[Section],
    new: &mut Instance,
    state: &StateDescription,
    now: u64,
) -> Result<(), SwapError> {
    let given = downgrade(old, saved.to_vec(), state).map_err(SwapError::StateLost)?;
    new.load(Scope::Whole, &given, now)
        .map_err(SwapError::NewFaulted)?
        .map_err(SwapError::Refused)?;
    let kept = new.save(Scope::Whole, now).map_err(SwapError::NewFaulted)?;
    compare::check(old, saved, state, &kept).map_err(SwapError::StateLost)
}

/// Tells the new version the input lines that are not as it knows them.
fn tell_inputs(
    known: &[bool],
    plugged: &Plugged,
    new: &mut Instance,
    now: u64,
) -> Result<(), SwapError> {
    for (line, (&known, &level)) in (0..).zip(known.iter().zip(&plugged.inputs)) {
        if known != level {
            new.line_changed(line, level, now).map_err(SwapError::NewFaulted)?;
        }
    }
    Ok(())
}

/// Checks that the machine can keep its wiring and its maps.
fn same_shape(old: &Description, new: &Description) -> Result<(), SwapError> {
    same("names", &[&old.name], &[&new.name])?;
    same("attachments", &[old.attachment], &[new.attachment])?;
    same("regions", &old.regions, &new.regions)?;
    same("lines", &old.lines, &new.lines)?;
    same("timers", &old.timers, &new.timers)?;
    same("buses", &old.buses, &new.buses)?;
    same("streams", &old.streams, &new.streams)?;
    same("windows", &old.windows, &new.windows)?;
    same("memories", &old.memories, &new.memories)?;
    same("drives", &old.drives, &new.drives)
}

fn same<T: std::fmt::Debug>(what: &'static str, old: &[T], new: &[T]) -> Result<(), SwapError> {
    // The contract's records have no equality of their own; their debug form
    // holds all their fields.
    let text = |item: Option<&T>| item.map_or_else(|| "nothing".into(), |item| format!("{item:?}"));
    let longest = old.len().max(new.len());
    let pairs = (0..longest).map(|index| (text(old.get(index)), text(new.get(index))));
    match pairs.into_iter().find(|(old, new)| old != new) {
        None => Ok(()),
        Some((expected, found)) => Err(SwapError::OtherShape { what, found, expected }),
    }
}

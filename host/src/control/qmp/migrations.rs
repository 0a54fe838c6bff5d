//! Migrations of a machine: one at a time, to elsewhere or to here.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fd::OwnedFd;
use serde::Serialize;

use super::{Error, Events};
use crate::guest::{Guest, HandOver, RunState};
use crate::migrate::{Arrived, Arriving, Cancel, Failure, Info, Leaving, Migration, Status, Uri};

/// Finds a descriptor that a client has given a name.
pub type Descriptors<'a> = &'a mut dyn FnMut(&str) -> Option<OwnedFd>;

/// What a machine's migrations are and were.
pub(super) struct Migrations {
    guest: Arc<Guest>,
    events: Arc<Events>,
    /// Whether clients hear of each change of its status: QEMU's capability `events`.
    tells: AtomicBool,
    /// The last one that was begun.
    last: Mutex<Option<Migration>>,
}

/// The data of the event `MIGRATION`.
#[derive(Serialize)]
struct Changed {
    status: &'static str,
}

impl Migrations {
    pub(super) fn new(guest: Arc<Guest>, events: Arc<Events>) -> Arc<Self> {
        let (tells, last) = (AtomicBool::new(false), Mutex::default());
        Arc::new(Self { guest, events, tells, last })
    }

    /// Begins to send the machine away.
    pub(super) fn send(
        self: &Arc<Self>,
        uri: &Uri,
        descriptors: Descriptors<'_>,
    ) -> Result<(), Error> {
        let mut last = self.last();
        match self.guest.state() {
            RunState::InMigrate => {
                return Err(Error::generic("Guest is waiting for an incoming migration"));
            }
            RunState::PostMigrate => {
                let what = "Can't migrate the vm that was paused due to previous migration";
                return Err(Error::generic(what));
            }
            _ => {}
        }
        check_ended(last.as_ref())?;
        self.guest.check_sendable().map_err(Error::generic)?;
        let cancel = Cancel::new().map_err(Error::generic)?;
        let target = uri.target(descriptors, &cancel).map_err(Error::generic)?;
        let (machine, blocks) = (self.guest.machine().clone(), self.guest.blocks().clone());
        let job = Migration::send(target, machine, blocks, self.leaving());
        *last = Some(job.map_err(Error::generic)?);
        Ok(())
    }

    /// What becomes of the guest while it is sent away.
    fn leaving(self: &Arc<Self>) -> Leaving {
        let leaving = Arc::new(Mutex::<Option<HandOver>>::default());
        let take = |leaving: &Mutex<Option<HandOver>>| {
            leaving.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let (stopping, staying, left) = (leaving.clone(), leaving.clone(), leaving);
        let (guest, own) = (self.guest.clone(), self.clone());
        Leaving {
            stop: Box::new(move || {
                let hand_over = guest.hand_over().map_err(|refused| refused.to_string())?;
                let stopped = hand_over.stopped();
                *stopping.lock().unwrap_or_else(PoisonError::into_inner) = Some(hand_over);
                Ok(stopped)
            }),
            // Dropped, it lets the guest go on.
            go_on: Box::new(move || drop(take(&staying))),
            changed: Box::new(move |status| {
                if status == Status::Completed
                    && let Some(hand_over) = take(&left)
                {
                    hand_over.finish();
                }
                own.tell(status);
            }),
        }
    }

    /// Begins to wait for the machine's state. If it does not come the guest ends, as
    /// in QEMU.
    pub(super) fn receive(
        self: &Arc<Self>,
        uri: &Uri,
        descriptors: Descriptors<'_>,
    ) -> Result<(), Error> {
        let mut last = self.last();
        if self.guest.state() != RunState::InMigrate {
            return Err(Error::generic("'-incoming' was not specified on the command line"));
        }
        if last.is_some() {
            return Err(Error::generic("The incoming migration has already been started"));
        }
        let cancel = Cancel::new().map_err(Error::generic)?;
        let origin = uri.origin(descriptors, &cancel).map_err(Error::generic)?;
        let (guest, own) = (self.guest.clone(), self.clone());
        let arriving = Arriving {
            processors: guest.processor_form(),
            ended: Box::new(move |result| settle_in(&guest, result)),
            changed: Box::new(move |status| own.tell(status)),
        };
        let (machine, blocks) = (self.guest.machine().clone(), self.guest.blocks().clone());
        let job = Migration::receive(origin, machine, blocks, arriving);
        *last = Some(job.map_err(Error::generic)?);
        Ok(())
    }

    /// Ends the migration that goes on, if one does.
    pub(super) fn cancel(&self) {
        let job = self.last().clone();
        if let Some(job) = job {
            job.cancel();
        }
    }

    /// How the last one stands.
    pub(super) fn info(&self) -> Option<Info> {
        self.last().as_ref().map(Migration::info)
    }

    /// Whether clients hear of each change.
    pub(super) fn tells(&self) -> bool {
        self.tells.load(Ordering::Relaxed)
    }

    /// Has clients hear of each change, or not.
    pub(super) fn set_tells(&self, tells: bool) -> Result<(), Error> {
        check_ended(self.last().as_ref())?;
        self.tells.store(tells, Ordering::Relaxed);
        Ok(())
    }

    fn tell(&self, status: Status) {
        if self.tells() {
            self.events.publish_with("MIGRATION", &Changed { status: status.name() });
        }
    }

    fn last(&self) -> MutexGuard<'_, Option<Migration>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_ended(job: Option<&Migration>) -> Result<(), Error> {
    if job.is_some_and(|job| !job.status().is_final()) {
        return Err(Error::generic("There's a migration process in progress"));
    }
    Ok(())
}

/// Lets the guest begin with the state that has arrived, or end because none has.
fn settle_in(guest: &Guest, result: Result<Arrived, Failure>) {
    let arrived = match result {
        Ok(arrived) => arrived,
        Err(failure) => return guest.fail(format!("load of migration failed: {}", failure.error)),
    };
    let kept = arrived.kept.iter().map(|(name, instance)| format!("{name} {instance}"));
    let kept = kept.chain(arrived.kept_blocks.iter().map(|(name, _)| name.clone()));
    let kept = kept.collect::<Vec<_>>().join(", ");
    if !kept.is_empty() {
        tracing::info!("kept for devices that are not there: {kept}");
    }
    if let Err(refused) = guest.arrived(&arrived) {
        guest.fail(format!("load of migration failed: {refused}"));
    }
}

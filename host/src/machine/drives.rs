//! The drives of a machine's devices.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use storage::{Action, Callbacks, ChangeError, Drive, ErrorReport, MediumInfo, Request, Setup};

use super::plan::Planned;
use super::{
    Backends, DeviceEvent, GivenDrive, HostDrive, ImageName, Inserted, Machine, Opened, PowerEvent,
};
use crate::component::{Effects, Failure, Medium, SlotId};

/// A drive of a device, as the operator knows it.
#[derive(Clone)]
pub struct MachineDrive {
    /// The host's name of it, in the machine file.
    pub name: String,
    /// The slot of the device.
    pub slot: Arc<str>,
    /// The drive's name in the device.
    pub drive: String,
    /// The drive itself.
    pub storage: Arc<Drive>,
    /// What the operator says of it.
    pub given: GivenDrive,
    /// Whether the operator has given it to the guest: there are places for more.
    pub attached: bool,
    image: Arc<Mutex<Option<ImageName>>>,
    opened: Arc<Mutex<Opened>>,
    number: (SlotId, u32),
}

impl MachineDrive {
    /// What the operator calls what is in it; none if it is empty.
    #[must_use]
    pub fn image(&self) -> Option<ImageName> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How what is in it was opened, or was last.
    #[must_use]
    pub fn opened(&self) -> Opened {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_image(&self, image: Option<ImageName>) {
        *self.image.lock().unwrap_or_else(PoisonError::into_inner) = image;
    }
}

/// What the host has for the drives of a device, in the order of its description.
fn connected<'a>(
    device: &'a Planned,
    backends: &'a Backends,
) -> impl Iterator<Item = (&'a String, Option<(&'a String, Option<&'a HostDrive>)>)> {
    device.image.description().drives.iter().map(|drive| {
        let name = device.entry.drives.get(drive).map(|name| &name.value);
        (drive, name.map(|name| (name, backends.drives.get(name))))
    })
}

/// What is in the drives of a device before the machine is built.
pub(super) fn media(device: &Planned, backends: &Backends) -> Vec<Option<Medium>> {
    let connected = connected(device, backends);
    connected.map(|(_, host)| host?.1?.info().map(medium)).collect()
}

const fn medium(info: MediumInfo) -> Medium {
    let MediumInfo { size, read_only } = info;
    Medium { size, read_only }
}

impl Machine {
    /// Makes the drives that devices are connected to.
    pub(super) fn make_drives(self: &Arc<Self>, backends: &Backends) -> Vec<MachineDrive> {
        let mut drives = Vec::new();
        for (slot, device) in self.slots.iter().zip(&self.planned) {
            for (number, (drive, host)) in (0..).zip(connected(device, backends)) {
                let Some((name, host)) = host else { continue };
                let host = host.cloned().unwrap_or_default();
                let inserted = host.take();
                let opened = inserted.as_ref().map(Opened::of);
                let (medium, image) = match inserted {
                    Some(Inserted { medium, name }) => (Some(medium), Some(name)),
                    None => (None, None),
                };
                let attached = host.given.is_some();
                let given = host.given.unwrap_or_else(|| GivenDrive::unknown(name));
                let opened = opened.unwrap_or(given.opened);
                let setup = Setup {
                    name: given.label.clone(),
                    policy: host.policy,
                    medium,
                    memory: Arc::new(slot.ram().clone()),
                    callbacks: callbacks(Arc::downgrade(self), slot.id(), number),
                };
                drives.push(MachineDrive {
                    name: name.clone(),
                    slot: slot.name().clone(),
                    drive: drive.clone(),
                    storage: Arc::new(Drive::new(setup)),
                    given,
                    attached,
                    image: Arc::new(Mutex::new(image)),
                    opened: Arc::new(Mutex::new(opened)),
                    number: (slot.id(), number),
                });
            }
        }
        drives
    }

    /// The drives that devices are connected to.
    #[must_use]
    pub fn drives(&self) -> &[MachineDrive] {
        self.drives.get().map_or(&[], Vec::as_slice)
    }

    /// Waits until all requests to drives have ended, and all they lead to. Those that
    /// are held after an error stay. The processors must be stopped.
    pub fn drain(&self) {
        // The end of a request may lead the device to make another one, of any drive.
        let done = |drive: &MachineDrive| {
            let before = drive.storage.statistics();
            drive.storage.drain();
            before == drive.storage.statistics()
        };
        loop {
            // All of them, also if one has had something to do.
            let idle = self.drives().iter().filter(|drive| done(drive)).count();
            if idle == self.drives().len() {
                return;
            }
        }
    }

    /// Tries again what was held after an error.
    pub fn retry_held_requests(&self) {
        self.drives().iter().for_each(|drive| drive.storage.resume());
    }

    /// Whether requests are held after an error.
    #[must_use]
    pub fn holds_requests(&self) -> bool {
        self.drives().iter().any(|drive| drive.storage.held().is_some())
    }

    /// Exchanges what is in a drive, and tells its device. `force` is
    /// [`Drive::change`]'s.
    ///
    /// # Errors
    /// The old medium stays.
    pub fn change_medium(
        &self,
        drive: &MachineDrive,
        new: Option<Inserted>,
        force: bool,
    ) -> Result<(), ChangeError> {
        let _exchanging = self.exchanging();
        let had = drive.storage.medium().is_some();
        let opened = new.as_ref().map(Opened::of);
        let (new, image) = match new {
            Some(Inserted { medium, name }) => (Some(medium), Some(name)),
            None => (None, None),
        };
        let old = drive.storage.change(new, force)?;
        drive.set_image(image);
        if let Some(opened) = opened {
            *drive.opened.lock().unwrap_or_else(PoisonError::into_inner) = opened;
        }
        let now = drive.storage.medium().map(medium);
        let (slot, number) = drive.number;
        if let Some(slot) = self.by_id(slot) {
            let mut effects = Effects::new();
            // What goes in while the tray is closed has it opened before.
            let has_tray = drive.given.kind.has_tray();
            let closed = has_tray && !drive.storage.is_tray_open();
            let between = ((had || closed) && now.is_some()).then_some(None);
            for medium in between.into_iter().chain([now]) {
                if has_tray {
                    self.tray_moved(drive, medium.is_none());
                }
                slot.medium_changed(number, medium, &mut effects);
                self.apply(&mut effects);
            }
        }
        drop(old);
        Ok(())
    }

    /// Forgets what is held: the devices that wait for it are reset.
    pub(super) fn forget_held_requests(&self) {
        for drive in self.drives() {
            let (slot, _) = drive.number;
            let forgotten = drive.storage.take_held().len();
            if let Some(slot) = self.by_id(slot) {
                slot.forget_requests(forgotten);
            }
        }
    }

    /// Has a request carried out; its end reaches the device later. A drive that is
    /// connected to nothing has no medium.
    pub(super) fn request(
        &self,
        slot: SlotId,
        drive: u32,
        tag: u32,
        request: Request,
        effects: &mut Effects,
    ) {
        let refused = match self.drive_of(slot, drive) {
            Some(connected) => connected.storage.submit(tag, request).err(),
            None => return self.complete(slot, drive, tag, &Err(Failure::Io), effects),
        };
        if let Some(error) = refused {
            tracing::error!(slot = slot.0, drive, %error, "a request was not taken");
            self.complete(slot, drive, tag, &Err(Failure::Io), effects);
        }
    }

    pub(super) fn tray(&self, slot: SlotId, drive: u32, open: bool) {
        if let Some(drive) = self.drive_of(slot, drive) {
            self.tray_moved(drive, open);
        }
    }

    /// The tray opens or closes, be it for the guest or for the operator.
    fn tray_moved(&self, drive: &MachineDrive, open: bool) {
        if drive.storage.tray(open) {
            self.tell_listeners(&DeviceEvent::Tray { drive: drive.given.clone(), open });
        }
    }

    pub(super) fn lock_medium(&self, slot: SlotId, drive: u32, locked: bool) {
        if let Some(drive) = self.drive_of(slot, drive) {
            drive.storage.set_locked(locked);
        }
    }

    fn drive_of(&self, slot: SlotId, drive: u32) -> Option<&MachineDrive> {
        self.drives().iter().find(|known| known.number == (slot, drive))
    }

    fn complete(
        &self,
        slot: SlotId,
        drive: u32,
        tag: u32,
        outcome: &Result<Vec<u8>, Failure>,
        effects: &mut Effects,
    ) {
        if let Some(slot) = self.by_id(slot) {
            slot.completed(drive, tag, outcome, effects);
        }
    }

    fn drive_failed(&self, report: &ErrorReport) {
        self.tell_listeners(&DeviceEvent::DriveFailed(report.clone()));
        if report.action == Action::Stop {
            (self.power)(PowerEvent::DriveFailed);
        }
    }
}

/// What a drive tells a machine that may be gone by then.
fn callbacks(machine: Weak<Machine>, slot: SlotId, drive: u32) -> Callbacks {
    let failed = machine.clone();
    Callbacks {
        completed: Box::new(move |tag, outcome| {
            let Some(machine) = machine.upgrade() else { return };
            let outcome = outcome.map_err(|failure| match failure {
                storage::Failure::Io => Failure::Io,
                storage::Failure::NoSpace => Failure::NoSpace,
            });
            let mut effects = Effects::new();
            machine.complete(slot, drive, tag, &outcome, &mut effects);
            machine.apply(&mut effects);
        }),
        failed: Box::new(move |report| {
            if let Some(machine) = failed.upgrade() {
                machine.drive_failed(report);
            }
        }),
    }
}

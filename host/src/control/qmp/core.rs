//! What all monitors of a machine share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::fdsets::Fdsets;
use super::json::Style;
use super::migrations::Migrations;
use super::{Descriptors, Error, Events, Hmp, Monitor, PersonMonitor, Registry, Setup, commands};
use crate::guest::Event;
use crate::migrate::Uri;

/// A machine's QMP.
#[derive(Clone)]
pub struct Qmp(pub(super) Arc<Core>);

pub(super) struct Core {
    pub(super) setup: Setup,
    pub(super) registry: Registry,
    pub(super) hmp: Hmp,
    pub(super) events: Arc<Events>,
    pub(super) fdsets: Arc<Fdsets>,
    pub(super) migrations: Arc<Migrations>,
    /// Held by whoever executes a command.
    turn: Mutex<()>,
}

impl Qmp {
    /// The QMP of a machine, of which there is one. Its monitors execute commands
    /// only while the guest is run.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let events = Arc::new(Events::default());
        let bus = events.clone();
        setup.guest.listen(Arc::new(move |event| publish(&bus, event)));
        let bus = events.clone();
        let devices = setup.guest.machine();
        devices.listen(Arc::new(move |event| commands::faults::publish(&bus, event)));
        let fdsets = Arc::new(Fdsets::new(setup.guest.clone()));
        let migrations = Migrations::new(setup.guest.clone(), events.clone());
        Self(Arc::new(Core {
            setup,
            registry: commands::registry(),
            hmp: commands::human::commands(),
            events,
            fdsets,
            migrations,
            turn: Mutex::new(()),
        }))
    }

    /// A monitor, for one client at a time.
    #[must_use]
    pub fn monitor(&self, style: Style) -> Monitor {
        Monitor::new(self.0.clone(), style)
    }

    /// A monitor for a person at a terminal.
    #[must_use]
    pub fn person_monitor(&self) -> PersonMonitor {
        PersonMonitor::new(self.0.clone())
    }

    /// Where events are published that clients are to hear of.
    #[must_use]
    pub fn events(&self) -> &Arc<Events> {
        &self.0.events
    }

    /// Has a guest that waits for its state receive it from there. If it does not come
    /// the guest ends, as in QEMU.
    ///
    /// # Errors
    /// There is no such file or descriptor, the host refuses to listen, or the guest
    /// does not wait for a state. QEMU's words where QEMU has them.
    pub fn receive(&self, uri: &Uri, descriptors: Descriptors<'_>) -> Result<(), Error> {
        self.0.migrations.receive(uri, descriptors)
    }

    /// The commands there are.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.0.registry
    }
}

impl Core {
    /// Waits until no other command is executed.
    pub(super) fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells clients what happened to the machine as a whole.
fn publish(events: &Events, event: Event) {
    #[derive(serde::Serialize)]
    struct Why {
        guest: bool,
        reason: &'static str,
    }
    #[derive(serde::Serialize)]
    struct Panicked {
        action: &'static str,
    }
    let name = match event {
        Event::Stop => "STOP",
        Event::Resume => "RESUME",
        Event::Reset(cause) | Event::Shutdown(cause) => {
            let name = if matches!(event, Event::Reset(_)) { "RESET" } else { "SHUTDOWN" };
            events.publish_with(name, &Why { guest: cause.is_guest(), reason: cause.name() });
            return;
        }
        Event::Panicked => {
            events.publish_with("GUEST_PANICKED", &Panicked { action: "pause" });
            return;
        }
        Event::PowerDown => "POWERDOWN",
        Event::Suspend => "SUSPEND",
        Event::SuspendDisk => "SUSPEND_DISK",
        Event::Wakeup => "WAKEUP",
    };
    events.publish(name);
}

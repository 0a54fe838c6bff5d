//! Interrupt lines, on their way from devices to clients.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::outbox::Outbox;
use super::request::Side;

/// Who hears of the inputs of the I/O APIC.
#[derive(Default)]
pub(super) struct Interrupts(Mutex<Listeners>);

#[derive(Default)]
struct Listeners {
    /// What the first client that asked wanted. It holds for the machine's life
    /// and for all clients, as in QEMU.
    intercepted: Option<Side>,
    clients: Vec<Arc<Outbox>>,
}

impl Interrupts {
    /// Intercepts lines, unless some are intercepted already.
    pub(super) fn intercept(&self, side: Side) {
        self.lock().intercepted.get_or_insert(side);
    }

    /// An input of the I/O APIC is driven.
    pub(super) fn set(&self, pin: usize, level: bool) {
        let listeners = self.lock();
        // The I/O APIC drives no line of its own: whoever listens to its outputs
        // hears nothing.
        if listeners.intercepted == Some(Side::Inputs) {
            listeners.clients.iter().for_each(|client| client.interrupt(pin, level));
        }
    }

    pub(super) fn add(&self, client: Arc<Outbox>) {
        self.lock().clients.push(client);
    }

    pub(super) fn remove(&self, client: &Arc<Outbox>) {
        self.lock().clients.retain(|other| !Arc::ptr_eq(other, client));
    }

    fn lock(&self) -> MutexGuard<'_, Listeners> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

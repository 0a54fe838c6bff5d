//! Events to all clients that want to hear of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use super::json::write;
use super::session::Session;

/// Where events are published. Each goes to every client that has negotiated its
/// capabilities.
#[derive(Default)]
pub struct Events(Mutex<Vec<Arc<Session>>>);

#[derive(Serialize)]
struct Event<'a, D> {
    timestamp: Timestamp,
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a D>,
}

/// Host time since 1970.
#[derive(Clone, Copy, Serialize)]
struct Timestamp {
    seconds: u64,
    microseconds: u32,
}

impl Events {
    /// Publishes an event without data. Waits for no client.
    pub fn publish(&self, event: &str) {
        self.send::<()>(event, None);
    }

    /// Publishes an event with data: something that serializes as an object.
    pub fn publish_with(&self, event: &str, data: &impl Serialize) {
        self.send(event, Some(data));
    }

    fn send<D: Serialize>(&self, event: &str, data: Option<&D>) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let timestamp = Timestamp { seconds: now.as_secs(), microseconds: now.subsec_micros() };
        let event = Event { timestamp, event, data };
        // The lock is held while it is sent, so that all hear events in one order.
        for session in self.sessions().iter().filter(|session| session.hears_events()) {
            let mut text = Vec::new();
            write(&event, session.style, &mut text);
            session.send(&text);
        }
    }

    pub(super) fn add(&self, session: Arc<Session>) {
        self.sessions().push(session);
    }

    pub(super) fn remove(&self, session: &Arc<Session>) {
        self.sessions().retain(|other| !Arc::ptr_eq(other, session));
    }

    fn sessions(&self) -> MutexGuard<'_, Vec<Arc<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

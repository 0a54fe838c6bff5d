//! A recording's monitor commands, given to a machine's QMP.

use serde_json::{Value, json};
use southbridge_sdk::fake::trace::Step;

use super::qmp_peer::Peer;

/// What the recording says: events and the reply. Some recorders kept them whole.
pub(crate) fn recorded(step: &Step<'_>) -> Vec<Value> {
    let said = step.events.iter().chain([&step.reply]);
    said.map(|said| essence(serde_json::from_str(said).expect("QEMU sends JSON"))).collect()
}

/// What the machine says to a command: events, and the answer.
pub(crate) fn said(peer: &mut Peer, command: &str) -> Vec<Value> {
    peer.send(json!({"execute": command}).to_string().as_bytes());
    let (said, answer) = peer.events_and_answer();
    said.into_iter().chain([answer]).map(essence).collect()
}

/// An event without its time, what a command returns, or its error.
fn essence(said: Value) -> Value {
    let mut said = said.get("return").cloned().unwrap_or(said);
    if let Some(members) = said.as_object_mut() {
        members.remove("timestamp");
        members.remove("singlestep");
    }
    said
}

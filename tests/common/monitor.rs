//! A recording's monitor commands, given to a machine's QMP.

use serde_json::{Value, json};
use southbridge_sdk::fake::trace::Step;

use super::qmp_peer::Peer;

/// What the recording says: events and the reply.
pub(crate) fn recorded(step: &Step<'_>) -> Vec<Value> {
    let said = step.events.iter().chain([&step.reply]);
    said.map(|said| serde_json::from_str(said).expect("QEMU sends JSON")).collect()
}

/// What the machine says to a command, as the recorder noted it: events without their
/// times, and what the command returns, or its error.
pub(crate) fn said(peer: &mut Peer, command: &str) -> Vec<Value> {
    peer.send(json!({"execute": command}).to_string().as_bytes());
    let (mut said, answer) = peer.events_and_answer();
    let without = |value: &mut Value, member| {
        value.as_object_mut().and_then(|members| members.remove(member));
    };
    said.iter_mut().for_each(|event| without(event, "timestamp"));
    let mut answer = answer.get("return").cloned().unwrap_or(answer);
    without(&mut answer, "singlestep");
    said.push(answer);
    said
}

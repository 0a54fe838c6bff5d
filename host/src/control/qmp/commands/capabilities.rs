//! What is agreed with a client, and what there is to agree on (QEMU's
//! `qapi/control.json`).

use serde::{Deserialize, Serialize};

use crate::control::qmp::session::Capabilities;
use crate::control::qmp::{Call, Done, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add("qmp_capabilities", qmp_capabilities);
    registry.add("query-commands", query_commands);
}

#[derive(Deserialize)]
struct Enable {
    enable: Option<Vec<Capability>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Capability {
    Oob,
}

/// Ends the negotiation.
fn qmp_capabilities(call: &Call<'_>, Enable { enable }: Enable) -> Result<Done, Error> {
    let out_of_band = enable.unwrap_or_default().contains(&Capability::Oob);
    call.session.agree(Capabilities { out_of_band });
    Ok(Done {})
}

#[derive(Serialize)]
struct CommandInfo {
    name: &'static str,
}

fn query_commands(call: &Call<'_>, _: NoArguments) -> Result<Vec<CommandInfo>, Error> {
    Ok(call.registry().names().map(|name| CommandInfo { name }).collect())
}

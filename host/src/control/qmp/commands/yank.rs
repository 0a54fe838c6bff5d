//! Connections that a client can cut when a command hangs on them (QEMU's
//! `qapi/yank.json`). No command here hangs on one, so there is none to cut.

use serde::{Deserialize, Serialize};

use crate::control::qmp::{Call, Class, Done, Error, NoArguments, Registry};

pub(super) fn register(registry: &mut Registry) {
    registry.add_out_of_band("query-yank", query_yank);
    registry.add_out_of_band("yank", yank);
}

#[derive(Deserialize)]
struct Yank {
    instances: Vec<Instance>,
}

/// `YankInstance`. Which of the others there are depends on its type; none has any
/// here.
#[derive(Deserialize, Serialize)]
struct Instance {
    r#type: Kind,
    id: String,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Chardev,
}

fn query_yank(_: &Call<'_>, _: NoArguments) -> Result<Vec<Instance>, Error> {
    Ok(Vec::new())
}

fn yank(_: &Call<'_>, Yank { instances }: Yank) -> Result<Done, Error> {
    match instances.is_empty() {
        true => Ok(Done {}),
        false => Err(Error::new(Class::DeviceNotFound, "Instance not found")),
    }
}

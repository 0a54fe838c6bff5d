//! `southbridge state describe`.

use serde_json::{Map, Value as Json, json};

use crate::cli::Result;
use crate::component::Property;
use crate::machine::{DescribedSlot, Machine, Plan};

/// A section, and the devices that save it so.
struct Section {
    name: String,
    dump: Json,
    devices: Vec<Json>,
}

/// What the devices of a planned machine save, in the shape of QEMU's
/// `-dump-vmstate`: the machine's name as `vmschkmachine`, and an object per
/// section, which also has the devices that save it.
pub(super) fn describe(plan: &Plan) -> Result<Json> {
    let machine = Machine::build_alone(plan)?;
    let mut sections: Vec<Section> = Vec::new();
    for slot in machine.describe_state() {
        for (name, dump) in slot.state.dump() {
            let device = device(&slot);
            let same = |known: &&mut Section| known.name == name && known.dump == dump;
            match sections.iter_mut().find(same) {
                Some(known) => known.devices.push(device),
                None => sections.push(Section { name, dump, devices: vec![device] }),
            }
        }
    }
    let mut object = Map::from_iter([("vmschkmachine".into(), json!({"Name": machine.name()}))]);
    for Section { name, mut dump, devices } in sections {
        // Two devices of one kind may save differently: the machine says so.
        let key = match object.contains_key(&name) {
            true => format!("{name} of {}", devices[0]["id"].as_str().unwrap_or_default()),
            false => name,
        };
        dump["devices"] = devices.into();
        object.insert(key, dump);
    }
    Ok(object.into())
}

fn device(slot: &DescribedSlot) -> Json {
    let properties = slot.properties.iter().cloned();
    let properties = properties.map(|Property { name, value }| (name, value.into()));
    let properties: Map<_, _> = properties.collect();
    json!({"id": &*slot.slot, "component": slot.component, "properties": properties})
}

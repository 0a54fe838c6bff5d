use std::collections::BTreeMap;

use serde_json::{Map, Value, to_value};
use southbridge::control::monitor::query_machines;
use southbridge::machine::file::MachineTypes;
use southbridge::vm::MAX_CPUS;

use crate::common::data;

fn by_name(list: Value) -> BTreeMap<String, Map<String, Value>> {
    let list: Vec<Map<String, Value>> = serde_json::from_value(list).unwrap();
    list.into_iter().map(|info| (info["name"].as_str().unwrap().to_owned(), info)).collect()
}

#[test]
fn all_machine_types_are_listed_in_qemus_schema() {
    let types = MachineTypes::builtin().unwrap();
    let own = by_name(to_value(query_machines(&types, "pc")).unwrap());
    let recorded: Value =
        serde_json::from_slice(&data::bytes("monitor/query-machines.json")).unwrap();
    let recorded = by_name(recorded["return"].clone());
    assert_eq!(own.len(), types.iter().count());
    for (name, theirs) in &recorded {
        let old = theirs["deprecated"] == true;
        let Some(info) = own.get(name) else {
            assert!(old, "{name}");
            continue;
        };
        // Which one is the newest differs from version to version.
        for key in info.keys().filter(|key| *key != "is-default") {
            assert!(theirs.contains_key(key), "{name} {key}");
        }
        if name != "pc-i440fx-7.2" {
            assert_eq!(info.get("alias"), theirs.get("alias"), "{name}");
        }
        assert_eq!(info["deprecated"], false);
        assert_eq!(info["cpu-max"], MAX_CPUS);
        assert_eq!(
            (&info["hotpluggable-cpus"], &info["numa-mem-supported"]),
            (&false.into(), &false.into())
        );
    }
    let defaults: Vec<_> = own.values().filter(|info| info.contains_key("is-default")).collect();
    assert_eq!(defaults.len(), 1);
    assert_eq!(defaults[0]["alias"], "pc");
}

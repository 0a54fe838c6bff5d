//! `qom-list` and `qom-get`: the machine as a tree of objects whose properties can
//! be read.
//!
//! Paths are QEMU's: `/machine` is the machine, devices that were asked for by an id
//! are in `/machine/peripheral`, others that were asked for in
//! `/machine/peripheral-anon`, parts of the machine with a name of their own at
//! `/machine/NAME`, and the rest in `/machine/unattached`.

mod object;
mod path;
#[cfg(test)]
mod tests;
mod text;
mod tree;

use serde::Serialize;
use serde_json::Value;

use super::Error;
use crate::guest::Guest;
use object::Object;

pub(super) use text::{list as list_text, tree as tree_text};

/// A property of an object, or a part of it (`ObjectPropertyInfo`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectPropertyInfo {
    /// Its name.
    pub name: String,
    /// Its type: `child<T>` is a part, `link<T>` leads elsewhere.
    #[serde(rename = "type")]
    pub kind: String,
}

/// `qom-list`: the properties and parts of the object at a path.
///
/// # Errors
/// No object is at the path, or more than one.
pub fn qom_list(guest: &Guest, path: &str) -> Result<Vec<ObjectPropertyInfo>, Error> {
    let root = root(guest);
    Ok(list(path::resolve(&root, path)?.object))
}

fn list(object: &Object) -> Vec<ObjectPropertyInfo> {
    let info = |name: &str, kind: String| ObjectPropertyInfo { name: name.into(), kind };
    let own = [info("type", "string".into())];
    let properties = object.properties.iter().map(|p| info(&p.name, p.kind.clone()));
    let parts = object.parts.iter().map(|part| info(&part.name, format!("child<{}>", part.kind)));
    own.into_iter().chain(properties).chain(parts).collect()
}

/// `qom-get`: the value of a property of the object at a path. Of a part it is the
/// part's path.
///
/// # Errors
/// No object is at the path, or more than one, or it has no such property.
pub fn qom_get(guest: &Guest, path: &str, property: &str) -> Result<Value, Error> {
    let root = root(guest);
    // QEMU does not say here that a path is ambiguous.
    let found = path::resolve(&root, path).map_err(|_| Error::NoObject(path.into()))?;
    let path::Found { object, path } = found;
    if property == "type" {
        return Ok(object.kind.clone().into());
    }
    if object.part(property).is_some() {
        return Ok(format!("{path}/{property}").into());
    }
    let known = object.properties.iter().find(|known| known.name == property);
    known
        .map(|known| known.value.clone())
        .ok_or_else(|| Error::NoProperty { kind: object.kind.clone(), property: property.into() })
}

fn root(guest: &Guest) -> Object {
    tree::root(guest.machine(), &guest.threads())
}

//! What the human monitor says of objects.

use std::fmt::Write as _;

use super::super::Error;
use super::object::Object;
use super::{ObjectPropertyInfo, path, qom_list, root};
use crate::guest::Guest;

/// `info qom-tree`: an object and all its parts.
pub(in super::super) fn tree(guest: &Guest, path: &str) -> Option<String> {
    let root = root(guest);
    let mut text = String::new();
    write(&mut text, path::resolve(&root, path).ok()?.object, 0);
    Some(text)
}

fn write(text: &mut String, object: &Object, depth: usize) {
    let indent = 2 * depth;
    let _ = writeln!(text, "{:indent$}/{} ({})", "", object.name, object.kind);
    object.sorted_parts().into_iter().for_each(|part| write(text, part, depth + 1));
}

/// `qom-list`: the properties and parts of an object.
pub(in super::super) fn list(guest: &Guest, path: &str) -> Result<String, Error> {
    let properties = qom_list(guest, path)?.into_iter();
    Ok(properties.map(|ObjectPropertyInfo { name, kind }| format!("{name} ({kind})\n")).collect())
}

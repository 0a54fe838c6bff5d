//! From a path to an object.

use super::super::Error;
use super::object::Object;

/// What a path leads to, with the path from the root if it is not a link.
pub(super) struct Found<'a> {
    pub(super) object: &'a Object,
    pub(super) path: String,
}

/// The object at a path. One that starts with `/` is followed from the root; of
/// others QEMU finds the one object, wherever, that has such an end of its path.
pub(super) fn resolve<'a>(root: &'a Object, path: &str) -> Result<Found<'a>, Error> {
    let components: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let none = || Error::NoObject(path.into());
    if path.starts_with('/') {
        return follow(root, root, "", &components, 0).ok_or_else(none);
    }
    let mut found = Vec::new();
    search(root, root, "", &components, &mut found);
    match found.len() {
        0 => Err(none()),
        1 => found.pop().ok_or_else(none),
        _ => Err(Error::Ambiguous(path.into())),
    }
}

/// More links in one path than any tree has: they may lead in a circle.
const MOST_LINKS: u32 = 16;

fn follow<'a>(
    root: &'a Object,
    from: &'a Object,
    at: &str,
    components: &[&str],
    links: u32,
) -> Option<Found<'a>> {
    let Some((first, rest)) = components.split_first() else {
        return Some(Found { object: from, path: at.into() });
    };
    if let Some(part) = from.part(first) {
        return follow(root, part, &format!("{at}/{first}"), rest, links);
    }
    let link = from.properties.iter().find(|property| property.name == *first)?;
    let target: Vec<&str> = link.target()?.split('/').filter(|part| !part.is_empty()).collect();
    (links < MOST_LINKS).then_some(())?;
    follow(root, root, "", &[&target, rest].concat(), links + 1)
}

fn search<'a>(
    root: &'a Object,
    from: &'a Object,
    at: &str,
    components: &[&str],
    found: &mut Vec<Found<'a>>,
) {
    found.extend(follow(root, from, at, components, 0));
    for part in &from.parts {
        search(root, part, &format!("{at}/{}", part.name), components, found);
    }
}

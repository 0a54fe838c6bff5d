//! A saved state for an older version of the device.
//!
//! A device that is asked to load takes the versions it knows, and refuses
//! later ones: it cannot know what is in them. When an operator goes back to an
//! older version, the host does know, from both descriptions: it keeps the
//! fields the older version describes and leaves out the others.

use vmstate::Writer;

use super::compare::{self, Fields};
use crate::component::{Section, SectionDescription, StateDescription};

/// The state `saved`, described by `old`, with every section that is newer than
/// `new` describes it in the version and with the fields of `new`. A section
/// that would lack a field stays as it is: the device says what it misses.
///
/// # Errors
/// One line: `saved` is not as `old` describes it.
pub(super) fn downgrade(
    old: &StateDescription,
    saved: Vec<Section>,
    new: &StateDescription,
) -> Result<Vec<Section>, String> {
    let version = |known: &SectionDescription| {
        new.structures.get(known.structure as usize).map(|structure| structure.version)
    };
    let newest = |section: &Section, number: usize| {
        let known = compare::described(new, section, number)?;
        version(known).map(|version| (known.structure, version))
    };
    let any_is_newer = compare::numbered(&saved).any(|(_, number, section)| {
        newest(section, number).is_none_or(|(_, version)| section.version > version)
    });
    if !any_is_newer {
        return Ok(saved);
    }
    let fields = compare::decode(old, &saved)?;
    let sections = compare::numbered(&saved).filter_map(|(path, number, section)| {
        let (structure, version) = newest(section, number)?;
        let mut data = Writer::new();
        let name = &section.name;
        let whole = section.version > version
            && encode(new, structure, &path, &fields, &mut data, 0).is_some();
        if !whole {
            return Some(section.clone());
        }
        Some(Section { name: name.clone(), version, data: data.into_bytes() })
    });
    Ok(sections.collect())
}

/// Writes the fields of a structure; none if one of them is missing.
fn encode(
    description: &StateDescription,
    row: u32,
    path: &str,
    fields: &Fields<'_>,
    data: &mut Writer,
    depth: u32,
) -> Option<()> {
    let structure = description.structures.get(row as usize);
    let structure = structure.filter(|_| depth < compare::DEEPEST)?;
    for field in &structure.fields {
        for index in 0..field.count {
            let element = compare::element(path, field, index);
            match field.structure {
                Some(row) => encode(description, row, &element, fields, data, depth + 1)?,
                None => {
                    let bytes = fields.get(&element)?;
                    data.bytes(Some(bytes).filter(|b| b.len() == field.size as usize)?);
                }
            }
        }
    }
    for &row in &structure.subsections {
        let subsection = description.structures.get(row as usize)?;
        data.subsection(&subsection.name, subsection.version);
        let path = format!("{path}/{}", subsection.name);
        encode(description, row, &path, fields, data, depth + 1)?;
    }
    Some(())
}

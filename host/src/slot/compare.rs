//! Compares the states of two versions of a device, field by field.

use std::collections::BTreeMap;

use crate::component::{Field, Section, SectionDescription, StateDescription};

/// The fields of a saved state: path to bytes.
pub(crate) type Fields<'a> = BTreeMap<String, &'a [u8]>;

/// Checks that the new version holds what the old one held: every field that
/// both describe has the same bytes. A field that only one has is that
/// version's own affair.
///
/// # Errors
/// One line that names the first field that differs, or a description that does
/// not match the data.
pub(crate) fn check(
    old: &StateDescription,
    saved: &[Section],
    new: &StateDescription,
    kept: &[Section],
) -> Result<(), String> {
    if same_bytes(saved, kept) {
        return Ok(());
    }
    let expected = decode(old, saved).map_err(|error| format!("old version: {error}"))?;
    let found = decode(new, kept).map_err(|error| format!("new version: {error}"))?;
    for (path, expected) in &expected {
        let Some(found) = found.get(path) else { continue };
        if expected != found {
            return Err(format!("{path} is {}, was {}", hex(found), hex(expected)));
        }
    }
    Ok(())
}

/// Whether two saved states are the same.
pub(crate) fn same_bytes(a: &[Section], b: &[Section]) -> bool {
    let same = |(a, b): (&Section, &Section)| {
        a.name == b.name && a.version == b.version && a.data == b.data
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

/// Cuts the sections into fields as the description says. In the whole scope
/// every condition holds, so the description alone says where each field is.
pub(crate) fn decode<'a>(
    description: &StateDescription,
    sections: &'a [Section],
) -> Result<Fields<'a>, String> {
    let mut fields = Fields::new();
    walk(description, sections, Some(&mut fields))?;
    Ok(fields)
}

/// Checks that the sections are as the description says, without cutting them.
pub(crate) fn fits(description: &StateDescription, sections: &[Section]) -> Result<(), String> {
    walk(description, sections, None)
}

fn walk<'a>(
    description: &StateDescription,
    sections: &'a [Section],
    mut fields: Option<&mut Fields<'a>>,
) -> Result<(), String> {
    for (path, number, section) in numbered(sections) {
        let described = described(description, section, number)
            .ok_or_else(|| format!("section {} is saved, not described", section.name))?;
        let fields = fields.as_deref_mut();
        let mut walk = Walk { description, data: &section.data, offset: 0, fields };
        walk.structure(described.structure, &path, 0)?;
        let left = section.data.len() - walk.offset;
        if left != 0 {
            return Err(format!("section {}: {left} bytes more than described", section.name));
        }
    }
    Ok(())
}

/// The sections with the paths of their fields and their numbers among those of one
/// name: of several, the second is `name#1`.
pub(super) fn numbered(sections: &[Section]) -> impl Iterator<Item = (String, usize, &Section)> {
    sections.iter().enumerate().map(|(place, section)| {
        let name = &section.name;
        let before = sections[..place].iter().filter(|other| other.name == *name).count();
        let path = if before == 0 { name.clone() } else { format!("{name}#{before}") };
        (path, before, section)
    })
}

/// What is said of the section with that number among those of its name: two of one
/// name need not have the same fields.
pub(super) fn described<'d>(
    description: &'d StateDescription,
    section: &Section,
    number: usize,
) -> Option<&'d SectionDescription> {
    description.sections.iter().filter(|known| known.name == section.name).nth(number)
}

struct Walk<'d, 'a, 'f> {
    description: &'d StateDescription,
    data: &'a [u8],
    offset: usize,
    /// Where the fields go, if anybody wants them.
    fields: Option<&'f mut Fields<'a>>,
}

/// Deeper than any description nests; guards against one that refers to itself.
pub(super) const DEEPEST: u32 = 16;

impl Walk<'_, '_, '_> {
    fn structure(&mut self, row: u32, path: &str, depth: u32) -> Result<(), String> {
        let structure = self.description.structures.get(row as usize);
        let structure = structure.filter(|_| depth < DEEPEST);
        let structure = structure.ok_or_else(|| format!("{path}: no such structure"))?;
        for field in &structure.fields {
            // An array may have a hundred thousand elements, of which nobody wants to know.
            if field.structure.is_none() && self.fields.is_none() {
                let size = field.size as usize * field.count as usize;
                self.take(size, &format!("{path}.{}", field.name))?;
                continue;
            }
            for index in 0..field.count {
                let element = element(path, field, index);
                match field.structure {
                    Some(row) => self.structure(row, &element, depth + 1)?,
                    None => self.field(element, field.size as usize)?,
                }
            }
        }
        for &row in &structure.subsections {
            let name = self.description.structures.get(row as usize);
            let name = name.map(|subsection| subsection.name.clone()).unwrap_or_default();
            // Marker, length of the name, name, version: see `vmstate`.
            self.take(1 + 1 + name.len() + 4, &name)?;
            self.structure(row, &format!("{path}/{name}"), depth + 1)?;
        }
        Ok(())
    }

    fn field(&mut self, path: String, size: usize) -> Result<(), String> {
        let start = self.offset;
        self.take(size, &path)?;
        if let Some(fields) = &mut self.fields {
            fields.insert(path, &self.data[start..self.offset]);
        }
        Ok(())
    }

    fn take(&mut self, size: usize, what: &str) -> Result<(), String> {
        let end = self.offset.checked_add(size).filter(|&end| end <= self.data.len());
        self.offset = end.ok_or_else(|| format!("{what}: the data is shorter than described"))?;
        Ok(())
    }
}

/// The path of one element of a field.
pub(super) fn element(path: &str, field: &Field, index: u32) -> String {
    match field.count {
        1 => format!("{path}.{}", field.name),
        _ => format!("{path}.{}[{index}]", field.name),
    }
}

fn hex(bytes: &[u8]) -> String {
    const MOST: usize = 16;
    let shown: String = bytes.iter().take(MOST).map(|byte| format!("{byte:02x}")).collect();
    if bytes.len() > MOST { format!("{shown}... ({} bytes)", bytes.len()) } else { shown }
}

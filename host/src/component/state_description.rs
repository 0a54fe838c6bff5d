//! Checks what a device says of its saved state before anybody walks through it.

use super::StateDescription;

/// Most sections of a device.
const SECTIONS: usize = 1024;

/// Deeper than any description nests.
const DEEPEST: usize = 16;

/// Longer than any name in QEMU's descriptions, in bytes.
const LONGEST: usize = 256;

/// Most elements of all fields together: the disks' buffers are half a million.
const ELEMENTS: u64 = 4 << 20;

/// Most bytes of the paths of all elements together.
const PATHS: u64 = 512 << 20;

/// What a structure comes to when all its elements are written down.
#[derive(Clone, Copy, Default)]
struct Extent {
    elements: u64,
    paths: u64,
    /// How many structures are in one another.
    height: usize,
}

/// Checks a description.
///
/// # Errors
/// One line that names what does not hold together.
pub(super) fn check(description: &StateDescription) -> Result<(), String> {
    let StateDescription { sections, structures } = description;
    if sections.len() > SECTIONS {
        return Err(format!("{} sections, at most {SECTIONS} expected", sections.len()));
    }
    let names = sections.iter().map(|section| &section.name);
    let names = names.chain(structures.iter().map(|structure| &structure.name));
    let fields = structures.iter().flat_map(|structure| &structure.fields);
    let names = names.chain(fields.flat_map(|field| [&field.name, &field.type_name]));
    if let Some(name) = names.into_iter().find(|name| name.len() > LONGEST) {
        return Err(format!("a name of {} bytes, at most {LONGEST} expected", name.len()));
    }
    let mut known = vec![None; structures.len()];
    let mut all = Extent::default();
    for section in sections {
        let extent = extent(description, section.structure, 0, &mut known)?;
        all.elements = all.elements.saturating_add(extent.elements);
        all.paths = all.paths.saturating_add(extent.paths);
    }
    if all.elements > ELEMENTS {
        return Err(format!("{} elements, at most {ELEMENTS} expected", all.elements));
    }
    if all.paths > PATHS {
        return Err(format!(
            "elements with {} bytes of names, at most {PATHS} expected",
            all.paths
        ));
    }
    Ok(())
}

/// The extent of a structure that lies in `above` others. Each is looked at once, however
/// often it is part of others.
fn extent(
    description: &StateDescription,
    row: u32,
    above: usize,
    known: &mut [Option<Extent>],
) -> Result<Extent, String> {
    let place = row as usize;
    let structure = description.structures.get(place);
    let structure = structure.ok_or_else(|| format!("structure {row} is not there"))?;
    let known_height = known[place].map_or(1, |extent| extent.height);
    if above + known_height > DEEPEST {
        return Err(format!("structure {row} is more than {DEEPEST} deep"));
    }
    if let Some(extent) = known[place] {
        return Ok(extent);
    }
    let mut all = Extent { height: 1, ..Extent::default() };
    let parts = structure.fields.iter().map(|field| (&field.name, field.count, field.structure));
    let subsections = structure.subsections.iter();
    let parts = parts.chain(subsections.map(|row| (&structure.name, 1, Some(*row))));
    for (name, count, row) in parts {
        let inner = match row {
            Some(row) => extent(description, row, above + 1, known)?,
            None => Extent { elements: 1, ..Extent::default() },
        };
        // A structure without fields is walked into all the same.
        let elements = inner.elements.max(1);
        // With the index and what stands between names.
        let paths = inner.paths.saturating_add((name.len() as u64 + 13).saturating_mul(elements));
        let times = |one: u64| one.saturating_mul(count.into());
        all.elements = all.elements.saturating_add(times(elements));
        all.paths = all.paths.saturating_add(times(paths));
        all.height = all.height.max(inner.height + 1);
    }
    known[place] = Some(all);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::super::{Field, SectionDescription, Structure};
    use super::*;

    fn field(count: u32, structure: Option<u32>) -> Field {
        let (name, type_name) = ("field".into(), "uint8".into());
        Field { name, type_name, version: 0, size: 1, count, condition: None, structure }
    }

    /// One section of the first of structures with these fields.
    fn described(fields: Vec<Vec<Field>>) -> StateDescription {
        let structure = |fields| Structure {
            name: "structure".into(),
            version: 1,
            minimum_version: 1,
            fields,
            subsections: Vec::new(),
        };
        let section = SectionDescription {
            name: "section".into(),
            has_path: false,
            condition: None,
            structure: 0,
        };
        let structures = fields.into_iter().map(structure).collect();
        StateDescription { sections: vec![section], structures }
    }

    #[test]
    fn what_comes_to_an_end_is_accepted() {
        check(&described(vec![vec![field(500_000, None)]])).unwrap();
        // Twice the same one, and that in another.
        let shared = vec![vec![field(1, Some(1)), field(1, Some(2))], vec![field(3, Some(2))]];
        check(&described([shared, vec![vec![field(4, None)]]].concat())).unwrap();
        let chain = |length: u32| {
            let last = vec![field(1, None)];
            (1..length).map(|next| vec![field(1, Some(next))]).chain([last]).collect()
        };
        check(&described(chain(15))).unwrap();
        let error = check(&described(chain(1000))).unwrap_err();
        assert!(error.contains("more than 16 deep"), "{error}");
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        let refused = |fields| check(&described(fields)).unwrap_err();
        assert_eq!(refused(Vec::new()), "structure 0 is not there");
        assert_eq!(refused(vec![vec![field(1, Some(9))]]), "structure 9 is not there");
        assert!(refused(vec![vec![field(1, Some(0))]]).contains("structure 0 is more than 16"));
        assert!(refused(vec![vec![field(u32::MAX, None)]]).contains("elements"));
        let mut long = field(1, None);
        long.name = "x".repeat(257);
        assert!(refused(vec![vec![long]]).contains("a name of 257 bytes"));
        let mut wide = field(3 << 20, None);
        wide.name = "x".repeat(256);
        assert!(refused(vec![vec![wide]]).contains("bytes of names"));
        // Doubled so often that counting one by one would not end.
        let double = |next| vec![field(u32::MAX, Some(next)), field(u32::MAX, Some(next))];
        let tower = (1..15).map(double).chain([vec![field(1, None)]]).collect();
        assert!(refused(tower).contains("elements"));
    }
}

//! Builds the table of structures that describes a state.

use super::{Condition, Shape};
use crate::wit::{Field, Structure};

/// The structures described so far, and those that are still open.
#[derive(Default)]
pub(super) struct Table {
    pub(super) structures: Vec<Structure>,
    open: Vec<Structure>,
    pub(super) conditions: Vec<Condition>,
    pub(super) since: u32,
}

impl Table {
    pub(super) fn open(&mut self, shape: Shape) {
        self.open.push(Structure {
            name: shape.name.into(),
            version: shape.version,
            minimum_version: shape.minimum,
            fields: Vec::new(),
            subsections: Vec::new(),
        });
    }

    /// Closes the innermost structure; returns its row and the bytes its fields
    /// take.
    pub(super) fn close(&mut self) -> (u32, u32) {
        let Some(structure) = self.open.pop() else { return (0, 0) };
        let size = structure.fields.iter().map(|field| field.size * field.count).sum();
        // The same structure in an array or in several sections is one row.
        let known = self.structures.iter().position(|other| same(other, &structure));
        let row = known.unwrap_or_else(|| {
            self.structures.push(structure);
            self.structures.len() - 1
        });
        (row as u32, size)
    }

    pub(super) fn field(
        &mut self,
        name: &str,
        type_name: &str,
        size: u32,
        count: u32,
        structure: Option<u32>,
    ) {
        let condition = self.condition();
        let version = self.since;
        if let Some(innermost) = self.open.last_mut() {
            let (name, type_name) = (name.into(), type_name.into());
            innermost.fields.push(Field {
                name,
                type_name,
                version,
                size,
                count,
                condition,
                structure,
            });
        }
    }

    pub(super) fn subsection(&mut self, row: u32) {
        if let Some(innermost) = self.open.last_mut() {
            innermost.subsections.push(row);
        }
    }

    fn condition(&self) -> Option<String> {
        let texts: Vec<_> = self.conditions.iter().filter_map(|c| c.described()).collect();
        (!texts.is_empty()).then(|| texts.join(" and "))
    }
}

fn same(a: &Structure, b: &Structure) -> bool {
    let shape =
        |s: &Structure| (s.version, s.minimum_version, s.fields.len(), s.subsections.clone());
    let field = |f: &Field| {
        let kind = (f.type_name.clone(), f.version, f.size, f.count);
        (f.name.clone(), kind, f.condition.clone(), f.structure)
    };
    a.name == b.name
        && shape(a) == shape(b)
        && a.fields.iter().map(field).eq(b.fields.iter().map(field))
}

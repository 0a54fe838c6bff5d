//! The description of a saved state, from the contract's table to a tree.

use serde::Serialize;

use crate::component::{Field as Described, StateDescription, Structure as Row};

/// Deeper than any state nests; a component may describe one that contains
/// itself.
const DEEPEST: u32 = 16;

/// The most fields that are shown: a component may describe far more than it
/// could ever save.
const MOST: usize = 10_000;

#[derive(Serialize)]
pub(super) struct Section {
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    pub(super) structure: Structure,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Structure {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) minimum_version: u32,
    pub(super) fields: Vec<Field>,
    pub(super) subsections: Vec<Structure>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) since_version: u32,
    pub(super) bytes: u32,
    pub(super) count: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) structure: Option<Structure>,
}

/// The sections as trees. A part that names a missing row is shown empty.
pub(super) fn sections(state: &StateDescription) -> Vec<Section> {
    let mut tree = Tree { rows: &state.structures, left: MOST };
    let section = |section: &crate::component::SectionDescription| Section {
        name: section.name.clone(),
        condition: section.condition.clone(),
        structure: tree.structure(section.structure, 0),
    };
    state.sections.iter().map(section).collect()
}

struct Tree<'a> {
    rows: &'a [Row],
    /// How many parts may still be shown.
    left: usize,
}

impl Tree<'_> {
    fn structure(&mut self, row: u32, depth: u32) -> Structure {
        let row = self.rows.get(row as usize).filter(|_| depth < DEEPEST);
        let Some(row) = row else { return Structure::default() };
        let mut structure = Structure {
            name: row.name.clone(),
            version: row.version,
            minimum_version: row.minimum_version,
            ..Structure::default()
        };
        for field in &row.fields {
            if self.take() {
                structure.fields.push(self.field(field, depth));
            }
        }
        for &subsection in &row.subsections {
            if self.take() {
                structure.subsections.push(self.structure(subsection, depth + 1));
            }
        }
        structure
    }

    fn field(&mut self, field: &Described, depth: u32) -> Field {
        Field {
            name: field.name.clone(),
            type_name: field.type_name.clone(),
            since_version: field.version,
            bytes: field.size,
            count: field.count,
            condition: field.condition.clone(),
            structure: field.structure.map(|row| self.structure(row, depth + 1)),
        }
    }

    fn take(&mut self) -> bool {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        more
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::component::SectionDescription;

    #[test]
    fn a_state_that_contains_itself_is_cut_off() {
        let field = |name: &str| Described {
            name: name.into(),
            type_name: "struct".into(),
            version: 1,
            size: 1,
            count: 1,
            condition: None,
            structure: Some(0),
        };
        let row = Row {
            name: "row".into(),
            version: 1,
            minimum_version: 1,
            fields: vec![field("a"), field("b")],
            subsections: vec![0, 7],
        };
        let section =
            SectionDescription { name: "s".into(), has_path: false, condition: None, structure: 0 };
        let state = StateDescription { sections: vec![section], structures: vec![row] };
        let sections = sections(&state);
        assert_eq!(sections[0].structure.name, "row");
        assert!(serde_json::to_string(&sections).unwrap().len() < MOST * 200);
    }
}

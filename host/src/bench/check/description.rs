//! A device says the same of itself each time, and its state is as it says.

use super::{Bench, Law, sprinkle};
use crate::bench::action::Action;
use crate::bench::random::Random;
use crate::bench::rig::Subject;
use crate::component::{Scope, StateDescription};
use crate::slot::fits;

/// Deeper than any structures nest.
const DEEPEST: usize = 16;

pub(super) struct Described;

impl Law for Described {
    fn name(&self) -> &'static str {
        "description"
    }

    fn says(&self) -> &'static str {
        "A device says the same of itself each time, and its saved state is as it says"
    }

    fn weave(&self, actions: Vec<Action>, random: &mut Random) -> Vec<Action> {
        sprinkle(actions, random, || Action::Save { scope: Scope::Whole })
    }

    fn judge(&self, subject: &Subject, actions: &[Action]) -> Result<(), String> {
        let again = subject.image.describe().map_err(|error| error.to_string())?;
        // The contract's records have no equality; their debug form holds all fields.
        let (first, second) = (format!("{:?}", subject.image.description()), format!("{again:?}"));
        if first != second {
            return Err(format!("says {second}, and {first} before"));
        }
        let mut bench = Bench::new(subject)?;
        let description = bench.rig.state_description();
        sound(&description)?;
        for action in actions {
            let outcome = bench.rig.perform(action);
            if outcome.fault().is_some() {
                break;
            }
            let Action::Save { scope: Scope::Whole } = action else { continue };
            let sections = outcome.sections();
            fits(&description, &sections)?;
            for described in &description.sections {
                let count = |name: &str| {
                    description.sections.iter().filter(|section| section.name == name).count()
                };
                let saved = sections.iter().filter(|s| s.name == described.name).count();
                let name = &described.name;
                if saved != count(name) {
                    return Err(format!(
                        "section {name}: {saved} saved as the whole state, {} described",
                        count(name)
                    ));
                }
            }
        }
        Ok(())
    }
}

/// Whether the table of structures holds together.
fn sound(description: &StateDescription) -> Result<(), String> {
    for (row, structure) in description.structures.iter().enumerate() {
        let name = &structure.name;
        if structure.minimum_version > structure.version {
            return Err(format!(
                "structure {name}: version {}, and {} is the oldest it takes",
                structure.version, structure.minimum_version
            ));
        }
        depth(description, row, 0).map_err(|reason| format!("structure {name}: {reason}"))?;
    }
    for section in &description.sections {
        if section.structure as usize >= description.structures.len() {
            return Err(format!("section {}: no structure {}", section.name, section.structure));
        }
    }
    Ok(())
}

fn depth(description: &StateDescription, row: usize, above: usize) -> Result<(), String> {
    let structure = description.structures.get(row).ok_or(format!("no structure {row}"))?;
    if above > DEEPEST {
        return Err(format!("nests more than {DEEPEST} deep: does it hold itself?"));
    }
    let fields = structure.fields.iter().filter_map(|field| field.structure);
    for row in fields.chain(structure.subsections.iter().copied()) {
        depth(description, row as usize, above + 1)?;
    }
    Ok(())
}

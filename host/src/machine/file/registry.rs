//! All machine types there are: the built-in ones and those of the user.

use std::path::Path;

use serde::{Serialize, Serializer};

use super::inherit::{self, Declarations};
use super::{Error, MachineType, Origin, names, parse, structure};

/// The machine files in the program: name and text.
const BUILTIN: [(&str, &str); 2] = [
    (
        "pc-i440fx.toml",
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/machines/pc-i440fx.toml")),
    ),
    ("xenfv.toml", include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/machines/xenfv.toml"))),
];

/// The known machine types.
#[derive(Clone, Debug, Default)]
pub struct MachineTypes {
    declarations: Declarations,
    /// Those that can be built, in natural order of their names.
    machines: Vec<MachineType>,
}

impl MachineTypes {
    /// The machine types the program comes with.
    ///
    /// # Errors
    ///
    /// None with the files as they are released.
    pub fn builtin() -> Result<Self, Error> {
        let mut types = Self::default();
        for (name, text) in BUILTIN {
            types.load(name, text)?;
        }
        Ok(types)
    }

    /// Adds the machine types of a file. They may inherit from those already
    /// known; one with a known name replaces that machine, also for those that
    /// inherit from it. On an error nothing changes.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or one of its machine types makes no sense.
    pub fn load_file(&mut self, path: &Path) -> Result<(), Error> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| {
            Origin::outside(&name, "").error(format!("cannot read the machine file: {error}"))
        })?;
        self.load(&name, &text)
    }

    /// As [`load_file`](Self::load_file), with the text of the file. `name` is
    /// what errors call it.
    ///
    /// # Errors
    ///
    /// One of its machine types makes no sense.
    pub fn load(&mut self, name: &str, text: &str) -> Result<(), Error> {
        let mut declarations = self.declarations.clone();
        for declaration in parse::parse(name, text)? {
            declarations.insert(declaration.name.clone(), declaration);
        }
        aliases(&declarations)?;
        let mut machines = Vec::new();
        for declaration in declarations.values() {
            let whole = inherit::resolve(declaration, &declarations)?;
            // One that is abstract need not be complete.
            if !declaration.is_abstract {
                let machine = inherit::finish(whole)?;
                structure::check(&machine)?;
                machines.push(machine);
            }
        }
        machines.sort_by(|a, b| names::natural(&a.name, &b.name));
        *self = Self { declarations, machines };
        Ok(())
    }

    /// The machine type with that name or alias.
    ///
    /// # Errors
    ///
    /// There is none, or it is abstract.
    pub fn get(&self, name: &str) -> Result<&MachineType, Error> {
        let named = |machine: &&MachineType| {
            machine.name == name || machine.aliases.iter().any(|alias| alias == name)
        };
        if let Some(machine) = self.machines.iter().find(named) {
            return Ok(machine);
        }
        let known = self.machines.iter().flat_map(|machine| {
            let aliases = machine.aliases.iter().map(String::as_str);
            aliases.chain([machine.name.as_str()])
        });
        let message = if self.declarations.contains_key(name) {
            format!("machine {name:?} is abstract: others inherit from it")
        } else {
            format!("unknown machine {name:?}")
        };
        Err(Error::new(message).hint(names::hint(name, known)))
    }

    /// All machine types that can be built, in natural order of their names:
    /// `pc-2.4` is before `pc-10.0`.
    pub fn iter(&self) -> impl Iterator<Item = &MachineType> {
        self.machines.iter()
    }
}

impl Serialize for MachineTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// A name must stand for one machine.
fn aliases(declarations: &Declarations) -> Result<(), Error> {
    let mut seen: Vec<(&str, &str)> = Vec::new();
    for declaration in declarations.values() {
        for alias in &declaration.aliases {
            let name = alias.value.as_str();
            let other = seen.iter().find(|(other, _)| *other == name);
            let owner = match (other, declarations.get(name)) {
                (Some((_, owner)), _) => format!("an alias of {owner:?}"),
                (_, Some(_)) => "the name of a machine".to_owned(),
                (None, None) => {
                    seen.push((name, &declaration.name));
                    continue;
                }
            };
            return Err(alias.origin.error(format!("{name:?} is already {owner}")));
        }
    }
    Ok(())
}

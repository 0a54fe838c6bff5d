//! All machine types there are: the built-in ones and those of the user.

use std::path::Path;
use std::sync::OnceLock;

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
    /// Those that can be built, in natural order of their names. A program needs
    /// one of the many: what a machine inherits is looked up when somebody asks.
    machines: Vec<(String, OnceLock<MachineType>)>,
}

impl MachineTypes {
    /// The machine types the program comes with.
    ///
    /// # Errors
    ///
    /// None with the files as they are released.
    pub fn builtin() -> Result<Self, Error> {
        let mut declarations = Declarations::new();
        for (name, text) in BUILTIN {
            declare(&mut declarations, name, text)?;
        }
        Self::of(declarations)
    }

    /// The machines of declarations that inherit from one another.
    fn of(declarations: Declarations) -> Result<Self, Error> {
        aliases(&declarations)?;
        let machines = declarations.values().filter(|declaration| !declaration.is_abstract);
        let machines = machines.map(|declaration| (declaration.name.clone(), OnceLock::new()));
        let mut machines: Vec<_> = machines.collect();
        machines.sort_by(|(a, _), (b, _)| names::natural(a, b));
        Ok(Self { declarations, machines })
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
        declare(&mut declarations, name, text)?;
        let types = Self::of(declarations)?;
        for declaration in types.declarations.values() {
            // One that is abstract need not be complete.
            inherit::resolve(declaration, &types.declarations)?;
        }
        for (name, machine) in &types.machines {
            types.resolved(name, machine)?;
        }
        *self = types;
        Ok(())
    }

    /// A machine with all it inherits.
    fn resolved<'a>(
        &self,
        name: &str,
        machine: &'a OnceLock<MachineType>,
    ) -> Result<&'a MachineType, Error> {
        if let Some(machine) = machine.get() {
            return Ok(machine);
        }
        let declaration = self.declarations.get(name);
        let declaration = declaration.ok_or_else(|| Error::new(format!("no machine {name:?}")))?;
        let found = inherit::finish(inherit::resolve(declaration, &self.declarations)?)?;
        structure::check(&found)?;
        Ok(machine.get_or_init(|| found))
    }

    /// The machine type with that name or alias.
    ///
    /// # Errors
    ///
    /// There is none, or it is abstract.
    pub fn get(&self, name: &str) -> Result<&MachineType, Error> {
        let aliases = |declaration: &str| {
            let declaration = self.declarations.get(declaration);
            let aliases = declaration.into_iter().flat_map(|declaration| &declaration.aliases);
            aliases.map(|alias| alias.value.as_str())
        };
        let named = |(own, _): &&(String, _)| own == name || aliases(own).any(|own| own == name);
        if let Some((name, machine)) = self.machines.iter().find(named) {
            return self.resolved(name, machine);
        }
        let known = self.machines.iter().flat_map(|(own, _)| aliases(own).chain([own.as_str()]));
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
        // Those of a user's file were looked at when it was loaded, and those in
        // the program are released as they are tested.
        self.machines.iter().filter_map(|(name, machine)| self.resolved(name, machine).ok())
    }
}

impl Serialize for MachineTypes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Adds the declarations of a file, in place of those of the same names.
fn declare(declarations: &mut Declarations, name: &str, text: &str) -> Result<(), Error> {
    for declaration in parse::parse(name, text)? {
        declarations.insert(declaration.name.clone(), declaration);
    }
    Ok(())
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

//! The values of properties.

use std::collections::BTreeMap;
use std::fmt;
use std::time::SystemTime;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::model::MachineType;

/// The value of a property: `property-value` of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// On or off.
    Flag(bool),
    /// A number, in the unit the property has.
    Number(u64),
    /// Text.
    Text(String),
}

impl Value {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self {
            Value::Flag(_) => Kind::Flag,
            Value::Number(_) => Kind::Number,
            Value::Text(_) => Kind::Text,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => flag.fmt(f),
            Value::Number(number @ 0..=9) => number.fmt(f),
            Value::Number(number) => write!(f, "{number:#x}"),
            Value::Text(text) => write!(f, "{text:?}"),
        }
    }
}

/// The kinds of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// An integer from 0.
    Number,
    /// A string.
    Text,
}

impl Kind {
    /// Reads a value of this kind from a command line: `on` and `off` are flags
    /// as in QEMU, numbers may be hexadecimal. The error is a phrase.
    ///
    /// # Errors
    ///
    /// The text is not of this kind.
    pub fn parse(self, text: &str) -> Result<Value, String> {
        let value = match self {
            Kind::Flag => match text {
                "on" | "true" => Some(Value::Flag(true)),
                "off" | "false" => Some(Value::Flag(false)),
                _ => None,
            },
            Kind::Number => match text.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok(),
                None => text.parse().ok(),
            }
            .map(Value::Number),
            Kind::Text => Some(Value::Text(text.to_owned())),
        };
        value.ok_or_else(|| format!("{text:?} found, {self} expected"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Flag => "true or false",
            Kind::Number => "a number",
            Kind::Text => "text",
        })
    }
}

/// What a machine file sets a property to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// The value written there.
    Fixed(Value),
    /// What the machine at hand has, written `{ machine = "cpus" }`.
    Machine(Parameter),
    /// Whether any device of the machine is given a property with a value,
    /// written `{ any = { iobase = 0x3f8 } }`.
    Any(String, Value),
}

impl Setting {
    /// Whether it is that value, whatever the machine has.
    pub fn is(&self, value: &Value) -> bool {
        matches!(self, Setting::Fixed(fixed) if fixed == value)
    }

    /// The kind of value the property gets.
    pub fn kind(&self) -> Kind {
        match self {
            Setting::Fixed(value) => value.kind(),
            Setting::Machine(_) => Kind::Number,
            Setting::Any(..) => Kind::Flag,
        }
    }

    /// The value on a machine with these parameters.
    pub fn resolve(&self, parameters: &Parameters, machine: &MachineType) -> Value {
        let (below, above) = machine.memory.split(parameters.ram_size);
        match self {
            Setting::Fixed(value) => value.clone(),
            Setting::Any(name, value) => Value::Flag(machine.gives(name, value)),
            Setting::Machine(parameter) => Value::Number(match parameter {
                Parameter::Cpus => parameters.cpus.into(),
                Parameter::RamSize => parameters.ram_size,
                Parameter::RamBelow4g => below,
                Parameter::RamAbove4g => above,
                Parameter::Time | Parameter::Clock => seconds_since_1970(),
            }),
        }
    }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Fixed(value) => value.fmt(f),
            Setting::Machine(parameter) => write!(f, "{{ machine = {:?} }}", parameter.name()),
            Setting::Any(name, value) => write!(f, "{{ any = {{ {name} = {value} }} }}"),
        }
    }
}

impl Serialize for Setting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Setting::Fixed(value) => value.serialize(serializer),
            Setting::Machine(parameter) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("machine", parameter.name())?;
                map.end()
            }
            Setting::Any(name, value) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("any", &BTreeMap::from([(name, value)]))?;
                map.end()
            }
        }
    }
}

/// What a device may want to know of the machine it is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    /// The number of processors.
    Cpus,
    /// The bytes of RAM.
    RamSize,
    /// Those of them that lie below 4 GiB.
    RamBelow4g,
    /// Those that lie from 4 GiB on.
    RamAbove4g,
    /// The time when the machine is put together, in seconds since 1970.
    Time,
    /// Where the clock begins that saved states of clocks count from, in seconds
    /// since 1970. It is the host's, QEMU's default: the same as the time.
    Clock,
}

impl Parameter {
    pub(super) const ALL: [Parameter; 6] = [
        Parameter::Cpus,
        Parameter::RamSize,
        Parameter::RamBelow4g,
        Parameter::RamAbove4g,
        Parameter::Time,
        Parameter::Clock,
    ];

    /// The name in machine files.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::Cpus => "cpus",
            Parameter::RamSize => "ram-size",
            Parameter::RamBelow4g => "ram-below-4g",
            Parameter::RamAbove4g => "ram-above-4g",
            Parameter::Time => "time",
            Parameter::Clock => "clock",
        }
    }
}

/// The values of the parameters on a machine at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The number of processors.
    pub cpus: u32,
    /// The bytes of RAM.
    pub ram_size: u64,
}

/// The host's time; a host that is set to before 1970 counts as there.
fn seconds_since_1970() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs())
}

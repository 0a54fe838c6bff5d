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
            Setting::Machine(parameter) => parameter.kind(),
            Setting::Any(..) => Kind::Flag,
        }
    }

    /// The value on a machine with these parameters.
    pub fn resolve(&self, parameters: &Parameters, machine: &MachineType) -> Value {
        match self {
            Setting::Fixed(value) => value.clone(),
            Setting::Any(name, value) => Value::Flag(machine.gives(name, value)),
            Setting::Machine(parameter) => parameter.value(parameters, machine),
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
    /// Whether the interrupt controllers are the kernel's.
    KernelIrqchip,
    /// The name of the machine type.
    Name,
    /// Where four pages are that KVM has in the guest's memory, 0 if it has none.
    KvmPages,
    /// Whether the processors are AMD's, as are those of QEMU's that none runs on.
    AmdProcessors,
    /// The devices, one a line: `serial iobase=1016`, `piix3 at 01.0 elcr=true`: the
    /// component, its address if it has one, and the properties that are set for it
    /// and are no texts with spaces.
    Devices,
}

impl Parameter {
    pub(super) const ALL: [Parameter; 11] = [
        Parameter::Cpus,
        Parameter::RamSize,
        Parameter::RamBelow4g,
        Parameter::RamAbove4g,
        Parameter::Time,
        Parameter::Clock,
        Parameter::KernelIrqchip,
        Parameter::Name,
        Parameter::KvmPages,
        Parameter::Devices,
        Parameter::AmdProcessors,
    ];

    /// The kind of its value.
    const fn kind(self) -> Kind {
        match self {
            Parameter::KernelIrqchip | Parameter::AmdProcessors => Kind::Flag,
            Parameter::Name | Parameter::Devices => Kind::Text,
            _ => Kind::Number,
        }
    }

    fn value(self, parameters: &Parameters, machine: &MachineType) -> Value {
        let (below, above) = machine.memory.split(parameters.ram_size);
        Value::Number(match self {
            Parameter::Cpus => parameters.cpus.into(),
            Parameter::RamSize => parameters.ram_size,
            Parameter::RamBelow4g => below,
            Parameter::RamAbove4g => above,
            Parameter::KvmPages => match parameters.irqchip {
                Irqchip::Kernel | Irqchip::Split => crate::vm::KVM_PAGES,
                Irqchip::Devices => 0,
            },
            Parameter::Time | Parameter::Clock => seconds_since_1970(),
            Parameter::KernelIrqchip => return Value::Flag(parameters.irqchip == Irqchip::Kernel),
            Parameter::AmdProcessors => {
                let runs = parameters.irqchip != Irqchip::Devices;
                return Value::Flag(!runs || crate::vm::has_amd_processors());
            }
            Parameter::Devices => return Value::Text(machine.list(parameters)),
            Parameter::Name => return Value::Text(machine.name.clone()),
        })
    }

    /// The name in machine files.
    pub fn name(self) -> &'static str {
        match self {
            Parameter::Cpus => "cpus",
            Parameter::RamSize => "ram-size",
            Parameter::RamBelow4g => "ram-below-4g",
            Parameter::RamAbove4g => "ram-above-4g",
            Parameter::Time => "time",
            Parameter::Clock => "clock",
            Parameter::KernelIrqchip => "kernel-irqchip",
            Parameter::Name => "name",
            Parameter::KvmPages => "kvm-pages",
            Parameter::Devices => "devices",
            Parameter::AmdProcessors => "amd-processors",
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
    /// What the interrupt controllers are.
    pub irqchip: Irqchip,
}

/// What the interrupt controllers of a machine are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Irqchip {
    /// The kernel's, with its interval timer.
    #[default]
    Kernel,
    /// The local APICs are the kernel's, all else is devices of the machine.
    Split,
    /// Devices of the machine; there are no local APICs.
    Devices,
}

impl Parameters {
    /// A machine whose interrupt controllers are devices.
    #[must_use]
    pub const fn new(cpus: u32, ram_size: u64) -> Self {
        Self { cpus, ram_size, irqchip: Irqchip::Devices }
    }

    /// The same machine with the kernel's interrupt controllers.
    #[must_use]
    pub const fn with_kernel_irqchip(self) -> Self {
        Self { irqchip: Irqchip::Kernel, ..self }
    }
}

/// When a device is a part of its machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// The interrupt controllers are the kernel's.
    KernelIrqchip,
    /// The interrupt controllers are devices.
    DeviceIrqchip,
}

impl When {
    pub(super) const ALL: [Self; 2] = [Self::KernelIrqchip, Self::DeviceIrqchip];

    /// The name in machine files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KernelIrqchip => "kernel-irqchip",
            Self::DeviceIrqchip => "device-irqchip",
        }
    }

    /// Whether it is so on a machine with these parameters.
    pub const fn holds(self, parameters: &Parameters) -> bool {
        match (self, parameters.irqchip) {
            (Self::KernelIrqchip, irqchip) => matches!(irqchip, Irqchip::Kernel),
            (Self::DeviceIrqchip, irqchip) => !matches!(irqchip, Irqchip::Kernel),
        }
    }
}

/// The host's time; a host that is set to before 1970 counts as there.
fn seconds_since_1970() -> u64 {
    SystemTime::UNIX_EPOCH.elapsed().map_or(0, |elapsed| elapsed.as_secs())
}

//! `-machine`, `-M`, and the properties of the machine.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::help::Help;
use super::value::{self, Toggle};
use super::{accel, boot, memory, smp};
use crate::machine::file::{MachineType, MachineTypes, Origin, Value};

/// The machine type if none is named.
const DEFAULT: &str = "pc";

pub(super) fn machine(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.keyval(Some("type"))?;
    match list.get("type") {
        Some("help" | "?") => all.ask_help(Help::Machines),
        name if list.asks_help() => {
            let name = name.unwrap_or(DEFAULT).to_owned();
            all.ask_help(Help::Machine(name));
        }
        _ => all.machine.merge(list),
    }
    Ok(())
}

pub(super) fn enable_kvm(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.machine.set("accel", "kvm".into());
    Ok(())
}

/// The machine type of the command line, or the one of that name.
pub(super) fn find<'a>(
    types: &'a MachineTypes,
    name: Option<&str>,
) -> Result<&'a MachineType, Error> {
    let name = name.filter(|name| !name.is_empty()).unwrap_or(DEFAULT);
    types.get(name).map_err(|_| {
        Error::new("unsupported machine type").hint("Use -machine help to list supported machines")
    })
}

/// The machine that QEMU would start by default.
pub(super) fn default(types: &MachineTypes) -> Option<&MachineType> {
    types.get(DEFAULT).ok()
}

type Set = fn(&mut Collected, &mut MachineType, &str) -> Result<(), Problem>;

/// What there is to a property of QEMU's machine here.
enum Property {
    /// `on`, `off` or, for some, `auto`, none of which the guest can see.
    Any,
    /// As it is here; the other is refused, or earns a warning.
    Only(Words, bool, Other, &'static str),
    /// A word, number or text that changes nothing.
    Text,
    /// What sets it.
    Set(Set),
}

/// What a property may be.
#[derive(Clone, Copy)]
enum Words {
    Flag,
    /// Also `auto`.
    Auto,
}

enum Other {
    Refused,
    Warned,
}

const PROPERTIES: &[(&str, &str, Property)] = &[
    (
        "acpi",
        "ACPI power management",
        Property::Only(Words::Auto, true, Other::Refused, "is part of the machine"),
    ),
    ("append", "The kernel's command line", Property::Set(append)),
    (
        "default-bus-bypass-iommu",
        "Keep the first PCI bus from the IOMMU",
        Property::Only(Words::Flag, false, Other::Refused, "needs an IOMMU, which there is not"),
    ),
    ("dump-guest-core", "Guest memory in core dumps of the process", Property::Any),
    ("firmware", "Firmware image", Property::Set(firmware)),
    ("graphics", "A display", Property::Any),
    (
        "hpet",
        "The high precision event timer",
        Property::Only(
            Words::Flag,
            false,
            Other::Warned,
            "is not there; the guest does not have it",
        ),
    ),
    (
        "i8042",
        "The keyboard controller",
        Property::Only(Words::Flag, true, Other::Refused, "is part of the machine"),
    ),
    (
        "igd-passthru",
        "Hand over Intel graphics",
        Property::Only(
            Words::Flag,
            false,
            Other::Refused,
            "needs a pass-through, which there is not",
        ),
    ),
    ("initrd", "Initial RAM disk", Property::Set(initrd)),
    ("kernel", "Kernel image", Property::Set(kernel)),
    ("kernel-irqchip", "Interrupt controllers of the kernel", Property::Set(kernel_irqchip)),
    ("max-ram-below-4g", "RAM below 4 GiB at most", Property::Set(max_ram_below_4g)),
    ("mem-merge", "Let the host merge equal pages", Property::Any),
    ("memory-backend", "The object that is the guest's RAM", Property::Set(memory_backend)),
    (
        "nvdimm",
        "NVDIMM support",
        Property::Only(Words::Flag, false, Other::Refused, "is not there"),
    ),
    (
        "pic",
        "The 8259 interrupt controllers",
        Property::Only(Words::Auto, true, Other::Refused, "is part of the machine"),
    ),
    (
        "pit",
        "The 8254 timer",
        Property::Only(Words::Auto, true, Other::Refused, "is part of the machine"),
    ),
    ("sata", "A SATA controller, on machines that have one", Property::Any),
    ("smbios-entry-point-type", "Which SMBIOS tables to make: none are made", Property::Text),
    (
        "smbus",
        "The SMBus",
        Property::Only(Words::Flag, true, Other::Refused, "is part of the machine"),
    ),
    ("smm", "System management mode", Property::Set(smm)),
    (
        "suppress-vmdesc",
        "Leave the description out of saved states",
        Property::Set(suppress_vmdesc),
    ),
    (
        "usb",
        "A USB controller",
        Property::Only(
            Words::Flag,
            false,
            Other::Warned,
            "is not there; the guest does not have it",
        ),
    ),
    ("vmport", "VMware's port", Property::Set(vmport)),
    ("x-oem-id", "A name in ACPI tables: none are made", Property::Text),
    ("x-oem-table-id", "A name in ACPI tables: none are made", Property::Text),
];

/// Names and descriptions of the properties, as help lists them.
pub(super) fn properties() -> impl Iterator<Item = (&'static str, &'static str)> {
    PROPERTIES.iter().map(|(name, text, _)| (*name, *text))
}

/// Applies the properties of the machine, all but `accel` and those that
/// [`memory`], [`smp`] and [`boot`] read.
pub(super) fn apply(all: &mut Collected, machine: &mut MachineType) -> Result<(), Error> {
    let settings: Vec<(String, String)> =
        all.machine.last().map(|(name, text)| (name.into(), text.into())).collect();
    for (name, text) in settings {
        let group = name.split_once('.').map(|(group, _)| group);
        let elsewhere = [smp::GROUP, boot::GROUP, memory::GROUP];
        if matches!(name.as_str(), "type" | "accel")
            || group.is_some_and(|group| elsewhere.contains(&group))
        {
            continue;
        }
        // QEMU takes either spelling.
        let spelt = name.replace('_', "-");
        let found = PROPERTIES.iter().find(|(known, ..)| *known == spelt);
        let Some((_, _, property)) = found else {
            return Err(Error::new(format!(
                "Property '{}-machine.{name}' not found",
                machine.name
            )));
        };
        set(all, machine, &name, &text, property).map_err(Problem::bare)?;
    }
    Ok(())
}

fn set(
    all: &mut Collected,
    machine: &mut MachineType,
    name: &str,
    text: &str,
    property: &Property,
) -> Result<(), Problem> {
    match property {
        Property::Any => value::flag(name, text).map(drop),
        Property::Text => Ok(()),
        Property::Only(words, here, other, why) => {
            if words.read(name, text)?.is_none_or(|wanted| wanted == *here) {
                return Ok(());
            }
            let problem = format!("-machine {name}={text}: {name} {why}");
            match other {
                Other::Refused => Err(problem.into()),
                Other::Warned => {
                    all.warnings.push(format!("warning: {problem}"));
                    Ok(())
                }
            }
        }
        Property::Set(set) => set(all, machine, text),
    }
}

impl Words {
    /// On or off; none if that is left to the host.
    fn read(self, name: &str, text: &str) -> Result<Option<bool>, Problem> {
        match self {
            Self::Flag => value::flag(name, text).map(Some),
            Self::Auto => Ok(match value::auto(name, text)? {
                Toggle::On => Some(true),
                Toggle::Off => Some(false),
                Toggle::Auto => None,
            }),
        }
    }
}

fn append(all: &mut Collected, _: &mut MachineType, text: &str) -> Result<(), Problem> {
    all.images.append = Some(text.into());
    Ok(())
}

fn firmware(all: &mut Collected, _: &mut MachineType, text: &str) -> Result<(), Problem> {
    all.images.firmware = Some(text.into());
    Ok(())
}

fn initrd(all: &mut Collected, _: &mut MachineType, text: &str) -> Result<(), Problem> {
    all.images.initrd = Some(text.into());
    Ok(())
}

fn kernel(all: &mut Collected, _: &mut MachineType, text: &str) -> Result<(), Problem> {
    all.images.kernel = Some(text.into());
    Ok(())
}

fn kernel_irqchip(all: &mut Collected, _: &mut MachineType, text: &str) -> Result<(), Problem> {
    accel::set_irqchip(all, text)
}

fn max_ram_below_4g(
    _: &mut Collected,
    machine: &mut MachineType,
    text: &str,
) -> Result<(), Problem> {
    const NAME: &str = "max-ram-below-4g";
    let wrong = |_| format!("Parameter '{NAME}' expects size");
    let limit = value::size(NAME, text, 1).map_err(wrong)?;
    if !(1 << 20..=1 << 32).contains(&limit) || !limit.is_multiple_of(4096) {
        return Err(
            format!("Machine option '{NAME}={limit}' expects whole pages from 1M to 4G").into()
        );
    }
    let layout = &mut machine.memory;
    layout.max_ram_below_4g = limit;
    layout.split_at = layout.split_at.min(limit);
    Ok(())
}

fn memory_backend(all: &mut Collected, _: &mut MachineType, text: &str) -> Result<(), Problem> {
    match all.memory_backends.iter().any(|(id, _)| id == text) {
        true => Ok(()),
        false => Err(format!("Memory backend '{text}' not found").into()),
    }
}

/// On and auto leave it as the machine type has it: under Xen it is off.
fn smm(_: &mut Collected, machine: &mut MachineType, text: &str) -> Result<(), Problem> {
    const NAME: &str = "smm";
    if value::auto(NAME, text)? == Toggle::Off {
        machine.set_option(NAME, Value::Flag(false), Origin::outside("-machine", NAME));
    }
    Ok(())
}

fn vmport(_: &mut Collected, machine: &mut MachineType, text: &str) -> Result<(), Problem> {
    const NAME: &str = "vmport";
    match value::auto(NAME, text)? {
        Toggle::Off => machine.leave_out(|device| device.qemu.is(NAME)),
        Toggle::On if !machine.devices.iter().any(|device| device.qemu.is(NAME)) => {
            return Err(format!("-machine {NAME}={text}: {NAME} is not there").into());
        }
        Toggle::On | Toggle::Auto => {}
    }
    Ok(())
}

fn suppress_vmdesc(
    _: &mut Collected,
    machine: &mut MachineType,
    text: &str,
) -> Result<(), Problem> {
    machine.migration.suppress_vmdesc = value::flag("suppress-vmdesc", text)?;
    Ok(())
}

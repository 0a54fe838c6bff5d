//! What a board is made of, as far as its tables tell.

use crate::pci_board::Pci;

/// A PC with an i440FX, a PIIX3 and a PIIX4's power management.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Board {
    /// Every processor there can be, also those not plugged yet, by index.
    pub processors: Vec<Processor>,
    /// How processors are plugged.
    pub processor_hotplug: ProcessorHotplug,
    /// Whether the line of ISA interrupt 0 arrives at input 2 of the I/O APIC.
    /// QEMU: always, unless KVM's interrupt controllers cannot route it.
    pub timer_override: bool,
    /// The slots for memory, if there are any.
    pub memory_hotplug: Option<MemoryHotplug>,
    /// How processors and memory are divided, if they are.
    pub numa: Option<Numa>,
    /// What the power management function has.
    pub power: PowerManagement,
    /// The PCI bus, and what is in its slots.
    pub pci: Pci,
    /// Whether there is an HPET.
    pub hpet: bool,
    /// The firmware configuration device, if the tables are to name it.
    pub fw_cfg: Option<FwCfg>,
    /// How the files are laid out.
    pub format: Format,
}

/// A processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Processor {
    /// Its APIC id, which follows from its place in the topology.
    pub apic_id: u32,
    /// Whether it is there when the machine starts.
    pub present: bool,
    /// The node that it belongs to, if there are nodes.
    pub node: Option<u32>,
}

/// Memory that can be plugged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryHotplug {
    /// How many slots there are (`-m slots=`): at most 256.
    pub slots: u16,
    /// The first port of the registers: 0xa00.
    pub port: u16,
    /// Where plugged memory goes: the first GiB border behind high memory.
    pub base: u64,
    /// How much room there is: the difference between most and present memory,
    /// and from 2.2 on a GiB for each slot.
    pub length: u64,
}

/// A machine of several nodes, or of one that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numa {
    /// How much memory each node has. Nodes' memory lies behind each other.
    pub nodes: Vec<u64>,
    /// The distances from each node to each, if the machine tells them.
    pub distances: Option<Vec<Vec<u8>>>,
}

/// The registers through which processors are plugged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorHotplug {
    /// What the registers are.
    pub interface: HotplugInterface,
    /// The first port.
    pub port: u16,
}

/// The two interfaces that QEMU has for plugging processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HotplugInterface {
    /// A bitmap of APIC ids: machines up to 2.6.
    Bitmap,
    /// Selectors, commands and data: machines from 2.7 on.
    Selector,
}

/// The power management function, 00:01.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PowerManagement {
    /// Where firmware has put the PM1 registers: bits 6 to 15 of the register at
    /// 0x40 of its configuration space. Zero before firmware has written it.
    pub base: u16,
    /// The system control interrupt: 9.
    pub sci: u16,
    /// The port through which the operating system takes ACPI over. None without
    /// SMM, unless the machine claims it nevertheless (property `smm-compat`, up
    /// to 5.2): the machine is in ACPI mode from the start.
    pub smi: Option<SmiPort>,
    /// The first port of the general purpose events: 0xafe0.
    pub gpe0: u16,
    /// Their length in bytes: 4.
    pub gpe0_length: u8,
    /// Whether the machine can sleep in S3 (property `disable_s3` is not set).
    pub s3: bool,
    /// What to write for S4 (property `s4_val`), unless `disable_s4` is set.
    pub s4: Option<u8>,
}

/// The port APMC, and what to write to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmiPort {
    /// The port: 0xb2.
    pub port: u8,
    /// Enables ACPI: 0xf1.
    pub enable: u8,
    /// Disables it: 0xf0.
    pub disable: u8,
}

/// The firmware configuration device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FwCfg {
    /// The first port: 0x510.
    pub port: u16,
    /// How many ports: 12 with DMA, else 2.
    pub length: u8,
}

/// How the files are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Machines from 2.3 on: a blob of 128 KiB, a root pointer of 20 bytes.
    Current,
    /// Machines 2.1 and 2.2: the root pointer's file is 36 bytes.
    LongPointer,
    /// Machines up to 2.0, as they were built then: besides, the blob is as long
    /// as it was with an AML of `aml` bytes and 97 for each APIC id, rounded to
    /// 4 KiB.
    Legacy {
        /// 6652 for 2.0, 6414 for older ones.
        aml: u32,
    },
}

impl Board {
    /// One above the greatest APIC id.
    pub(crate) fn apic_id_limit(&self) -> u32 {
        let ids = self.processors.iter().map(|processor| processor.apic_id);
        ids.max().map_or(0, |greatest| greatest.saturating_add(1))
    }
}

//! What a machine answers to reads of all its registers.

use std::collections::BTreeMap;

use super::machines::version;
use super::ports::{PM, Ports, SMBUS, function, run, smbus};

/// QEMU's register of PCI hot plug for removable slots.
const SLOTS: u16 = 0xae0c;

/// In SMBHSTSTS.
const BYTE_DONE: u64 = 0x80;

/// Answers by register, in parts of a machine.
#[derive(Debug)]
pub(crate) struct Answers(BTreeMap<Part, Vec<(String, u64)>>);

/// A part of a machine. Formats of the state differ in what they hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// CONFADD.
    Address,
    Configuration,
    Ports,
    /// Slots whose functions can be unplugged. It depends on what is there, also
    /// on devices that only QEMU has.
    Slots,
    /// The SMBus host controller, and the EEPROMs behind it.
    Smbus,
}

impl Part {
    pub(crate) const ALL: [Self; 5] =
        [Self::Address, Self::Configuration, Self::Ports, Self::Slots, Self::Smbus];

    /// The parts in a saved state of a machine, by QEMU's compatibility
    /// properties: versions up to 3.1 leave the SMBus out
    /// (`smbus_no_migration_support`), those before 5.1 CONFADD
    /// (`x-config-reg-migration-enabled`).
    pub(crate) fn saved_by(machine: &str) -> Vec<Self> {
        let is_saved = |part: &Self| match part {
            Self::Address => version(machine) >= (5, 1),
            Self::Configuration | Self::Ports | Self::Slots => true,
            Self::Smbus => version(machine) >= (4, 0),
        };
        Self::ALL.into_iter().filter(is_saved).collect()
    }
}

impl Answers {
    /// Reads everything. Some reads change what is read, as the SMBus
    /// controller's do: machines of the same state change alike.
    pub(crate) fn of(machine: &mut dyn Ports, is_xen: bool) -> Self {
        let mut answers = Self(BTreeMap::new());
        // First of all: every access to configuration space changes it.
        answers.read(machine, Part::Address, 0xcf8, 4);
        answers.ports(machine, is_xen);
        answers.smbus(machine);
        answers.configuration(machine, is_xen);
        answers
    }

    /// Checks that another machine answered the same in some parts.
    pub(crate) fn check(&self, other: &Self, parts: &[Part], what: &str) {
        for part in parts {
            let (expected, found) = (&self.0[part], &other.0[part]);
            assert_eq!(expected.len(), found.len(), "{what}: {part:?}");
            for ((register, expected), (_, found)) in expected.iter().zip(found) {
                assert_eq!(found, expected, "{what}: {register}");
            }
        }
    }

    /// The answer to the first read of a port.
    pub(crate) fn port(&self, port: u16, size: u8) -> u64 {
        self.get(&port_name(port, size))
    }

    /// The answer to a read of a register.
    pub(crate) fn get(&self, register: &str) -> u64 {
        let all = self.0.values().flatten();
        let found = all.into_iter().find(|(name, _)| name == register);
        found.unwrap_or_else(|| panic!("no register {register:?}")).1
    }

    fn push(&mut self, part: Part, register: String, value: u64) {
        self.0.entry(part).or_default().push((register, value));
    }

    fn read(&mut self, machine: &mut dyn Ports, part: Part, port: u16, size: u8) {
        let value = machine.read(port, size);
        self.push(part, port_name(port, size), value);
    }

    fn ports(&mut self, machine: &mut dyn Ports, is_xen: bool) {
        let mut read = |port, size| self.read(machine, Part::Ports, port, size);
        // Power management: PMSTS, PMEN, PMCNTRL, PMTMR.
        for (offset, size) in [(0, 2), (2, 2), (4, 2), (8, 4)] {
            read(PM + offset, size);
        }
        // GPE0, APM, RCR.
        for port in [0xafe0, 0xafe1, 0xafe2, 0xafe3, 0xb2, 0xb3, 0xcf9] {
            read(port, 1);
        }
        // Hot plug of functions, processors and memory.
        for port in (0xae00..0xae18).step_by(4).filter(|port| *port != SLOTS) {
            read(port, 4);
        }
        (0xaf00..0xaf20).for_each(|port| read(port, 1));
        (0x0a00..0x0a18).step_by(4).for_each(|port| read(port, 4));
        // COM1.
        (0x3f8..0x400).for_each(|port| read(port, 1));
        if is_xen {
            (0x10..0x20).for_each(|port| read(port, 1));
            for (port, size) in [(0xc000, 1), (0xc004, 1), (0xc000, 4)] {
                read(port, size);
            }
        }
        self.read(machine, Part::Slots, SLOTS, 4);
    }

    fn smbus(&mut self, machine: &mut dyn Ports) {
        for offset in 0..0x10 {
            self.read(machine, Part::Smbus, SMBUS + offset, 1);
        }
        // A transfer in flight goes on when the guest has taken a byte.
        for byte in 1..4 {
            machine.write(SMBUS + smbus::HSTSTS, 1, BYTE_DONE);
            let value = machine.read(SMBUS + smbus::BLKDAT, 1);
            self.push(Part::Smbus, format!("byte {byte} in flight"), value);
        }
        for address in 0x50..0x58 {
            for (first, count) in [(0x00, 12), (0x10, 1), (0x20, 2)] {
                for offset in first..first + count {
                    let value = read_eeprom(machine, address, offset);
                    let byte = format!("EEPROM {address:#x}, offset {offset:#x}");
                    self.push(Part::Smbus, byte, value);
                }
            }
        }
    }

    fn configuration(&mut self, machine: &mut dyn Ports, is_xen: bool) {
        let mut functions =
            vec![function::HOST_BRIDGE, function::ISA_BRIDGE, function::POWER_MANAGEMENT];
        functions.extend(is_xen.then_some(function::XEN_PLATFORM));
        for function in functions {
            for register in (0..=0xfc).step_by(4) {
                let value = machine.configuration(function, register);
                let register = format!("function {function:#04x}, register {register:#04x}");
                self.push(Part::Configuration, register, value);
            }
        }
    }
}

/// Reads a byte of an EEPROM.
fn read_eeprom(machine: &mut dyn Ports, address: u8, offset: u8) -> u64 {
    use smbus::{HSTADD, HSTCMD, HSTCNT, HSTDAT0, HSTSTS};

    let run = run::BYTE_DATA_AT_ONCE;
    machine.write_all(
        SMBUS,
        &[(HSTSTS, 0xfe), (HSTADD, address << 1 | 1), (HSTCMD, offset), (HSTCNT, run)],
    );
    machine.read(SMBUS + HSTDAT0, 1)
}

fn port_name(port: u16, size: u8) -> String {
    format!("port {port:#x}, {size} bytes")
}

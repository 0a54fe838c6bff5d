//! Base address registers (PCI Local Bus Specification 3.0, 6.2.5).

use crate::bus::ConfigurationSpace;
use crate::component::Instance;

const COMMAND: usize = 0x04;
const COMMAND_IO: u16 = 1 << 0;
const COMMAND_MEMORY: u16 = 1 << 1;
const HEADER_TYPE: usize = 0x0e;
const BAR0: u16 = 0x10;

/// What a base address register decodes, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciBar {
    /// Its number: 0 to 5, and 6 for the expansion ROM, as in QEMU.
    pub number: u8,
    /// Bytes decoded.
    pub size: u64,
    /// I/O ports rather than memory.
    pub ports: bool,
    /// Memory of which reads have no side effects.
    pub prefetchable: bool,
    /// Memory anywhere in 64 bits, in two registers.
    pub wide: bool,
    /// Where it is seen, if it is.
    pub address: Option<u64>,
}

/// The number of the register for the expansion ROM.
const ROM: u8 = 6;

/// Where the registers are in a header.
fn registers(header_type: u8) -> (u8, u16) {
    match header_type & 0x7f {
        // A bridge (PCI-to-PCI Bridge Architecture Specification 1.2, 3.2).
        1 => (2, 0x38),
        _ => (6, 0x30),
    }
}

/// The registers of a function that decode something. `header` is what its
/// configuration space holds.
pub(super) fn of(space: &ConfigurationSpace, header: &[u8]) -> Vec<PciBar> {
    let (count, rom) = registers(header.get(HEADER_TYPE).copied().unwrap_or(0));
    let Some(mut copy) = Copy::of(space) else { return Vec::new() };
    let mut bars = Vec::new();
    let mut numbers = 0..count;
    while let Some(number) = numbers.next() {
        let at = BAR0 + 4 * u16::from(number);
        let low = copy.mask(at);
        let wide = low & 7 == 4 && number + 1 < count;
        let high = if wide { copy.mask(at + 4) } else { 0 };
        bars.extend(decoded(number, low, high, wide, header, at));
        if wide {
            numbers.next();
        }
    }
    bars.extend(decoded(ROM, copy.mask(rom) & !0x7ff, 0, false, header, rom));
    bars
}

/// A register in which all ones read back as `low` and `high`.
fn decoded(number: u8, low: u32, high: u32, wide: bool, header: &[u8], at: u16) -> Option<PciBar> {
    let ports = number != ROM && low & 1 != 0;
    let prefetchable = !ports && low & 8 != 0;
    let fixed: u32 = if ports { 3 } else { 15 };
    let mask = u64::from(high) << 32 | u64::from(low & !fixed);
    let size = mask & mask.wrapping_neg();
    let bar = PciBar { number, size, ports, prefetchable, wide, address: None };
    (size != 0).then(|| PciBar { address: bar.address(header, at.into()), ..bar })
}

impl PciBar {
    /// Where the header says that the region is. As in QEMU it is nowhere at
    /// address 0, and where it reaches the last byte below 4 GiB or wraps.
    fn address(&self, header: &[u8], at: usize) -> Option<u64> {
        let word =
            |at: usize| header.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]));
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 2)) << 16;
        let enable = if self.ports { COMMAND_IO } else { COMMAND_MEMORY };
        let value = long(at) | if self.wide { long(at + 4) << 32 } else { 0 };
        let off = word(COMMAND) & enable == 0 || self.number == ROM && value & 1 == 0;
        let base = value & !(self.size - 1);
        let last = base.checked_add(self.size - 1)?;
        let limit = if self.wide { u64::MAX } else { u32::MAX.into() };
        (!off && base != 0 && last < limit).then_some(base)
    }
}

/// A copy of a device, as it is after it was configured, on which registers can be
/// tried out: what decodes how much does not depend on its state.
struct Copy<'a> {
    space: &'a ConfigurationSpace,
    instance: Instance,
    /// It has not failed, so it can be called.
    works: bool,
}

impl<'a> Copy<'a> {
    fn of(space: &'a ConfigurationSpace) -> Option<Self> {
        let slot = &space.slot;
        let instance = slot.image().instantiate_alone(slot.name(), slot.properties());
        match instance {
            Ok(instance) => Some(Self { space, instance, works: true }),
            Err(error) => {
                tracing::warn!(slot = &**slot.name(), %error, "what its registers decode is unknown");
                None
            }
        }
    }

    /// What a register reads as after all ones were written to it (6.2.5.1): 0 if
    /// the device fails.
    fn mask(&mut self, at: u16) -> u32 {
        let Self { space: ConfigurationSpace { region, rules, .. }, instance, works } = self;
        access::write(rules, at.into(), 4, u32::MAX.into(), |offset, width, value| {
            *works = *works && instance.io_write(*region, offset, width, value, 0).is_ok();
        });
        let value = access::read(rules, at.into(), 4, |offset, width| {
            let value = works.then(|| instance.io_read(*region, offset, width, 0).ok()).flatten();
            *works = value.is_some();
            value.unwrap_or(0)
        });
        if *works { value as u32 } else { 0 }
    }
}

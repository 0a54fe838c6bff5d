//! Configuration cycles: PCI configuration mechanism #1 (PCI Local Bus
//! Specification 3.0, 3.2.2.3.2).

use southbridge_sdk::Context;
use southbridge_sdk::pci::CONFIGURATION_SIZE;

use crate::I440fx;
use crate::regs::ConfigurationAddress;

/// The bus the device carries.
const BUS: u32 = 0;
/// The device's own place on it: slot 0, function 0.
const SELF: u8 = 0;

/// Where an access to the data register goes.
struct Target {
    devfn: u8,
    offset: u16,
    /// Bytes: 1 to 4. What lies beyond the configuration space is cut off.
    size: u8,
}

impl Target {
    /// The target of `size` bytes at `offset` of the data register, or none if
    /// no function can answer: cycles are not enabled, or go to a bus behind a
    /// bridge, of which there are none.
    fn new(address: ConfigurationAddress, offset: u64, size: u8) -> Option<Self> {
        if !address.enable() || address.bus() != 0 {
            return None;
        }
        // QEMU combines the two with an OR, whatever the low bits of the
        // address are.
        let offset = u16::from(address.register() | offset as u8 & 3);
        let left = CONFIGURATION_SIZE as u16 - offset;
        let size = u16::from(size).min(left) as u8;
        Some(Self { devfn: address.devfn(), offset, size })
    }

    /// The target in the widths a bus has. Only an access that has been cut at
    /// the end has another; it goes byte by byte.
    fn parts(&self) -> impl Iterator<Item = (u8, u16, u8)> {
        let width = if self.size == 3 { 1 } else { self.size };
        let offset = self.offset;
        (0..self.size)
            .step_by(width.into())
            .map(move |done| (done, offset + u16::from(done), width))
    }
}

impl I440fx {
    /// Reads the data register.
    pub(crate) fn configuration_read(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        size: u8,
    ) -> u64 {
        let Some(target) = Target::new(self.address, offset, size) else { return u64::MAX };
        if target.devfn == SELF {
            return self.function.read(target.offset.into(), target.size);
        }
        target.parts().fold(0, |value, (done, offset, width)| {
            let part = cx.pci_read(BUS, target.devfn, offset, width);
            value | u64::from(part) << (8 * done)
        })
    }

    /// Writes the bridge's own configuration space.
    pub(crate) fn function_write(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        size: u8,
        value: u64,
    ) {
        self.function.write(cx, offset, size, value);
        self.windows.apply(self.function.registers(), cx);
    }

    /// Writes the data register.
    pub(crate) fn configuration_write(
        &mut self,
        cx: &mut Context<'_>,
        offset: u64,
        size: u8,
        value: u64,
    ) {
        let Some(target) = Target::new(self.address, offset, size) else { return };
        if target.devfn == SELF {
            return self.function_write(cx, target.offset.into(), target.size, value);
        }
        for (done, offset, width) in target.parts() {
            let mask = u32::MAX >> (32 - 8 * u32::from(width));
            cx.pci_write(BUS, target.devfn, offset, width, (value >> (8 * done)) as u32 & mask);
        }
    }
}

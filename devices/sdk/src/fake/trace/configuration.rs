//! Configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2), for
//! tests of one function: a recording reaches it through ports 0xcf8 to 0xcff,
//! which belong to the host bridge.

use access::{Rules, Sizes, chunk, mask};

use super::Request;
use crate::Device;
use crate::fake::Bench;

/// The address latch and the four data ports.
const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

const RULES: Rules = Rules { valid: Sizes::aligned(1, 4), implemented: Sizes::aligned(1, 4) };

/// The ports of a host bridge that reach configuration space.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConfigurationPorts {
    latch: u32,
}

/// An access to the configuration space of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The bus.
    pub bus: u8,
    /// Slot in bits 7 to 3, function in bits 2 to 0.
    pub devfn: u8,
    /// The offset in configuration space.
    pub offset: u64,
    /// Bytes: 1, 2 or 4.
    pub size: u8,
}

impl ConfigurationPorts {
    /// Whether an access to ports starts at the latch or the data ports.
    #[must_use]
    pub fn has(port: u16) -> bool {
        (ADDRESS..DATA + 4).contains(&port)
    }

    /// Reads the data ports with `cycle`; what is not a data port, or not
    /// enabled, reads as ones.
    pub fn read(&self, port: u16, size: u8, mut cycle: impl FnMut(Cycle) -> u64) -> u64 {
        let mut value = mask(size);
        for (done, target) in self.cycles(port, size) {
            let bits = mask(target.size) << (8 * done);
            value = value & !bits | cycle(target) << (8 * done) & bits;
        }
        value
    }

    /// Writes the latch, or the data ports with `cycle`. An access that starts
    /// below the data ports reaches them, too.
    pub fn write(&mut self, port: u16, size: u8, value: u64, mut cycle: impl FnMut(Cycle, u64)) {
        if port == ADDRESS && size == 4 {
            self.latch = value as u32;
        }
        for (done, target) in self.cycles(port, size) {
            cycle(target, value >> (8 * done) & mask(target.size));
        }
    }

    /// Performs an access to these ports for a recording of one function of bus
    /// 0. Returns the value read, if the access is a read; nothing if it is to
    /// other ports, or reads something else than the function.
    pub fn follow<D: Device>(
        &mut self,
        bench: &mut Bench<D>,
        devfn: u8,
        request: Request<'_>,
    ) -> Option<Option<u64>> {
        let ours = |cycle: Cycle| (cycle.bus, cycle.devfn) == (0, devfn);
        match request {
            Request::In { port, size } if Self::has(port) => {
                let mut all_ours = port >= DATA;
                let value = self.read(port, size, |cycle| {
                    all_ours &= ours(cycle);
                    bench.configuration_read(cycle.offset as u16, cycle.size).into()
                });
                all_ours.then_some(Some(value))
            }
            Request::Out { port, size, value } if Self::has(port) => {
                self.write(port, size, value, |cycle, part| {
                    if ours(cycle) {
                        let (at, size) = (cycle.offset as u16, cycle.size);
                        bench.configuration_write(at, size, part as u32);
                    }
                });
                Some(None)
            }
            _ => None,
        }
    }

    /// The configuration cycles of an access, each with the bytes before it.
    fn cycles(self, port: u16, size: u8) -> Vec<(u8, Cycle)> {
        let (mut cycles, mut done) = (Vec::new(), 0);
        while done < size && self.latch >> 31 != 0 {
            let address = u64::from(port) + u64::from(done);
            let Some(at) = address.checked_sub(u64::from(DATA)) else {
                done += 1;
                continue;
            };
            let left = u64::from(size - done).min(4_u64.saturating_sub(at));
            if left == 0 {
                break;
            }
            let width = chunk(&RULES, at, left);
            let [low, devfn, bus, _] = self.latch.to_le_bytes();
            let offset = u64::from(low) | at;
            cycles.push((done, Cycle { bus, devfn, offset, size: width }));
            done += width;
        }
        cycles
    }
}

//! What is on the buses that the device carries.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::component::{Children, Effects};

/// A transfer on a bus of the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle {
    /// The bus.
    pub bus: u32,
    /// What it is: `pci-read`, `i2c-send` ...
    pub kind: &'static str,
    /// Where it goes: a function, an address, a channel.
    pub target: u32,
    /// Where there, if that is said.
    pub offset: u32,
    /// What went over: a value, a length, whether there was an answer.
    pub value: u64,
}

/// The most transfers that are kept of an action.
const MOST: usize = 4096;

/// The functions on each PCI bus, by slot and function.
const FUNCTIONS: [u8; 2] = [0x10, 0x19];

/// The addresses on each I2C bus where something answers.
const TARGETS: std::ops::RangeInclusive<u8> = 0x50..=0x51;

/// The channel of each ISA bus where something is.
const CHANNEL: u8 = 1;

/// On each PCI bus two functions, which are memory; on each I2C bus two EEPROMs of
/// 256 bytes; on channel 1 of each ISA bus a device that gives what it takes. What
/// they do follows from what was done to them.
#[derive(Default)]
pub(super) struct Neighbours(Mutex<State>);

#[derive(Default)]
struct State {
    cycles: Vec<Cycle>,
    functions: BTreeMap<(u32, u8, u16), u8>,
    eeproms: BTreeMap<(u32, u8), Eeprom>,
    given: BTreeMap<u32, Vec<u8>>,
}

/// A byte sent after a start is where the next one goes or comes from.
#[derive(Default)]
struct Eeprom {
    data: BTreeMap<u8, u8>,
    at: u8,
    addressed: bool,
}

impl Neighbours {
    /// The transfers since the last time.
    pub(super) fn take(&self) -> Vec<Cycle> {
        std::mem::take(&mut self.lock().cycles)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn note(&mut self, kind: &'static str, bus: u32, target: u32, offset: u32, value: u64) {
        if self.cycles.len() < MOST {
            self.cycles.push(Cycle { bus, kind, target, offset, value });
        }
    }

    fn configuration(&mut self, bus: u32, devfn: u8, offset: u16, size: u8) -> u32 {
        if !FUNCTIONS.contains(&devfn) {
            return u32::MAX;
        }
        (0..u16::from(size.min(4))).rev().fold(0, |value, byte| {
            let at = offset.wrapping_add(byte);
            // Some identity, and a header of type 0.
            let born = if at < 8 { devfn ^ at as u8 } else { 0 };
            let byte = self.functions.get(&(bus, devfn, at)).copied().unwrap_or(born);
            value << 8 | u32::from(byte)
        })
    }

    fn eeprom(&mut self, bus: u32, address: u8) -> Option<&mut Eeprom> {
        let there = TARGETS.contains(&address);
        there.then(|| self.eeproms.entry((bus, address)).or_default())
    }
}

impl Children for Neighbours {
    fn pci_read(&self, bus: u32, devfn: u8, offset: u16, size: u8, _: &mut Effects) -> u32 {
        let mut state = self.lock();
        let value = state.configuration(bus, devfn, offset, size);
        state.note("pci-read", bus, devfn.into(), offset.into(), value.into());
        value
    }

    fn pci_write(&self, bus: u32, devfn: u8, offset: u16, size: u8, value: u32, _: &mut Effects) {
        let mut state = self.lock();
        state.note("pci-write", bus, devfn.into(), offset.into(), value.into());
        if FUNCTIONS.contains(&devfn) {
            for (at, byte) in (0..).zip(value.to_le_bytes()).take(size.into()) {
                // The identity cannot be written.
                let at = offset.wrapping_add(at);
                if at >= 8 {
                    state.functions.insert((bus, devfn, at), byte);
                }
            }
        }
    }

    fn i2c_start(&self, bus: u32, address: u8, read: bool, _: &mut Effects) -> bool {
        let mut state = self.lock();
        let acknowledged = state.eeprom(bus, address).map(|eeprom| eeprom.addressed = read);
        let acknowledged = acknowledged.is_some();
        let kind = if read { "i2c-start-read" } else { "i2c-start-write" };
        state.note(kind, bus, address.into(), 0, acknowledged.into());
        acknowledged
    }

    fn i2c_send(&self, bus: u32, address: u8, byte: u8, _: &mut Effects) -> bool {
        let mut state = self.lock();
        state.note("i2c-send", bus, address.into(), 0, byte.into());
        let Some(eeprom) = state.eeprom(bus, address) else { return false };
        if std::mem::replace(&mut eeprom.addressed, true) {
            eeprom.data.insert(eeprom.at, byte);
            eeprom.at = eeprom.at.wrapping_add(1);
        } else {
            eeprom.at = byte;
        }
        true
    }

    fn i2c_receive(&self, bus: u32, address: u8, _: &mut Effects) -> u8 {
        let mut state = self.lock();
        let byte = state.eeprom(bus, address).map_or(0xff, |eeprom| {
            let byte = eeprom.data.get(&eeprom.at).copied().unwrap_or(eeprom.at);
            eeprom.at = eeprom.at.wrapping_add(1);
            byte
        });
        state.note("i2c-receive", bus, address.into(), 0, byte.into());
        byte
    }

    fn i2c_nack(&self, bus: u32, address: u8, _: &mut Effects) {
        self.lock().note("i2c-nack", bus, address.into(), 0, 0);
    }

    fn i2c_stop(&self, bus: u32, address: u8, _: &mut Effects) {
        self.lock().note("i2c-stop", bus, address.into(), 0, 0);
    }

    fn dma_take(&self, bus: u32, channel: u8, length: u32, _: &mut Effects) -> Vec<u8> {
        let mut state = self.lock();
        let mut data = Vec::new();
        if channel == CHANNEL {
            data = state.given.remove(&bus).unwrap_or_default();
            data.resize(length as usize, 0xa5);
        }
        state.note("dma-take", bus, channel.into(), length, data.len() as u64);
        data
    }

    fn dma_give(&self, bus: u32, channel: u8, data: &[u8], _: &mut Effects) -> u32 {
        let mut state = self.lock();
        let taken = if channel == CHANNEL { data.len() } else { 0 };
        if taken != 0 {
            state.given.insert(bus, data.to_vec());
        }
        state.note("dma-give", bus, channel.into(), data.len() as u32, taken as u64);
        taken as u32
    }

    fn dma_terminal_count(&self, bus: u32, channel: u8, _: &mut Effects) {
        self.lock().note("dma-end", bus, channel.into(), 0, 0);
    }
}

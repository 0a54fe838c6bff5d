//! Where the lines lead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::file::{Address, CpuPin, DeviceEntry, Target};
use super::plan::Planned;
use crate::component::{Description, SlotId};

/// The end of a wire.
#[derive(Clone, Debug)]
pub(super) enum Sink {
    /// An input line of a device.
    Input {
        /// The slot of the device.
        slot: SlotId,
        /// The line.
        line: u32,
        /// The level the device was told last. If several outputs drive one
        /// input, the last one to change wins, as with QEMU's `qemu_irq`.
        told: Arc<AtomicBool>,
    },
    /// An input of the interrupt controllers.
    Gsi(u32),
    /// A pin of the processors.
    Cpu(CpuPin),
}

/// All wires of a machine: slot, output line, sinks.
pub(super) struct Wires {
    sinks: Vec<Vec<Vec<Sink>>>,
    inputs: Vec<Arc<AtomicBool>>,
    /// The device on no bus that carries a PCI bus, and its first line for
    /// interrupt pins.
    root: Option<(SlotId, u32)>,
}

impl Wires {
    /// Wires planned devices: as their entries say, and the interrupt pins of
    /// PCI functions to the bridge that carries them.
    pub(super) fn new(devices: &[Planned]) -> Self {
        let root = (0..).zip(devices).filter(|(_, device)| device.entry.at.is_none());
        let root = root.filter_map(|(slot, device)| {
            let buses = &device.image.description().buses;
            let first = buses.iter().find_map(|bus| bus.first_interrupt_line)?;
            Some((SlotId(slot), first))
        });
        let root = root.into_iter().next();
        let mut wires = Self { sinks: Vec::new(), inputs: Vec::new(), root };
        let mut inputs = BTreeMap::new();
        for device in devices {
            let description = device.image.description();
            let mut sinks = vec![Vec::new(); description.lines.len()];
            for (line, declared) in description.lines.iter().enumerate() {
                let wired = device.entry.wires.get(&declared.name);
                let sink = match wired {
                    Some(target) => wires.sink(&target.value, devices, &mut inputs),
                    None => interrupt_pin(&declared.name)
                        .and_then(|pin| wires.interrupt(&device.entry, pin, devices, &mut inputs)),
                };
                sinks[line].extend(sink);
            }
            wires.sinks.push(sinks);
        }
        wires
    }

    /// The sinks of an output line.
    pub(super) fn of(&self, slot: SlotId, line: u32) -> &[Sink] {
        let lines = self.sinks.get(slot.0 as usize);
        lines.and_then(|lines| lines.get(line as usize)).map_or(&[], Vec::as_slice)
    }

    /// The input line for an interrupt pin (0 to 3) of a function on the root PCI
    /// bus.
    pub(super) fn root_pin(&self, slot: u8, pin: u8) -> Option<(SlotId, u32)> {
        let (bridge, first) = self.root?;
        Some((bridge, first + 4 * u32::from(slot) + u32::from(pin)))
    }

    /// All output lines: slot and line.
    pub(super) fn outputs(&self) -> impl Iterator<Item = (SlotId, u32)> {
        (0..)
            .zip(&self.sinks)
            .flat_map(|(slot, lines)| (0..).zip(lines).map(move |(line, _)| (SlotId(slot), line)))
    }

    /// Forgets what the inputs were told: they count as low after a reset.
    pub(super) fn forget(&self) {
        self.inputs.iter().for_each(|told| told.store(false, Ordering::Relaxed));
    }

    fn sink(
        &mut self,
        target: &Target,
        devices: &[Planned],
        inputs: &mut BTreeMap<(SlotId, u32), Arc<AtomicBool>>,
    ) -> Option<Sink> {
        match target {
            Target::Gsi(gsi) => Some(Sink::Gsi(*gsi)),
            Target::Cpu(pin) => Some(Sink::Cpu(*pin)),
            Target::Line { device, line } => {
                let (slot, planned) = find(devices, device)?;
                let line = position(planned.image.description(), line)?;
                Some(self.input(slot, line, inputs))
            }
        }
    }

    /// The bridge's input line for an interrupt pin of a function on its bus.
    fn interrupt(
        &mut self,
        entry: &DeviceEntry,
        pin: u32,
        devices: &[Planned],
        inputs: &mut BTreeMap<(SlotId, u32), Arc<AtomicBool>>,
    ) -> Option<Sink> {
        let place = &entry.at.as_ref()?.value;
        let Some(Address::Pci(address)) = place.address else { return None };
        let (slot, bridge) = find(devices, &place.device)?;
        let buses = &bridge.image.description().buses;
        let first = buses.iter().find(|bus| bus.name == place.bus)?.first_interrupt_line?;
        Some(self.input(slot, first + 4 * u32::from(address.slot()) + pin, inputs))
    }

    fn input(
        &mut self,
        slot: SlotId,
        line: u32,
        inputs: &mut BTreeMap<(SlotId, u32), Arc<AtomicBool>>,
    ) -> Sink {
        let told = inputs.entry((slot, line)).or_insert_with(|| {
            let told = Arc::new(AtomicBool::new(false));
            self.inputs.push(told.clone());
            told
        });
        Sink::Input { slot, line, told: told.clone() }
    }
}

fn find<'a>(devices: &'a [Planned], id: &str) -> Option<(SlotId, &'a Planned)> {
    let found = (0..).zip(devices).find(|(_, device)| device.entry.id == id);
    found.map(|(slot, device)| (SlotId(slot), device))
}

fn position(description: &Description, line: &str) -> Option<u32> {
    (0..).zip(&description.lines).find(|(_, known)| known.name == line).map(|(index, _)| index)
}

/// The pin of a PCI function's interrupt output: `inta` is 0.
fn interrupt_pin(name: &str) -> Option<u32> {
    ["inta", "intb", "intc", "intd"].iter().position(|pin| *pin == name).map(|pin| pin as u32)
}

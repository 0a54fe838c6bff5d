//! Where the lines lead.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::file::{Address, CpuPin, DeviceEntry, Target};
use super::plan::Planned;
use crate::component::{Description, SlotId};

/// The end of a wire. If several outputs drive one, the last one that was set wins,
/// as with QEMU's `qemu_irq`.
#[derive(Clone, Debug)]
pub(super) enum Sink {
    /// An input line of a device.
    Input {
        /// The slot of the device.
        slot: SlotId,
        /// The line.
        line: u32,
        /// What the device was told last.
        told: Arc<Told>,
        /// Whether it follows an interrupt, and hears of changes only: else a device
        /// that sets its line at each access would disturb the controllers.
        follows: bool,
    },
    /// An input of the interrupt controllers.
    Gsi {
        /// Its number.
        gsi: u32,
        /// What the board was told last.
        told: Arc<Told>,
    },
    /// A pin of the processors.
    Cpu(CpuPin),
}

/// The level that the end of a wire was told last; none if nobody knows. Held while it
/// is told, so that it hears in order what several outputs set.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Option<bool>>);

impl Told {
    pub(super) fn lock(&self) -> MutexGuard<'_, Option<bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ends of wires that several wires may have.
#[derive(Default)]
struct Ends {
    inputs: BTreeMap<(SlotId, u32), Arc<Told>>,
    interrupts: BTreeMap<u32, Arc<Told>>,
}

/// Which inputs hear what outputs set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// None.
    Nowhere,
    /// Those that outputs are wired to, but none that follows an interrupt.
    AtWires,
    /// All.
    Everywhere,
}

/// All wires of a machine: slot, output line, sinks.
pub(super) struct Wires {
    sinks: Vec<Vec<Vec<Sink>>>,
    ends: Ends,
    /// Which inputs hear of anything for now: [`Heard`] as a number.
    heard: AtomicU8,
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
        let heard = AtomicU8::new(Heard::Everywhere as u8);
        let mut wires = Self { sinks: Vec::new(), ends: Ends::default(), heard, root };
        for device in devices {
            let description = device.image.description();
            let mut sinks = vec![Vec::new(); description.lines.len()];
            for (line, declared) in description.lines.iter().enumerate() {
                let wired = device.entry.wires.get(&declared.name);
                if let Some(Target::Gsi(gsi)) = wired.map(|target| &target.value) {
                    sinks[line].extend(wires.listeners(*gsi, devices));
                }
                let sink = match wired {
                    Some(target) => wires.sink(&target.value, devices),
                    None => interrupt_pin(&declared.name)
                        .and_then(|pin| wires.interrupt(&device.entry, pin, devices)),
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

    /// An input line of a device, to be driven like the end of a wire.
    pub(super) fn input_of(&self, slot: SlotId, line: u32) -> Sink {
        let told = self.ends.inputs.get(&(slot, line)).cloned().unwrap_or_default();
        Sink::Input { slot, line, told, follows: false }
    }

    /// Forgets what the inputs of a device were told: they count as low after a reset.
    pub(super) fn forget(&self, device: SlotId) {
        let inputs = self.ends.inputs.range((device, 0)..=(device, u32::MAX));
        inputs.for_each(|(_, told)| *told.lock() = Some(false));
    }

    /// Forgets what the board was told of interrupts: its controllers have changed.
    pub(super) fn forget_interrupts(&self) {
        self.ends.interrupts.values().for_each(|told| *told.lock() = None);
    }

    /// Whether an input hears of an output, `follows` an interrupt or not.
    pub(super) fn is_heard(&self, follows: bool) -> bool {
        let least = if follows { Heard::Everywhere } else { Heard::AtWires };
        self.heard.load(Ordering::Relaxed) >= least as u8
    }

    /// Has only these inputs hear of outputs, while others have been given a state
    /// that says what they know.
    pub(super) fn let_hear(&self, heard: Heard) {
        self.heard.store(heard as u8, Ordering::Relaxed);
    }

    /// Forgets what inputs that follow interrupts were told.
    pub(super) fn forget_followers(&self) {
        for sink in self.sinks.iter().flatten().flatten() {
            if let Sink::Input { told, follows: true, .. } = sink {
                *told.lock() = None;
            }
        }
    }

    fn sink(&mut self, target: &Target, devices: &[Planned]) -> Option<Sink> {
        match target {
            Target::Gsi(gsi) => {
                let told = self.ends.interrupts.entry(*gsi).or_default().clone();
                Some(Sink::Gsi { gsi: *gsi, told })
            }
            Target::Cpu(pin) => Some(Sink::Cpu(*pin)),
            Target::Line { device, line } => {
                let (slot, planned) = find(devices, device)?;
                let line = position(planned.image.description(), line)?;
                Some(self.input(slot, line, false))
            }
        }
    }

    /// The input lines that follow an interrupt.
    fn listeners(&mut self, gsi: u32, devices: &[Planned]) -> Vec<Sink> {
        let mut sinks = Vec::new();
        for (slot, device) in (0..).zip(devices) {
            for (line, interrupts) in &device.entry.listens {
                if interrupts.iter().any(|interrupt| interrupt.value == Target::Gsi(gsi))
                    && let Some(line) = position(device.image.description(), line)
                {
                    sinks.push(self.input(SlotId(slot), line, true));
                }
            }
        }
        sinks
    }

    /// The bridge's input line for an interrupt pin of a function on its bus.
    fn interrupt(&mut self, entry: &DeviceEntry, pin: u32, devices: &[Planned]) -> Option<Sink> {
        let place = &entry.at.as_ref()?.value;
        let Some(Address::Pci(address)) = place.address else { return None };
        let (slot, bridge) = find(devices, &place.device)?;
        let buses = &bridge.image.description().buses;
        let first = buses.iter().find(|bus| bus.name == place.bus)?.first_interrupt_line?;
        Some(self.input(slot, first + 4 * u32::from(address.slot()) + pin, false))
    }

    fn input(&mut self, slot: SlotId, line: u32, follows: bool) -> Sink {
        let told = self.ends.inputs.entry((slot, line)).or_default().clone();
        Sink::Input { slot, line, told, follows }
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

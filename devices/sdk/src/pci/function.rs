//! One function and its configuration space.

use super::bar::Rom;
use super::{Bar, CONFIGURATION_SIZE, command, offset, status};
use crate::Context;
use crate::registers::Registers;
use crate::state::{Fields, Shape};

/// QEMU's VMState description of what all PCI functions have in common.
const SHAPE: Shape = Shape::new("PCIDevice", 2, 1);

/// The priority at which base address registers map their regions: above what
/// sits at fixed addresses.
const BAR_PRIORITY: u8 = 1;

/// The numbers by which software recognizes a function.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// Vendor ID.
    pub vendor: u16,
    /// Device ID.
    pub device: u16,
    /// Revision ID.
    pub revision: u8,
    /// Class code, 24 bits: base class, subclass, programming interface.
    pub class: u32,
    /// Subsystem vendor ID and subsystem ID.
    pub subsystem: (u16, u16),
}

/// QEMU's subsystem of a function that has none of its own.
pub const DEFAULT_SUBSYSTEM: (u16, u16) = (0x1af4, 0x1100);

/// A PCI function: its configuration space, and what follows from it.
///
/// The device adds what is its own through [`Function::registers_mut`], reaches
/// the space through [`Function::read`] and [`Function::write`], and handles
/// its own registers above 0x3f after a write.
#[derive(Clone, Debug)]
pub struct Function {
    registers: Registers<CONFIGURATION_SIZE>,
    bars: [Option<Bar>; 6],
    mapped: [Option<u64>; 6],
    rom: Option<Rom>,
    rom_mapped: Option<u64>,
    /// The output line that is INTA#, if the function has an interrupt pin.
    inta: Option<u32>,
    /// Whether the function asserts each of INTA# to INTD#, disabled or not.
    pins: [u32; 4],
}

impl Function {
    /// A function without base address registers and interrupt pin. Its header
    /// is writable as QEMU has it; all above the header is writable, too, until
    /// the device says otherwise.
    #[must_use]
    pub fn new(identity: Identity) -> Self {
        let Identity { vendor, device, revision, class, subsystem } = identity;
        let mut registers = Registers::new();
        registers.set(offset::VENDOR, 2, vendor.into());
        registers.set(offset::DEVICE, 2, device.into());
        registers.set(offset::REVISION, 1, revision.into());
        registers.set(offset::CLASS, 3, class.into());
        registers.set(offset::SUBSYSTEM_VENDOR, 2, subsystem.0.into());
        registers.set(offset::SUBSYSTEM, 2, subsystem.1.into());
        let commands =
            command::IO | command::MEMORY | command::MASTER | command::SERR | command::INTX_DISABLE;
        registers.make_writable(offset::COMMAND, 2, commands);
        registers.make_clearable(offset::STATUS, 2, status::ERRORS);
        registers.make_writable(offset::CACHE_LINE_SIZE, 1, 0xff);
        registers.make_writable(offset::INTERRUPT_LINE, 1, 0xff);
        for at in (offset::DEVICE_SPECIFIC..CONFIGURATION_SIZE).step_by(8) {
            registers.make_writable(at, 8, u64::MAX);
        }
        Self {
            registers,
            bars: [None; 6],
            mapped: [None; 6],
            rom: None,
            rom_mapped: None,
            inta: None,
            pins: [0; 4],
        }
    }

    /// Adds a base address register; `index` is 0 to 5, and others are ignored.
    #[must_use]
    pub fn with_bar(mut self, index: usize, bar: Bar) -> Self {
        if let Some(place) = self.bars.get_mut(index) {
            *place = Some(bar);
            let at = offset::BAR0 + 4 * index;
            self.registers.make_writable(at, 4, bar.writable());
            self.registers.set(at, 4, bar.type_bits());
        }
        self
    }

    /// Adds an expansion ROM: `region` is of `size` bytes, a power of two and at
    /// least 2 KiB.
    #[must_use]
    pub fn with_rom(mut self, region: u32, size: u32) -> Self {
        let rom = Rom::new(region, size);
        self.registers.make_writable(offset::ROM, 4, rom.writable());
        self.rom = Some(rom);
        self
    }

    /// Gives the function an interrupt pin, INTA#, driven on an output line of
    /// the device.
    #[must_use]
    pub fn with_inta(mut self, line: u32) -> Self {
        self.registers.set(offset::INTERRUPT_PIN, 1, 1);
        self.inta = Some(line);
        self
    }

    /// The configuration space, as the device sees it.
    #[must_use]
    pub const fn registers(&self) -> &Registers<CONFIGURATION_SIZE> {
        &self.registers
    }

    /// The configuration space, for what the device itself changes. After a
    /// change to the command register or a base address call
    /// [`Function::apply`].
    pub const fn registers_mut(&mut self) -> &mut Registers<CONFIGURATION_SIZE> {
        &mut self.registers
    }

    /// A system reset of what all functions have in common. Registers above the
    /// header are the device's own to reset.
    pub fn reset(&mut self, cx: &mut Context<'_>) {
        self.pins = [0; 4];
        self.registers.clear_guest_bits(offset::COMMAND, 4);
        self.registers.clear_guest_bits(offset::CACHE_LINE_SIZE, 1);
        self.registers.clear_guest_bits(offset::INTERRUPT_LINE, 1);
        for (index, bar) in self.bars.iter().enumerate() {
            if let Some(bar) = bar {
                self.registers.set(offset::BAR0 + 4 * index, 4, bar.type_bits());
            }
        }
        if self.rom.is_some() {
            self.registers.set(offset::ROM, 4, 0);
        }
        self.show_interrupt();
        self.apply(cx);
    }

    /// Reads `size` bytes of configuration space.
    #[must_use]
    pub fn read(&self, offset: u64, size: u8) -> u64 {
        usize::try_from(offset).map_or(u64::MAX, |at| self.registers.get(at, size.into()))
    }

    /// Writes configuration space as a guest does and moves regions and the
    /// interrupt line accordingly.
    pub fn write(&mut self, cx: &mut Context<'_>, offset: u64, size: u8, value: u64) {
        let Ok(at) = usize::try_from(offset) else { return };
        self.registers.write(at, size.into(), value);
        if at < offset::DEVICE_SPECIFIC {
            self.apply(cx);
        }
    }

    /// Asserts or releases INTA#.
    pub fn set_interrupt(&mut self, cx: &mut Context<'_>, level: bool) {
        self.pins[0] = level.into();
        self.show_interrupt();
        self.drive(cx);
    }

    /// Sets mappings and the interrupt line to what configuration space says.
    pub fn apply(&mut self, cx: &mut Context<'_>) {
        let command = self.registers.get(offset::COMMAND, 2);
        for (index, bar) in self.bars.iter().enumerate() {
            let Some(bar) = *bar else { continue };
            let value = self.registers.get(offset::BAR0 + 4 * index, 4);
            place(cx, bar.region, &mut self.mapped[index], bar.address(value, command));
        }
        if let Some(rom) = self.rom {
            let address = rom.address(self.registers.get(offset::ROM, 4), command);
            place(cx, rom.region(), &mut self.rom_mapped, address);
        }
        self.drive(cx);
    }

    /// Declares QEMU's `PCIDevice`, under the name it has in the device.
    pub fn state(&mut self, f: &mut Fields<'_>, name: &'static str) {
        let Self { registers, pins, bars, mapped: _, rom, rom_mapped: _, inta: _ } = self;
        let has_rom = rom.is_some();
        f.structure(name, SHAPE, |f| {
            f.i32_at_most("version_id", SHAPE.version as i32);
            let own = registers.clone();
            f.buffer("config[0]", "pci config", registers.bytes_mut());
            let bad = unlike(&own, registers, bars, has_rom);
            f.check(bad.is_none(), || bad.unwrap_or_default());
            let mut raw = pins.map(u32::to_be_bytes).concat();
            f.buffer("irq_state", "pci irq state", &mut raw);
            for (pin, bytes) in pins.iter_mut().zip(raw.chunks_exact(4)) {
                *pin = bytes.iter().fold(0, |value, &byte| value << 8 | u32::from(byte));
            }
            let legal = pins.iter().all(|&pin| pin <= 1);
            f.check(legal, || format!("{pins:?} found, 0 or 1 expected for each pin"));
        });
    }

    /// What follows from a state that has been loaded.
    pub fn loaded(&mut self, cx: &mut Context<'_>) {
        self.show_interrupt();
        self.apply(cx);
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        let Some(line) = self.inta else { return };
        let disabled = self.registers.get(offset::COMMAND, 2) & command::INTX_DISABLE != 0;
        cx.set_line(line, self.pins[0] != 0 && !disabled);
    }

    fn show_interrupt(&mut self) {
        let asserted = self.pins.iter().any(|&pin| pin != 0);
        let others = self.registers.get(offset::STATUS, 2) & !status::INTERRUPT;
        let bit = if asserted { status::INTERRUPT } else { 0 };
        self.registers.set(offset::STATUS, 2, others | bit);
    }
}

/// Moves a region, unless it is where it belongs.
fn place(cx: &mut Context<'_>, region: u32, mapped: &mut Option<u64>, address: Option<u64>) {
    if std::mem::replace(mapped, address) == address {
        return;
    }
    match address {
        Some(base) => cx.map(region, base, BAR_PRIORITY),
        None => cx.unmap(region),
    }
}

/// Which bits must be the same on both sides: those that say what the function
/// is and what it decodes. QEMU checks the same ones, and like QEMU leaves out what
/// a guest can write.
fn fixed_bits(at: usize, bars: &[Option<Bar>; 6], has_rom: bool) -> u8 {
    let bar = at.checked_sub(offset::BAR0).and_then(|at| bars.get(at / 4));
    match at {
        _ if bar.is_some_and(Option::is_some) => 0xff,
        offset::ROM..offset::CAPABILITIES if has_rom => 0xff,
        offset::VENDOR..offset::COMMAND => 0xff,
        offset::STATUS => status::CAPABILITIES as u8,
        offset::REVISION..offset::CACHE_LINE_SIZE | offset::HEADER_TYPE => 0xff,
        offset::CAPABILITIES => 0xff,
        _ => 0,
    }
}

/// The first byte in which a loaded space belongs to another function.
fn unlike(
    own: &Registers<CONFIGURATION_SIZE>,
    loaded: &Registers<CONFIGURATION_SIZE>,
    bars: &[Option<Bar>; 6],
    has_rom: bool,
) -> Option<String> {
    let bytes = own.bytes().iter().zip(loaded.bytes()).enumerate();
    let differs = |&(at, (own_byte, byte)): &(usize, (&u8, &u8))| {
        (own_byte ^ byte) & fixed_bits(at, bars, has_rom) & !own.guest_bits(at) != 0
    };
    let (at, (expected, found)) = bytes.into_iter().find(differs)?;
    Some(format!("byte {at:#04x} is {found:#04x}, {expected:#04x} expected: another PCI function"))
}

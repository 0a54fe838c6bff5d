//! What is on a board's PCI and ISA buses.

use std::ops::RangeInclusive;

/// The host bridge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pci {
    /// The bridge's `_UID`: 0 from machine 5.2 on, 1 before.
    pub uid: u8,
    /// The addresses below 4 GiB that belong to PCI: from the end of low memory
    /// to 0xfebfffff.
    pub low_window: RangeInclusive<u32>,
    /// Those above. It begins with the first byte above 4 GiB at which firmware
    /// has placed memory of a device and ends with the last; if there is none, it
    /// begins at the first GiB border behind high memory and the room for memory
    /// to be plugged. It is at least as long as the property `pci-hole64-size`
    /// says (2 GiB), to the next GiB border. Machines up to 2.10 lack both
    /// additions: what no device is in is no window.
    pub high_window: Option<RangeInclusive<u64>>,
    /// The registers through which devices are plugged. None if neither the root
    /// bus nor bridges are plugged through ACPI.
    pub hotplug: Option<PciHotplug>,
    /// The root bus.
    pub root: PciBus,
}

/// The registers for plugging PCI devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PciHotplug {
    /// The first port: 0xae00.
    pub port: u16,
}

/// A bus.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PciBus {
    /// The number by which the hot-plug registers select the bus. None: nothing
    /// is plugged here through ACPI. QEMU counts from 0, the root bus first
    /// (unless `acpi-root-pci-hotplug` is off), then the buses of bridges
    /// (unless `acpi-pci-hotplug-with-bridge-support` is off), those made last
    /// first, each before the buses behind it.
    pub selector: Option<u32>,
    /// What there is, in any order.
    pub devices: Vec<PciDevice>,
}

/// A function of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PciDevice {
    /// The slot, 0 to 31.
    pub slot: u8,
    /// The function, 0 to 7. Tables name functions other than 0 only if there is
    /// more to say of them: those that are not [`Occupant::Other`].
    pub function: u8,
    /// Whether its kind of device can be unplugged. The chipset's functions, the
    /// displays `VGA` and `cirrus-vga`, and bridges that were there from the
    /// start cannot; nearly all others can.
    pub hotpluggable: bool,
    /// What it is.
    pub occupant: Occupant,
}

/// What a function is, as far as tables tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Occupant {
    /// Nothing that tables describe further: also a bridge, if nothing is
    /// plugged behind it through ACPI.
    Other,
    /// A VGA (`VGA`, `secondary-vga`), which stays on in S1 to S3.
    Display,
    /// The bridge to the ISA bus, in slot 1; and what is on that bus, what was made
    /// last first. A PC makes clock, serial ports, parallel ports, floppy disk
    /// controller and i8042 in this order, and then what was asked for besides.
    IsaBridge(Vec<IsaDevice>),
    /// A bridge behind which devices are plugged through ACPI.
    Bridge(PciBus),
}

/// A device on the ISA bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IsaDevice {
    /// The i8042: keyboard and mouse.
    Keyboard,
    /// The floppy disk controller, with what is on its two connectors.
    Floppy([Option<FloppyDrive>; 2]),
    /// A serial port.
    Serial {
        /// From 1 on.
        number: u8,
        /// Its first port.
        port: u16,
        /// Its interrupt.
        irq: u8,
    },
    /// A parallel port.
    Parallel {
        /// From 1 on.
        number: u8,
        /// Its first port.
        port: u16,
        /// Its interrupt.
        irq: u8,
    },
    /// The real-time clock.
    Clock,
    /// The panic event device.
    Panic {
        /// Its port: 0x505.
        port: u16,
    },
}

/// A floppy disk drive: the greatest values among the formats QEMU knows for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FloppyDrive {
    /// The type, as in the CMOS: 2 (1.2 MB), 4 (1.44 MB) or 5 (2.88 MB).
    pub kind: u8,
    /// The last cylinder.
    pub last_cylinder: u8,
    /// Sectors on a track.
    pub sectors: u8,
    /// The last head.
    pub last_head: u8,
}

impl FloppyDrive {
    /// The drive of 5.25 inches and 1.2 MB.
    pub const FIVE_INCH: Self = Self { kind: 2, last_cylinder: 82, sectors: 20, last_head: 1 };
    /// The drive of 3.5 inches and 1.44 MB.
    pub const HIGH_DENSITY: Self = Self { kind: 4, last_cylinder: 82, sectors: 24, last_head: 1 };
    /// The drive of 3.5 inches and 2.88 MB.
    pub const EXTRA_DENSITY: Self = Self { kind: 5, last_cylinder: 79, sectors: 48, last_head: 1 };
}

//! The board that a command line means: how each fact of a board follows from
//! the machine type, its options and its devices.

use firmware_acpi::{
    Board, FloppyDrive, Format, FwCfg, HotplugInterface, IsaDevice, MemoryHotplug, Occupant, Pci,
    PciBus, PciDevice, PciHotplug, PowerManagement, Processor, ProcessorHotplug, SmiPort,
};

use super::Case;
use super::numa::Nodes;
use super::options::{Argument, Options, is_on, size};

const GIB: u64 = 1 << 30;

/// The machine type's version.
type Version = (u32, u32);

pub(crate) fn of(case: &Case) -> Board {
    Machine::new(case).board()
}

struct Machine<'a> {
    case: &'a Case,
    options: Options,
    version: Version,
}

impl<'a> Machine<'a> {
    fn new(case: &'a Case) -> Self {
        let options = Options::new(&case.run);
        let machine = options.one("M").expect("a machine").first;
        let version = machine.strip_prefix("pc-i440fx-").expect("an i440FX");
        let (major, minor) = version.split_once('.').expect("a version");
        let version = (major.parse().expect("a number"), minor.parse().expect("a number"));
        Self { case, options, version }
    }

    fn machine(&self) -> Argument<'_> {
        self.options.one("M").expect("a machine")
    }

    fn on(&self, option: &str) -> bool {
        self.machine().get(option).is_none_or(is_on)
    }

    fn board(&self) -> Board {
        let interface = match self.version {
            (2, ..=6) | (..=1, _) => HotplugInterface::Bitmap,
            _ => HotplugInterface::Selector,
        };
        let dma = self.version >= (2, 5);
        Board {
            processors: self.processors(),
            processor_hotplug: ProcessorHotplug { interface, port: 0xaf00 },
            timer_override: true,
            memory_hotplug: self.memory_hotplug(),
            numa: self.nodes().and_then(Nodes::into_numa),
            power: self.power(),
            pci: self.pci(),
            hpet: self.on("hpet") && !self.options.flag("no-hpet"),
            fw_cfg: Some(FwCfg { port: 0x510, length: if dma { 12 } else { 2 } }),
            format: match self.version {
                (..=1, _) => Format::Legacy { aml: 6414 },
                (2, 0) => Format::Legacy { aml: 6652 },
                (2, 1..=2) => Format::LongPointer,
                _ => Format::Current,
            },
        }
    }

    fn processors(&self) -> Vec<Processor> {
        let smp = self.options.one("smp");
        let number = |key| smp.as_ref().and_then(|smp| smp.number(key));
        let present =
            smp.as_ref().map_or(1, |smp| smp.first.parse().expect("a number of processors"));
        let most = number("maxcpus").unwrap_or(present);
        // A number is given only where it is not 1, or where the machine has
        // another opinion.
        let cores = number("cores").unwrap_or(1);
        let bits = u32::BITS - (cores - 1).leading_zeros();
        let id = |index: u32| ((index / cores) << bits) | (index % cores);
        let nodes = self.nodes();
        let node = |index| nodes.as_ref().and_then(|nodes| nodes.of_processor(index));
        let processor =
            |index| Processor { apic_id: id(index), present: index < present, node: node(index) };
        (0..most).map(processor).collect()
    }

    fn power(&self) -> PowerManagement {
        let options = &self.options;
        // KVM in a guest has no SMM. Old machines claim it always (smm-compat).
        let smm = self.on("smm") && !options.flag("accel") || self.version <= (5, 2);
        let s4 = options.global("PIIX4_PM.s4_val").map_or(2, |value| value.parse().expect("s4"));
        let programmed = self.case.qtest.iter().any(|command| command == "pm-base");
        PowerManagement {
            base: if programmed { 0x600 } else { 0 },
            sci: 9,
            smi: smm.then_some(SmiPort { port: 0xb2, enable: 0xf1, disable: 0xf0 }),
            gpe0: 0xafe0,
            gpe0_length: 4,
            s3: !options.switch("PIIX4_PM.disable_s3", false),
            s4: (!options.switch("PIIX4_PM.disable_s4", false)).then_some(s4),
        }
    }

    fn pci(&self) -> Pci {
        let options = &self.options;
        let root = options.switch("PIIX4_PM.acpi-root-pci-hotplug", true);
        let default = self.version >= (2, 0);
        let bridges = options.switch("PIIX4_PM.acpi-pci-hotplug-with-bridge-support", default);
        let (below, above) = self.memory();
        let low = u32::try_from(below).expect("below 4 GiB");
        Pci {
            uid: if self.version >= (5, 2) { 0 } else { 1 },
            low_window: low..=0xfebf_ffff,
            high_window: self.high_window(above),
            hotplug: (root || bridges).then_some(PciHotplug { port: 0xae00 }),
            root: self.root_bus(root, bridges),
        }
    }

    /// Where low memory ends, and how much there is above 4 GiB.
    fn memory(&self) -> (u64, u64) {
        let memory = self.installed();
        let most = self.machine().get("max-ram-below-4g").map_or(0xe000_0000, size);
        // With more memory than fits, the split is at a round number (from 2.0 on).
        let aligned = memory >= most && self.version >= (2, 0);
        let limit = if aligned { most.min(3 * GIB) } else { most };
        (memory.min(limit), memory.saturating_sub(limit))
    }

    fn installed(&self) -> u64 {
        self.options.one("m").map_or(128 << 20, |memory| size(memory.first))
    }

    /// Room for memory: with a GiB for each slot to align it, on newer machines.
    fn memory_hotplug(&self) -> Option<MemoryHotplug> {
        let memory = self.options.one("m")?;
        let slots = memory.number("slots")?;
        let (_, above) = self.memory();
        let room = size(memory.get("maxmem")?) - self.installed();
        let align = if self.version >= (2, 2) { u64::from(slots) * GIB } else { 0 };
        Some(MemoryHotplug {
            slots: u16::try_from(slots).expect("a number of slots"),
            port: 0xa00,
            base: (4 * GIB + above).next_multiple_of(GIB),
            length: room + align,
        })
    }

    /// The nodes that were named, or the one that a machine with room for memory
    /// makes by itself from 2.11 on.
    fn nodes(&self) -> Option<Nodes> {
        let automatic = self.version >= (2, 11) && self.memory_hotplug().is_some();
        let one = automatic.then(|| Nodes::one(self.installed()));
        Nodes::named(&self.options).or(one)
    }

    /// The window that starts behind memory, or where a device of the guest is.
    fn high_window(&self, above: u64) -> Option<std::ops::RangeInclusive<u64>> {
        const PLACED: u64 = 3 << 32;
        // The BAR of virtio-net in its first and its present revision.
        let length: u64 = if self.version < (2, 7) { 8 << 20 } else { 16 << 10 };
        let placed = self.case.qtest.iter().any(|command| command == "outl 0xcfc 0x3");
        if self.version < (2, 11) {
            return placed.then_some(PLACED..=PLACED + length - 1);
        }
        let least = self.options.global("i440FX-pcihost.pci-hole64-size").map_or(2 * GIB, size);
        let behind = 4 * GIB + above;
        let behind = self.memory_hotplug().map_or(behind, |room| room.base + room.length);
        let first = if placed { PLACED } else { behind.next_multiple_of(GIB) };
        Some(first..=first + least - 1)
    }

    fn root_bus(&self, root: bool, bridges: bool) -> PciBus {
        let bare = self.options.flag("nodefaults");
        let isa = self.isa_devices(bare);
        let mut devices = vec![
            device(0, 0, false, Occupant::Other),
            device(1, 0, false, Occupant::IsaBridge(isa)),
            device(1, 1, false, Occupant::Other),
            device(1, 3, false, Occupant::Other),
        ];
        let vga = self.options.one("vga").map(|vga| vga.first);
        let vga = if bare { vga } else { vga.or(Some("default")) };
        if let Some(kind) = vga {
            let old = self.version < (2, 2);
            let (display, pluggable) = match kind {
                "std" => (Occupant::Display, false),
                "default" if !old => (Occupant::Display, false),
                _ => (Occupant::Other, false),
            };
            devices.push(device(2, 0, pluggable, display));
        }
        if !bare {
            devices.push(device(3, 0, true, Occupant::Other));
        }
        let mut selectors = Selectors::new(root, bridges);
        let mut made = self.options.all("device").filter_map(Plugged::new).collect();
        let mut bus = PciBus { selector: selectors.root(), devices };
        plug(&mut bus, "pci.0", &mut made, &mut selectors);
        assert!(made.is_empty(), "{made:?}: behind bridges that are not there");
        bus
    }

    fn isa_devices(&self, bare: bool) -> Vec<IsaDevice> {
        let mut devices = vec![IsaDevice::Clock];
        let mut serials = self.options.all("serial").count();
        let mut parallels = self.options.all("parallel").count();
        if !bare {
            (serials, parallels) = (1, 1);
        }
        let mut ports = Ports::default();
        (0..serials).for_each(|_| devices.push(ports.serial(None, None)));
        (0..parallels).for_each(|_| devices.push(ports.parallel()));
        devices.push(IsaDevice::Floppy(self.floppies(bare)));
        if self.on("i8042") {
            devices.push(IsaDevice::Keyboard);
        }
        for made in self.options.all("device") {
            let port = made.get("iobase").map(|text| {
                u16::from_str_radix(text.trim_start_matches("0x"), 16).expect("a port")
            });
            let irq = made.number("irq").map(|irq| u8::try_from(irq).expect("an interrupt"));
            devices.extend(match made.first {
                "isa-serial" => Some(ports.serial(port, irq)),
                "isa-parallel" => Some(ports.parallel()),
                "pvpanic" => Some(IsaDevice::Panic { port: 0x505 }),
                _ => None,
            });
        }
        devices.reverse();
        devices
    }

    fn floppies(&self, bare: bool) -> [Option<FloppyDrive>; 2] {
        let old = self.version < (2, 6);
        let empty = if old { FloppyDrive::HIGH_DENSITY } else { FloppyDrive::EXTRA_DENSITY };
        let mut drives = [None; 2];
        if !bare {
            drives[0] = Some(empty);
        }
        for drive in self.options.all("drive") {
            let index = drive.number("index").expect("an index") as usize;
            drives[index] = Some(match drive.get("file") {
                Some("f120") => FloppyDrive::FIVE_INCH,
                Some("f144") => FloppyDrive::HIGH_DENSITY,
                Some("f288") => FloppyDrive::EXTRA_DENSITY,
                None => empty,
                Some(other) => panic!("{other}: not a known disk"),
            });
        }
        drives
    }
}

fn device(slot: u8, function: u8, hotpluggable: bool, occupant: Occupant) -> PciDevice {
    PciDevice { slot, function, hotpluggable, occupant }
}

/// The numbers by which hot-plug registers know buses.
struct Selectors {
    next: u32,
    root: bool,
    bridges: bool,
}

impl Selectors {
    fn new(root: bool, bridges: bool) -> Self {
        Self { next: 0, root, bridges }
    }

    fn root(&mut self) -> Option<u32> {
        self.root.then(|| self.next())
    }

    fn next(&mut self) -> u32 {
        self.next += 1;
        self.next - 1
    }
}

/// A PCI device of the command line.
#[derive(Debug)]
struct Plugged {
    bus: String,
    id: String,
    slot: u8,
    function: u8,
    kind: String,
}

impl Plugged {
    fn new(made: Argument<'_>) -> Option<Self> {
        let address = made.get("addr")?;
        let (slot, function) = address.split_once('.').unwrap_or((address, "0"));
        Some(Self {
            bus: made.get("bus").unwrap_or("pci.0").to_owned(),
            id: made.get("id").unwrap_or_default().to_owned(),
            slot: u8::from_str_radix(slot, 16).expect("a slot"),
            function: function.parse().expect("a function"),
            kind: made.first.to_owned(),
        })
    }
}

/// Puts what is for this bus into it, and then what is behind its bridges: the
/// bridge made last has its bus numbered first.
fn plug(bus: &mut PciBus, name: &str, made: &mut Vec<Plugged>, selectors: &mut Selectors) {
    let (mut here, elsewhere) = made.drain(..).partition::<Vec<_>, _>(|made| made.bus == name);
    *made = elsewhere;
    here.reverse();
    for made_here in here {
        let (hotpluggable, occupant) = match made_here.kind.as_str() {
            "VGA" => (false, Occupant::Display),
            "secondary-vga" => (true, Occupant::Display),
            "cirrus-vga" => (false, Occupant::Other),
            "pci-bridge" if selectors.bridges => {
                let mut behind = PciBus { selector: Some(selectors.next()), devices: Vec::new() };
                plug(&mut behind, &made_here.id, made, selectors);
                (true, Occupant::Bridge(behind))
            }
            "pci-bridge" => {
                made.retain(|made| made.bus != made_here.id);
                (false, Occupant::Other)
            }
            _ => (true, Occupant::Other),
        };
        bus.devices.push(device(made_here.slot, made_here.function, hotpluggable, occupant));
    }
}

/// The numbers that serial and parallel ports get in turn.
#[derive(Default)]
struct Ports {
    serials: u8,
    parallels: u8,
}

impl Ports {
    fn serial(&mut self, port: Option<u16>, irq: Option<u8>) -> IsaDevice {
        const PLACES: [(u16, u8); 4] = [(0x3f8, 4), (0x2f8, 3), (0x3e8, 4), (0x2e8, 3)];
        let usual = PLACES[usize::from(self.serials)];
        self.serials += 1;
        IsaDevice::Serial {
            number: self.serials,
            port: port.unwrap_or(usual.0),
            irq: irq.unwrap_or(usual.1),
        }
    }

    fn parallel(&mut self) -> IsaDevice {
        self.parallels += 1;
        IsaDevice::Parallel { number: self.parallels, port: 0x378, irq: 7 }
    }
}

//! The properties that a command line of QEMU means.

use std::fmt::Write as _;

use southbridge_sdk::wit::PropertyValue::{self, Flag, Number, Text};

use crate::common::Case;
use crate::common::options::{Argument, Options, is_on, size};

const GIB: u64 = 1 << 30;

pub(crate) struct Machine {
    pub(crate) properties: Vec<(String, PropertyValue)>,
}

impl Machine {
    /// None: it has bridges, NUMA nodes or slots for memory, or firmware has placed memory
    /// of PCI devices.
    pub(crate) fn of(case: &Case) -> Option<Self> {
        let options = Options::new(&case.run);
        let has_bridges = options.all("device").any(|device| device.first == "pci-bridge");
        let placed = case.qtest.iter().any(|command| command.starts_with("outl"));
        let more_memory = options.one("m").is_some_and(|memory| memory.get("maxmem").is_some());
        let has_nodes = options.all("numa").next().is_some();
        if has_bridges || placed || more_memory || has_nodes {
            return None;
        }
        let machine = options.one("M").expect("a machine");
        let version = machine.first.strip_prefix("pc-i440fx-").expect("an i440FX");
        let (major, minor) = version.split_once('.').expect("a version");
        let version = (major.parse().expect("a number"), minor.parse().expect("a number"));
        let mut properties = of_version(version);
        properties.extend(topology(&options));
        properties.extend(memory(&options, version));
        let programmed = case.qtest.iter().any(|command| command == "pm-base");
        properties.push(("pm-io-base", Number(if programmed { 0x600 } else { 0 })));
        if let Some(length) = options.global("i440FX-pcihost.pci-hole64-size") {
            properties.push(("pci-hole64-size", Number(size(length))));
        }
        properties.push(("devices", Text(devices(&options, version))));
        let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
        Some(Self { properties: properties.collect() })
    }
}

type Properties = Vec<(&'static str, PropertyValue)>;

/// What changed from version to version.
fn of_version(version: (u32, u32)) -> Properties {
    let mut properties = Vec::new();
    let mut up_to = |last, changed: &[(&'static str, PropertyValue)]| {
        if version <= last {
            properties.extend_from_slice(changed);
        }
    };
    up_to((5, 1), &[("pci-root-uid", Number(1))]);
    up_to((2, 10), &[("x-pci-hole64-fix", Flag(false))]);
    up_to((2, 8), &[("x-file-slots", Number(16))]);
    up_to((2, 6), &[("legacy-cpu-hotplug", Flag(true))]);
    up_to((2, 5), &[("legacy-fw-cfg-order", Flag(true))]);
    up_to((2, 4), &[("dma_enabled", Flag(false))]);
    up_to((2, 2), &[("rsdp-in-ram", Flag(false))]);
    if version <= (2, 0) {
        let aml = if version == (2, 0) { 6652 } else { 6414 };
        properties.push(("legacy-acpi-table-size", Number(aml)));
    }
    properties
}

fn topology(options: &Options) -> Properties {
    let smp = options.one("smp");
    let number = |key| smp.as_ref().and_then(|smp| smp.number(key));
    let present = smp.as_ref().map_or(1, |smp| smp.first.parse().expect("a number"));
    let most = number("maxcpus").unwrap_or(present);
    let cores = number("cores").unwrap_or(1);
    let sockets = most / cores;
    vec![
        ("smp-cpus", Number(present.into())),
        ("max-cpus", Number(most.into())),
        ("sockets", Number(sockets.into())),
        ("cores", Number(cores.into())),
    ]
}

fn memory(options: &Options, version: (u32, u32)) -> Properties {
    let machine = options.one("M").expect("a machine");
    let memory = options.one("m").map_or(128 << 20, |memory| size(memory.first));
    let most = machine.get("max-ram-below-4g").map_or(0xe000_0000, size);
    let aligned = memory >= most && version >= (2, 0);
    let limit = if aligned { most.min(3 * GIB) } else { most };
    vec![
        ("below-4g-mem-size", Number(memory.min(limit))),
        ("above-4g-mem-size", Number(memory.saturating_sub(limit))),
    ]
}

/// The list, in the order of our machine file: the board's devices, then others.
fn devices(options: &Options, version: (u32, u32)) -> String {
    let machine = options.one("M").expect("a machine");
    let on = |option| machine.get(option).is_none_or(is_on);
    let bare = options.flag("nodefaults");
    let mut list = String::from("i440fx interrupt-lines=4 ram-size=134217728\n");
    list.push_str("piix3 at 01.0 interrupt-lines=4 elcr=true\n");
    if on("hpet") && !options.flag("no-hpet") {
        list.push_str("hpet\n");
    }
    list.push_str("i8257\n");
    list.push_str(&floppies(options, bare, version <= (2, 5)));
    list.push_str("mc146818rtc base-time=1700000000 cpus=1\n");
    let count = |option| if bare { options.all(option).count() } else { 1 };
    // Parallel ports are after serial ones also if they are listed before.
    (0..count("parallel")).for_each(|_| list.push_str("parallel\n"));
    for port in [0x3f8, 0x2f8].iter().take(count("serial")) {
        writeln!(list, "serial iobase={port}").expect("text");
    }
    list.push_str("fw-cfg smp-cpus=1\n");
    if on("i8042") {
        list.push_str("i8042 extended-state=false\n");
    }
    list.push_str("port92\npiix3-ide at 01.1 kind0=disk\n");
    list.push_str(&power(options, on("smm"), version));
    list.push_str("smbus-eeprom at 0x50 address=80\n");
    let vga = options.one("vga").map(|vga| vga.first);
    let usual = if version <= (2, 1) { "cirrus" } else { "std" };
    match if bare { vga } else { vga.or(Some(usual)) } {
        Some("std") => list.push_str("vga at 02.0 edid=false\n"),
        Some("vmware") => list.push_str("vmware-svga at 02.0\n"),
        Some(kind) => writeln!(list, "{kind}-vga at 02.0").expect("text"),
        None => {}
    }
    if !bare {
        list.push_str("e1000 at 03.0\n");
    }
    if options.flag("usb") {
        list.push_str("piix3-usb-uhci at 01.2\n");
    }
    options.all("device").for_each(|device| list.push_str(&requested(&device)));
    list
}

fn floppies(options: &Options, bare: bool, is_old: bool) -> String {
    let mut kinds = [if bare { "none" } else { "auto" }, "none"];
    for drive in options.all("drive") {
        kinds[drive.number("index").expect("an index") as usize] = match drive.get("file") {
            Some(file) => file.strip_prefix('f').expect("a disk"),
            None => "auto",
        };
    }
    let fallback = if is_old { " fallback=144" } else { "" };
    format!("isa-fdc at drq2 drive-type-a={} drive-type-b={}{fallback}\n", kinds[0], kinds[1])
}

fn power(options: &Options, smm: bool, version: (u32, u32)) -> String {
    let smm = smm && !options.flag("accel");
    let mut line = format!("piix4-pm at 01.3 cpus=1 smb-io-base=45312 smm-enabled={smm}");
    if version <= (5, 2) {
        line.push_str(" smm-compat=true");
    }
    if version < (2, 0) {
        line.push_str(" acpi-pci-hotplug-with-bridge-support=false");
    }
    for (theirs, ours) in [
        ("PIIX4_PM.disable_s3", "disable-s3"),
        ("PIIX4_PM.disable_s4", "disable-s4"),
        ("PIIX4_PM.acpi-root-pci-hotplug", "acpi-root-pci-hotplug"),
        ("PIIX4_PM.acpi-pci-hotplug-with-bridge-support", "acpi-pci-hotplug-with-bridge-support"),
    ] {
        if let Some(value) = options.global(theirs) {
            write!(line, " {ours}={}", is_on(value)).expect("text");
        }
    }
    if let Some(value) = options.global("PIIX4_PM.s4_val") {
        write!(line, " s4-val={value}").expect("text");
    }
    line + "\n"
}

fn requested(device: &Argument<'_>) -> String {
    let mut line = String::from(match device.first {
        "VGA" => "vga",
        "isa-serial" => "serial",
        "isa-parallel" => "parallel",
        "isa-debugcon" => "debugcon",
        "isa-debug-exit" => "debug-exit",
        other => other,
    });
    if let Some(address) = device.get("addr") {
        let (slot, function) = address.split_once('.').unwrap_or((address, "0"));
        write!(line, " at {slot:0>2}.{function}").expect("text");
    }
    if let Some(port) = device.get("iobase") {
        let port = u16::from_str_radix(port.trim_start_matches("0x"), 16).expect("a port");
        write!(line, " iobase={port}").expect("text");
    }
    if let Some(irq) = device.get("irq") {
        write!(line, " irq={irq}").expect("text");
    }
    line + "\n"
}

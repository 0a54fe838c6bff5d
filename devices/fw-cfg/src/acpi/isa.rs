//! What is on the ISA bus, in the order of QEMU's tables.

use firmware_acpi::{FloppyDrive, IsaDevice};

use crate::devices::{Devices, Listed};

/// Where serial and parallel ports are, in the order QEMU gives these out, and
/// their interrupts.
const SERIALS: [(u16, u8); 4] = [(0x3f8, 4), (0x2f8, 3), (0x3e8, 4), (0x2e8, 3)];
const PARALLELS: [(u16, u8); 3] = [(0x378, 7), (0x278, 7), (0x3bc, 7)];

/// When QEMU makes a device: the board's own by their kinds, then what users ask
/// for. The host, too, lists the latter behind the board's devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Made {
    Clock,
    Serial,
    Parallel,
    Floppy,
    Keyboard,
    OnRequest,
}

/// The devices, what was made last first.
pub(super) fn bus(devices: &Devices) -> Result<Vec<IsaDevice>, String> {
    let mut on_request = false;
    let mut listed = Vec::new();
    for device in &devices.0 {
        let made = match &*device.component {
            "mc146818rtc" => Made::Clock,
            "serial" if !on_request => Made::Serial,
            "parallel" if !on_request => Made::Parallel,
            "isa-fdc" => Made::Floppy,
            "i8042" => {
                on_request = true;
                Made::Keyboard
            }
            "serial" | "parallel" | "pvpanic" => Made::OnRequest,
            _ => continue,
        };
        listed.push((made, device));
    }
    listed.sort_by_key(|(made, _)| *made);
    let mut ports = Ports::default();
    let described = listed.into_iter().map(|(_, device)| match &*device.component {
        "mc146818rtc" => Ok(IsaDevice::Clock),
        "serial" => ports.serial(device),
        "parallel" => ports.parallel(device),
        "isa-fdc" => floppies(device, devices.find("mc146818rtc")).map(IsaDevice::Floppy),
        "i8042" => Ok(IsaDevice::Keyboard),
        _ => Ok(IsaDevice::Panic { port: device.get("ioport", 0x505)? }),
    });
    let mut described = described.collect::<Result<Vec<_>, String>>()?;
    described.reverse();
    Ok(described)
}

/// How many serial and parallel ports there are already: each has the next number.
#[derive(Default)]
struct Ports {
    serials: u8,
    parallels: u8,
}

impl Ports {
    fn serial(&mut self, device: &Listed) -> Result<IsaDevice, String> {
        let (number, port, irq) = place(device, &mut self.serials, &SERIALS)?;
        Ok(IsaDevice::Serial { number, port, irq })
    }

    fn parallel(&mut self, device: &Listed) -> Result<IsaDevice, String> {
        let (number, port, irq) = place(device, &mut self.parallels, &PARALLELS)?;
        Ok(IsaDevice::Parallel { number, port, irq })
    }
}

/// Number, port and interrupt of a port. The interrupt is a matter of wires, not
/// of properties: that of the port if it is a usual one.
fn place(device: &Listed, count: &mut u8, usual: &[(u16, u8)]) -> Result<(u8, u16, u8), String> {
    let Some(next) = usual.get(usize::from(*count)) else {
        let (most, component) = (usual.len(), &device.component);
        return Err(format!("property devices: {component}, at most {most} expected"));
    };
    *count += 1;
    let port = device.get("iobase", next.0)?;
    let wired = usual.iter().find(|(other, _)| *other == port).unwrap_or(next);
    Ok((*count, port, device.get("irq", wired.1)?))
}

/// The drives of a controller. Of a drive that is what its medium makes it, the
/// CMOS memory tells the kind.
fn floppies(
    controller: &Listed,
    clock: Option<&Listed>,
) -> Result<[Option<FloppyDrive>; 2], String> {
    let fallback = controller.text("fallback").unwrap_or("288");
    let drive = |property: &str, in_cmos: &str| {
        let known = clock.and_then(|clock| clock.text(in_cmos)).filter(|kind| *kind != "none");
        match controller.text(property).unwrap_or("none") {
            "none" => Ok(None),
            "auto" => kind(known.unwrap_or(fallback)).map(Some),
            given => kind(given).map(Some),
        }
    };
    Ok([drive("drive-type-a", "floppy0")?, drive("drive-type-b", "floppy1")?])
}

fn kind(name: &str) -> Result<FloppyDrive, String> {
    match name {
        "120" => Ok(FloppyDrive::FIVE_INCH),
        "144" => Ok(FloppyDrive::HIGH_DENSITY),
        "288" => Ok(FloppyDrive::EXTRA_DENSITY),
        _ => Err(format!("property devices: floppy drive {name:?}, 120, 144 or 288 expected")),
    }
}

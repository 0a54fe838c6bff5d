//! The ISA bridge (the PIIX3's function 0), and the devices behind it.

use super::floppy;
use super::ports::PRESENT;
use crate::aml::{
    Access, Lock, Part, Space, Term, Update, arg, device, eisa_id, field, io, irq, local, method,
    name, operation_region, return_value, scope, store, string, template,
};
use crate::pci_board::IsaDevice;

/// Where in the bridge's configuration space PIRQRCA to PIRQRCD are.
const ROUTES: u64 = 0x60;

/// The registers that the interrupt links use, and the devices.
pub(super) fn bridge(devices: &[IsaDevice]) -> Vec<Term> {
    let parts = ["PRQ0", "PRQ1", "PRQ2", "PRQ3"].map(|name| Part::Named(name, 8));
    let routes = field("PCI0.S08.P40C", Access::Byte, Lock::NoLock, Update::Preserve, &parts);
    let registers = [operation_region("P40C", Space::PciConfig, ROUTES, 4), scope("\\_SB", routes)];
    registers.into_iter().chain(devices.iter().flat_map(describe)).collect()
}

fn describe(device: &IsaDevice) -> Vec<Term> {
    match device {
        IsaDevice::Keyboard => keyboard_and_mouse(),
        IsaDevice::Floppy(drives) => vec![floppy::controller(drives)],
        IsaDevice::Serial { number, port, irq } => vec![serial(*number, *port, *irq)],
        IsaDevice::Parallel { number, port, irq } => vec![parallel(*number, *port, *irq)],
        IsaDevice::Clock => vec![clock()],
        IsaDevice::Panic { port } => vec![panic_events(*port)],
    }
}

/// The i8042's two devices.
fn keyboard_and_mouse() -> Vec<Term> {
    const DATA: u16 = 0x60;
    const COMMAND: u16 = 0x64;
    let present = || name("_STA", PRESENT);
    let keyboard = template([io(DATA, 1, 1), io(COMMAND, 1, 1), irq(1)]);
    vec![
        device("KBD", [name("_HID", eisa_id("PNP0303")), present(), name("_CRS", keyboard)]),
        device(
            "MOU",
            [name("_HID", eisa_id("PNP0F13")), present(), name("_CRS", template([irq(12)]))],
        ),
    ]
}

fn serial(number: u8, port: u16, line: u8) -> Term {
    numbered("COM", "PNP0501", number, template([io(port, 0, 8), irq(line)]))
}

fn parallel(number: u8, port: u16, line: u8) -> Term {
    numbered("LPT", "PNP0400", number, template([io(port, 8, 8), irq(line)]))
}

fn numbered(kind: &str, id: &str, number: u8, resources: Term) -> Term {
    device(
        &format!("{kind}{number}"),
        [
            name("_HID", eisa_id(id)),
            name("_UID", u64::from(number)),
            name("_STA", PRESENT),
            name("_CRS", resources),
        ],
    )
}

/// The real-time clock, with the ports of its mirror.
fn clock() -> Term {
    const PORT: u16 = 0x70;
    let resources = template([io(PORT, 1, 8), irq(8)]);
    device("RTC", [name("_HID", eisa_id("PNP0B00")), name("_CRS", resources)])
}

/// The port at which the guest says that it has given up.
fn panic_events(port: u16) -> Term {
    device(
        "PEVT",
        [
            name("_HID", string("QEMU0001")),
            name("_CRS", template([io(port, 1, 1)])),
            operation_region("PEOR", Space::SystemIo, port.into(), 1),
            field("PEOR", Access::Byte, Lock::NoLock, Update::Preserve, &[Part::Named("PEPT", 8)]),
            name("_STA", PRESENT),
            method(0).named("RDPT", [store("PEPT", local(0)), return_value(local(0))]),
            method(1).named("WRPT", store(arg(0), "PEPT")),
        ],
    )
}

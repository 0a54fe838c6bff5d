//! The bridges and the platform device, wired as on a PC.

use std::cell::RefCell;
use std::rc::Rc;

use access::{Rules, Sizes, UNASSIGNED, chunk, mask};
use i440fx::I440fx;
use piix3::Piix3;
use southbridge_sdk::Device;
use southbridge_sdk::fake::trace::{Answer, Interrupt, Request, Step};
use southbridge_sdk::fake::{Bench, Effect};
use southbridge_sdk::wit::{PropertyValue, Scope};
use xen_platform::XenPlatform;

/// What all ports of these devices allow, but for those of the platform device.
const RULES: Rules = Rules { valid: Sizes::aligned(1, 4), implemented: Sizes::aligned(1, 4) };

const BOTTOM: u64 = 0xa0000;
const TOP: u64 = 0x10_0000;
const RAM: u64 = 16 << 20;

/// Slot and function of the ISA bridge, and of the platform device.
const ISA: u8 = 1 << 3;
const PLATFORM: u8 = 2 << 3;

/// The machine.
pub(crate) struct Board {
    pub(crate) bridge: Bench<I440fx>,
    pub(crate) isa: Rc<RefCell<Bench<Piix3>>>,
    pub(crate) platform: Option<Rc<RefCell<Bench<XenPlatform>>>>,
    /// RAM from `BOTTOM` to `TOP`, and what each window of the bridge shows.
    ram: Vec<u8>,
    windows: Vec<&'static str>,
}

impl Board {
    /// A PC with 16 MiB of RAM, or a Xen guest's.
    pub(crate) fn new(xen: bool) -> Self {
        let lines = ("interrupt-lines", PropertyValue::Number(if xen { 128 } else { 4 }));
        let ram = ("ram-size", PropertyValue::Number(RAM));
        let mut bridge = Bench::<I440fx>::with(&[lines.clone(), ram]);
        let isa = Rc::new(RefCell::new(Bench::<Piix3>::with(&[lines])));
        bridge.fake.pci.insert(ISA, Box::new(Rc::clone(&isa)));
        let platform = xen.then(|| Rc::new(RefCell::new(Bench::<XenPlatform>::new())));
        if let Some(platform) = &platform {
            bridge.fake.pci.insert(PLATFORM, Box::new(Rc::clone(platform)));
        }
        let ram = vec![0; (TOP - BOTTOM) as usize];
        let windows = vec!["bus"; I440fx::describe().windows.len()];
        Self { bridge, isa, platform, ram, windows }
    }

    /// Performs a step of a recording.
    pub(crate) fn perform(&mut self, step: &Step<'_>) -> Answer {
        match step.request {
            Request::In { port, size } if self.has(port, size) => {
                Answer::value(self.port_in(port, size))
            }
            Request::Out { port, size, value } if self.has(port, size) => {
                self.port_out(port, size, value);
                Answer::done().with_interrupts(self.interrupts())
            }
            Request::Read { address, size: 1 } if (BOTTOM..TOP).contains(&address) => {
                Answer::value(self.memory_read(address).into())
            }
            Request::Write { address, size: 1, value } if (BOTTOM..TOP).contains(&address) => {
                self.memory_write(address, value as u8);
                Answer::done()
            }
            Request::Monitor("system_reset") => {
                self.bridge.reset();
                self.isa.borrow_mut().reset();
                Answer::done().with_interrupts(self.interrupts())
            }
            _ => Answer::Skip,
        }
    }

    /// Drives an interrupt pin of a function.
    pub(crate) fn assert_pin(&mut self, slot: u32, pin: u32, level: bool) {
        self.bridge.line(4 * slot + pin, level);
        for effect in self.bridge.fake.take() {
            if let Effect::Line(line, level) = effect {
                self.isa.borrow_mut().line(line - 128, level);
            }
        }
    }

    /// The bytes of a section in QEMU's stream.
    pub(crate) fn section(&mut self, name: &str) -> Vec<u8> {
        let mut sections = self.bridge.save(Scope::Stream);
        sections.extend(self.isa.borrow_mut().save(Scope::Stream));
        if let Some(platform) = &self.platform {
            sections.extend(platform.borrow_mut().save(Scope::Stream));
        }
        let found = sections.into_iter().find(|section| section.name == name);
        found.unwrap_or_else(|| panic!("no section {name}")).data
    }

    /// Whether an access is for these devices. IDE (01.1) and power management
    /// (01.3) are on the recordings' machines, too, and not on this one.
    fn has(&mut self, port: u16, size: u8) -> bool {
        let last = port + u16::from(size) - 1;
        let [_, devfn, bus, _] = (self.bridge.port_in(0xcf8, 4) as u32).to_le_bytes();
        let data = port <= 0xcff && last >= 0xcfc;
        if data && bus == 0 && matches!(devfn, 0x09 | 0x0b) {
            return false;
        }
        self.rules(port).is_some()
    }

    /// The rules and the offset of a port that belongs to one of the devices.
    fn rules(&self, port: u16) -> Option<(Rules, u64)> {
        let unaligned = Sizes { unaligned: true, ..Sizes::aligned(1, 4) };
        match port {
            0xcf9 | 0x4d0 | 0x4d1 => Some((RULES, 0)),
            0xcf8..0xd00 => Some((RULES, (port & 3).into())),
            0x10..0x20 if self.platform.is_some() => {
                Some((Rules { valid: unaligned, implemented: unaligned }, (port - 0x10).into()))
            }
            0xc000..0xc100 if self.platform.is_some() => Some((RULES, (port - 0xc000).into())),
            _ => None,
        }
    }

    /// Reads ports: each part goes to the device at its address.
    fn port_in(&mut self, port: u16, size: u8) -> u64 {
        let (mut value, mut done) = (0, 0);
        while done < size {
            let at = port + u16::from(done);
            let (rules, offset) = self.rules(at).unwrap_or((UNASSIGNED, at.into()));
            let width = chunk(&rules, offset, (size - done).into());
            let part = match (at, &self.platform) {
                (0xcf9 | 0x4d0 | 0x4d1, _) => self.isa.borrow_mut().port_in(at, width),
                (0xcf8..0xd00, _) => self.bridge.port_in(at, width),
                (0x10..0x20 | 0xc000..0xc100, Some(platform)) => {
                    platform.borrow_mut().port_in(at, width)
                }
                _ => mask(width),
            };
            value |= part << (8 * done);
            done += width;
        }
        value
    }

    /// Writes ports.
    fn port_out(&mut self, port: u16, size: u8, value: u64) {
        let mut done = 0;
        while done < size {
            let at = port + u16::from(done);
            let (rules, offset) = self.rules(at).unwrap_or((UNASSIGNED, at.into()));
            let width = chunk(&rules, offset, (size - done).into());
            let part = value >> (8 * done) & mask(width);
            match (at, &self.platform) {
                (0xcf9 | 0x4d0 | 0x4d1, _) => self.isa.borrow_mut().port_out(at, width, part),
                (0xcf8..0xd00, _) => self.bridge.port_out(at, width, part),
                (0x10..0x20 | 0xc000..0xc100, Some(platform)) => {
                    platform.borrow_mut().port_out(at, width, part);
                }
                _ => {}
            }
            done += width;
        }
        for effect in self.bridge.fake.take() {
            if let Effect::Window(window, mode) = effect {
                self.windows[window as usize] = mode;
            }
        }
    }

    /// The changes of ISA interrupts since the last call. No recording has a
    /// guest that resets the machine.
    fn interrupts(&mut self) -> Vec<Interrupt> {
        let change = |effect| match effect {
            Effect::Line(line, level) => Some(Interrupt { pin: line as u8 - 4, level }),
            Effect::Power(request) => panic!("the guest asks for {request}"),
            _ => None,
        };
        self.isa.borrow_mut().fake.take().into_iter().filter_map(change).collect()
    }

    /// What answers at an address. On the recordings' machines the bus has room
    /// for option ROMs and 64 KiB of firmware there, both all zeros; where it
    /// has nothing, QEMU's RAM shows through.
    fn mode(&self, address: u64) -> &'static str {
        let windows = I440fx::describe().windows;
        let found = windows.iter().position(|w| (w.base..w.base + w.size).contains(&address));
        match found.map_or("ram", |window| self.windows[window]) {
            "bus" if !matches!(address, 0xc0000..0xe0000 | 0xf0000..) => "ram",
            mode => mode,
        }
    }

    fn memory_read(&self, address: u64) -> u8 {
        if self.mode(address) == "bus" { 0 } else { self.ram[(address - BOTTOM) as usize] }
    }

    /// QEMU applies write protection to processors; qtest writes as a device
    /// does, which it does not stop.
    fn memory_write(&mut self, address: u64, value: u8) {
        if self.mode(address) != "bus" {
            self.ram[(address - BOTTOM) as usize] = value;
        }
    }
}

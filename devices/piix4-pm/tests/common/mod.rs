//! The device on the bench, with the eight EEPROMs QEMU's machines have.

#![allow(dead_code, reason = "each test uses its part")]

use std::cell::RefCell;
use std::io::Read;
use std::path::Path;
use std::rc::Rc;

use piix4_pm::Piix4Pm;
use smbus_eeprom::SmbusEeprom;
use southbridge_sdk::fake::trace::{Answer, ConfigurationPorts, Interrupt, Request, Step};
use southbridge_sdk::fake::{Bench, Effect, Fake, override_properties};
use southbridge_sdk::wit::{PropertyValue, Scope, Section};
use southbridge_sdk::{Context, Device, I2cTarget, PowerEvents, Properties, state};

/// Slot 1, function 3 of bus 0.
const DEVFN: u8 = 1 << 3 | 3;
/// The line of the SCI.
const SCI: u32 = 0;
/// The I/O APIC's input that the SCI arrives at.
pub(crate) const SCI_PIN: u8 = 9;

pub(crate) type Overrides<'a> = &'a [(&'a str, PropertyValue)];

pub(crate) fn yes(name: &str) -> (&str, PropertyValue) {
    (name, PropertyValue::Flag(true))
}

pub(crate) fn no(name: &str) -> (&str, PropertyValue) {
    (name, PropertyValue::Flag(false))
}

pub(crate) fn number(name: &str, value: u64) -> (&str, PropertyValue) {
    (name, PropertyValue::Number(value))
}

/// Reads a file of the repository's test data, packed or not.
pub(crate) fn data(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data").join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
    reader.read_to_end(&mut unpacked).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    unpacked
}

/// Reads a text of the test data.
pub(crate) fn text(path: &str) -> String {
    String::from_utf8(data(path)).expect("a recording is text")
}

/// An EEPROM that the bus and the test share.
#[derive(Clone)]
pub(crate) struct Eeprom(pub(crate) Rc<RefCell<SmbusEeprom>>);

impl I2cTarget for Eeprom {
    fn start(&mut self, cx: &mut Context<'_>, read: bool) -> bool {
        self.0.borrow_mut().start(cx, read)
    }

    fn send(&mut self, cx: &mut Context<'_>, byte: u8) -> bool {
        self.0.borrow_mut().send(cx, byte)
    }

    fn receive(&mut self, cx: &mut Context<'_>) -> u8 {
        self.0.borrow_mut().receive(cx)
    }

    fn nack(&mut self, cx: &mut Context<'_>) {
        self.0.borrow_mut().nack(cx);
    }

    fn stop(&mut self, cx: &mut Context<'_>) {
        self.0.borrow_mut().stop(cx);
    }
}

/// The device, its EEPROMs, and the ports that lead to its configuration space.
pub(crate) struct Board {
    pub(crate) bench: Bench<Piix4Pm>,
    pub(crate) eeproms: Vec<Eeprom>,
    /// What the device asked of the machine's power state, for the test to take.
    pub(crate) asked: Vec<&'static str>,
    ports: ConfigurationPorts,
}

impl Board {
    /// A board that has been switched on.
    pub(crate) fn new(properties: Overrides<'_>) -> Self {
        let mut board = Self::unstarted(properties);
        board.reset();
        board.bench.fake.take();
        board
    }

    /// A board that has been configured and no more.
    pub(crate) fn unstarted(properties: Overrides<'_>) -> Self {
        let bench = Bench::configured(properties);
        let migrated = properties.iter().filter(|(name, _)| *name == "smbus-migration");
        let eeproms = (0x50..0x58).map(|address| eeprom(address, migrated.clone()));
        let (eeproms, ports) = (eeproms.collect(), ConfigurationPorts::default());
        let mut board = Self { bench, eeproms, asked: Vec::new(), ports };
        for (address, eeprom) in (0x50..).zip(board.eeproms.clone()) {
            board.bench.fake.i2c.insert(address, Box::new(eeprom));
        }
        board
    }

    pub(crate) fn reset(&mut self) {
        self.bench.reset();
        for eeprom in &self.eeproms {
            let mut fake = Fake::default();
            eeprom.0.borrow_mut().reset(&mut Context::new(0, &mut fake));
        }
    }

    pub(crate) fn press_power_button(&mut self) {
        self.bench.call(Piix4Pm::button_pressed);
    }

    /// Does what a step asks for; none if it addresses another device.
    pub(crate) fn run(&mut self, request: Request<'_>, end: Option<u64>) -> Option<Option<u64>> {
        match request {
            Request::In { port, .. } | Request::Out { port, .. }
                if ConfigurationPorts::has(port) =>
            {
                self.ports.follow(&mut self.bench, DEVFN, request)
            }
            Request::In { port, size } => Some(Some(self.bench.port_in(port, size))),
            Request::Out { port, size, value } => {
                self.bench.port_out(port, size, value);
                Some(None)
            }
            Request::ClockStep(_) => {
                let duration = end.map_or(0, |end| end - self.bench.fake.now);
                self.bench.advance(duration);
                Some(None)
            }
            Request::Monitor("system_reset") => {
                self.reset();
                Some(None)
            }
            Request::Monitor("system_powerdown") => {
                self.press_power_button();
                Some(None)
            }
            _ => None,
        }
    }

    /// Does a step of a recording.
    pub(crate) fn answer(&mut self, step: &Step<'_>) -> Answer {
        let answer = match self.run(step.request, step.value) {
            Some(value) => Answer::Did { value, interrupts: Vec::new() },
            None => Answer::Skip,
        };
        let interrupts = self.take_interrupts();
        if interrupts.is_empty() { answer } else { answer.with_interrupts(interrupts) }
    }

    /// Takes what the device did: the changes of the SCI to return, requests to
    /// `asked`.
    pub(crate) fn take_interrupts(&mut self) -> Vec<Interrupt> {
        let mut interrupts = Vec::new();
        for effect in self.bench.fake.take() {
            match effect {
                Effect::Line(SCI, level) => interrupts.push(Interrupt { pin: SCI_PIN, level }),
                Effect::Power(request) => self.asked.push(request),
                _ => {}
            }
        }
        interrupts
    }

    /// Saves the EEPROM at an address.
    pub(crate) fn save_eeprom(&self, address: u8, scope: Scope) -> Vec<Section> {
        let mut eeprom = self.eeproms[usize::from(address - 0x50)].0.borrow_mut();
        state::save(&mut *eeprom, scope, self.bench.fake.now)
    }

    /// Loads the EEPROM at an address.
    pub(crate) fn load_eeprom(&mut self, address: u8, scope: Scope, sections: Vec<Section>) {
        let mut fake = Fake::default();
        let mut eeprom = self.eeproms[usize::from(address - 0x50)].0.borrow_mut();
        let cx = &mut Context::new(self.bench.fake.now, &mut fake);
        let result = state::load(&mut *eeprom, scope, sections, cx);
        result.unwrap_or_else(|refusal| panic!("{}: {}", refusal.field, refusal.reason));
    }
}

fn eeprom<'a>(
    address: u8,
    properties: impl Iterator<Item = &'a (&'a str, PropertyValue)>,
) -> Eeprom {
    let properties = properties.cloned().chain([number("address", address.into())]);
    let properties: Vec<_> = properties.collect();
    let properties = override_properties(&SmbusEeprom::describe(), &properties);
    let mut fake = Fake::default();
    let cx = &mut Context::new(0, &mut fake);
    let device = SmbusEeprom::configure(&Properties::new(properties), cx);
    Eeprom(Rc::new(RefCell::new(device.expect("the properties are legal"))))
}

/// One section of many.
pub(crate) fn section<'a>(sections: &'a [Section], name: &str) -> Option<&'a [u8]> {
    let found = sections.iter().find(|section| section.name == name);
    found.map(|section| &section.data[..])
}

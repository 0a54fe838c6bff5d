//! The device on the bench, and the addresses at which a recording reaches it.

#![allow(dead_code, reason = "each test uses its part")]

use std::io::Read;
use std::path::Path;

use southbridge_sdk::Display;
use southbridge_sdk::fake::Bench;
use southbridge_sdk::fake::trace::{Answer, ConfigurationPorts, Request, Step, Trace};
use southbridge_sdk::wit::{Frame, PropertyValue};
use vga::Vga;

/// Slot 2 of bus 0.
const DEVFN: u8 = 2 << 3;

pub(crate) const FRAMEBUFFER: u32 = 1;
pub(crate) const VRAM: u32 = 0;
pub(crate) const VRAM_SIZE: u64 = 16 << 20;

/// What QEMU has changed since.
pub(crate) const QEMU_7_2: (&str, PropertyValue) = ("word-modes", PropertyValue::Flag(false));

/// Reads a packed file of the test data.
pub(crate) fn data(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut unpacked = Vec::new();
    let mut reader = flate2::read::GzDecoder::new(&bytes[..]);
    reader.read_to_end(&mut unpacked).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    unpacked
}

/// The device and the ports that lead to its configuration space.
pub(crate) struct Board {
    pub(crate) bench: Bench<Vga>,
    ports: ConfigurationPorts,
}

impl Board {
    /// A board as QEMU 7.2 has it.
    pub(crate) fn new() -> Self {
        Self::with(&[QEMU_7_2])
    }

    pub(crate) fn with(properties: &[(&str, PropertyValue)]) -> Self {
        Self { bench: Bench::with(properties), ports: ConfigurationPorts::default() }
    }

    /// Performs a step of a recording.
    pub(crate) fn follow(&mut self, step: &Step<'_>) -> Answer {
        match step.request {
            Request::In { port, .. } | Request::Out { port, .. }
                if ConfigurationPorts::has(port) =>
            {
                match self.ports.follow(&mut self.bench, DEVFN, step.request) {
                    Some(Some(value)) => Answer::value(value),
                    Some(None) => Answer::done(),
                    None => Answer::Skip,
                }
            }
            Request::Read { address, size } => {
                Answer::value(self.memory(address, size, None).unwrap_or(0))
            }
            Request::Write { address, size, value } => {
                self.memory(address, size, Some(value));
                Answer::done()
            }
            Request::Other(line) => {
                self.bulk(line);
                Answer::Skip
            }
            _ => self.bench.follow(step, &[]),
        }
    }

    pub(crate) fn replay(&mut self, name: &str) -> usize {
        let text = String::from_utf8(data(name)).expect("a recording is text");
        Trace::parse(&text).replay(&[], |step| self.follow(step))
    }

    /// A processor's access, cut as addresses and regions want it.
    fn memory(&mut self, address: u64, size: u8, value: Option<u64>) -> Option<u64> {
        let (mut done, mut read) = (0, 0);
        while done < size {
            let at = address + u64::from(done);
            let most = if at < 0xc_0000 { 8 } else { 4 };
            let mut width = most.min(1 << at.trailing_zeros().min(3));
            while width > size - done {
                width /= 2;
            }
            let part = value.map(|value| value >> (8 * done));
            let mask = u64::MAX >> (64 - 8 * u32::from(width));
            let piece = match (self.vram_offset(at), part) {
                (Some(offset), None) => self.bench.fake.memories[&VRAM].load(offset, width),
                (Some(offset), Some(part)) => {
                    self.write_vram(offset, &part.to_le_bytes()[..width.into()]);
                    0
                }
                (None, None) => self.bench.memory_in(at, width),
                (None, Some(part)) => {
                    self.bench.memory_out(at, width, part & mask);
                    0
                }
            };
            read |= piece << (8 * done);
            done += width;
        }
        value.is_none().then_some(read)
    }

    /// `write ADDRESS LENGTH 0xBYTES`.
    fn bulk(&mut self, line: &str) {
        let words: Vec<_> = line.split(' ').collect();
        let ["write", address, _, bytes] = words[..] else { panic!("{line}") };
        let digits = |text: &str| text.strip_prefix("0x").expect("hexadecimal").to_owned();
        let address = u64::from_str_radix(&digits(address), 16).expect("an address");
        let bytes = digits(bytes);
        let byte = |at: usize| u8::from_str_radix(&bytes[at..at + 2], 16).expect("a byte");
        let bytes: Vec<u8> = (0..bytes.len()).step_by(2).map(byte).collect();
        let offset = self.vram_offset(address).expect("an address in video memory");
        self.write_vram(offset, &bytes);
    }

    pub(crate) fn write_vram(&mut self, offset: u64, bytes: &[u8]) {
        self.bench.fake.memories.get_mut(&VRAM).expect("declared").write(offset, bytes);
    }

    fn vram_offset(&self, address: u64) -> Option<u64> {
        let (base, _) = self.bench.fake.mappings.get(&FRAMEBUFFER)?;
        address.checked_sub(*base).filter(|&offset| offset < VRAM_SIZE)
    }

    pub(crate) fn picture(&mut self) -> Frame {
        self.bench.call(Vga::picture)
    }

    pub(crate) fn text(&mut self) -> Option<Vec<String>> {
        self.bench.call(Vga::text)
    }
}

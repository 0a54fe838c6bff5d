mod contents;
mod given;
mod hostile;
mod replay;
mod saved;

use std::collections::BTreeMap;
use std::io::Read as _;

use flate2::read::GzDecoder;
use southbridge_sdk::fake::{Bench, Fake, override_properties};
use southbridge_sdk::wit::{Property, PropertyValue};
use southbridge_sdk::{Device as _, Properties};

use crate::FwCfg;
use crate::acpi::Tables;
use crate::config::Config;

type Files = BTreeMap<String, Vec<u8>>;

fn unpack(compressed: &[u8]) -> String {
    let mut text = String::new();
    GzDecoder::new(compressed).read_to_string(&mut text).expect("a recording is gzip and text");
    text
}

/// ACPI's files of these sizes, with nothing in them.
fn acpi(table: usize, rsdp: usize, linker: usize) -> Tables {
    Tables { tables: vec![0; table], rsdp: vec![0; rsdp], loader: vec![0; linker] }
}

/// A device after a reset, with files, and with ACPI's tables if they are given.
fn bench(properties: &[(&str, PropertyValue)], files: Files, acpi: Option<Tables>) -> Bench<FwCfg> {
    let fake = Fake { files, ..Fake::default() };
    let mut bench = Bench::<FwCfg>::configured_in(fake, properties);
    let properties = Properties::new(override_properties(&FwCfg::describe(), properties));
    let config = Config::new(&properties).expect("legal properties");
    bench.call(|device, cx| {
        *device = FwCfg::new(&config, acpi, cx).expect("legal files");
    });
    bench.reset();
    bench
}

/// What a device says against its properties or files.
fn refusal(properties: &[(&str, PropertyValue)], files: &[(&str, Vec<u8>)]) -> String {
    let properties: Vec<Property> = override_properties(&FwCfg::describe(), properties);
    let files = files.iter().map(|(name, data)| ((*name).into(), data.clone())).collect();
    let mut fake = Fake { files, ..Fake::default() };
    let mut cx = southbridge_sdk::Context::new(0, &mut fake);
    FwCfg::configure(&Properties::new(properties), &mut cx).expect_err("refused")
}

impl FwCfg {
    /// The length of an entry; none if it has no data.
    fn length(&self, key: u16) -> Option<usize> {
        self.entries.get(key.into()).map(|content| content.len() as usize)
    }
}

/// An entry, read as old firmware does.
fn entry(bench: &mut Bench<FwCfg>, key: u16, length: usize) -> Vec<u8> {
    bench.port_out(0x510, 2, key.into());
    (0..length).map(|_| bench.port_in(0x511, 1) as u8).collect()
}

/// Number and length of each file.
fn directory(bench: &mut Bench<FwCfg>) -> BTreeMap<String, (u16, usize)> {
    let count = entry(bench, 0x19, 4);
    let count = u32::from_be_bytes(count.try_into().expect("four bytes"));
    let mut slots: Vec<Vec<u8>> = Vec::new();
    for _ in 0..count {
        slots.push((0..64).map(|_| bench.port_in(0x511, 1) as u8).collect());
    }
    let file = |slot: Vec<u8>| {
        let name = slot[8..].split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
        let size = u32::from_be_bytes(slot[..4].try_into().expect("four bytes"));
        let number = u16::from_be_bytes(slot[4..6].try_into().expect("two bytes"));
        (String::from_utf8(name).expect("a name is text"), (number, size as usize))
    };
    slots.into_iter().map(file).collect()
}

fn number(value: u64) -> PropertyValue {
    PropertyValue::Number(value)
}

fn text(value: &str) -> PropertyValue {
    PropertyValue::Text(value.into())
}

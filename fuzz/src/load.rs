//! Inputs of the target `load`: a device, its properties, a state, and what happens
//! after the state has been loaded.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the device: an index into [`DEVICES`] |
//! | 1 | the scope: even for the stream's, odd for the whole state |
//! | 1 for each property | 0 the default; else a flag is not its default, and a number is this |
//! | 1 | how many sections there are, 7 at most |
//! | for each: 1, 1, 2, ... | its name by index, its version, the length of its data, the data |
//! | the rest | actions, each of them [`ACTION`] bytes |

use southbridge_sdk::fake::{Bench, Fake, override_properties};
use southbridge_sdk::state::describe;
use southbridge_sdk::wit::{Description, Direction, PropertyValue, Scope, Section};
use southbridge_sdk::{Context, Device, Properties};
use vmstate::{Reader, Truncated, Writer};

/// Bytes of an action: what, where (2), how wide, and a value (4).
pub const ACTION: usize = 8;

/// An address on a child I2C bus where something answers.
const EEPROM: u8 = 0x50;
/// A function on a child PCI bus.
const FUNCTION: u8 = 2 << 3;

/// What is known of a device by its number.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Runs the rest of an input.
    run: fn(&mut Reader<'_>) -> Result<(), Truncated>,
    /// Makes an input of a state.
    seed: fn(&Entry, &State<'_>) -> Vec<u8>,
    /// Its whole state after a reset.
    after_reset: fn() -> Vec<Section>,
}

/// Every device there is.
pub const DEVICES: [Entry; 12] = [
    entry::<i440fx::I440fx>("i440fx"),
    entry::<piix3::Piix3>("piix3"),
    entry::<piix4_pm::Piix4Pm>("piix4-pm"),
    entry::<smbus_eeprom::SmbusEeprom>("smbus-eeprom"),
    entry::<xen_platform::XenPlatform>("xen-platform"),
    entry::<serial::Serial>("serial"),
    entry::<debugcon::Debugcon>("debugcon"),
    entry::<debug_exit::DebugExit>("debug-exit"),
    entry::<i8042::I8042>("i8042"),
    entry::<port92::Port92>("port92"),
    entry::<mc146818rtc::Mc146818>("mc146818rtc"),
    entry::<piix3_ide::Piix3Ide>("piix3-ide"),
];

/// A state to make an input of.
pub struct State<'a> {
    /// Properties that do not have their defaults; for a flag any value will do.
    pub properties: &'a [(&'a str, u8)],
    /// Whether it is the whole state.
    pub whole: bool,
    /// The sections.
    pub sections: Vec<Section>,
}

impl Entry {
    /// The input that loads a state and then does a little of everything.
    #[must_use]
    pub fn seed(&self, state: &State<'_>) -> Vec<u8> {
        (self.seed)(self, state)
    }

    /// The whole state after a reset, with default properties.
    #[must_use]
    pub fn after_reset(&self) -> Vec<Section> {
        (self.after_reset)()
    }
}

const fn entry<D: Device>(name: &'static str) -> Entry {
    let after_reset = || Bench::<D>::new().save(Scope::Whole);
    Entry { name, run: run_device::<D>, seed: write_seed::<D>, after_reset }
}

/// Runs an input.
///
/// # Errors
/// The input ends before its actions.
pub fn run(input: &[u8]) -> Result<(), Truncated> {
    let mut reader = Reader::new(input);
    let device = reader.integer(1)? as usize % DEVICES.len();
    (DEVICES[device].run)(&mut reader)
}

fn run_device<D: Device>(reader: &mut Reader<'_>) -> Result<(), Truncated> {
    let scope = if reader.integer(1)? % 2 != 0 { Scope::Whole } else { Scope::Stream };
    let properties = properties::<D>(reader)?;
    let overrides: Vec<_> =
        properties.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let given = Properties::new(override_properties(&D::describe(), &overrides));
    if D::configure(&given, &mut Context::new(0, &mut Fake::default())).is_err() {
        return Ok(());
    }
    let sections = sections::<D>(&overrides, reader)?;
    let mut bench = Bench::<D>::configured(&overrides);
    bench.fake.i2c.insert(EEPROM, Box::new(Bench::<smbus_eeprom::SmbusEeprom>::new().device));
    bench.fake.pci.insert(FUNCTION, Box::new([0; 256]));
    if bench.load(scope, sections).is_err() {
        return Ok(());
    }
    bench.legal_state(&overrides);
    // A stream says the clock's own time by its time registers alone. A guest can set it
    // to a year that they cannot show, and then it is another one after each load.
    if D::describe().name != "mc146818rtc" {
        bench.assert_settled(&overrides, scope);
    }
    bench.successor(&overrides);
    let description = D::describe();
    while let Ok(action) = reader.bytes(ACTION) {
        act(&mut bench, &description, action);
    }
    bench.legal_state(&overrides);
    bench.successor(&overrides);
    Ok(())
}

/// Properties that do not have their defaults.
fn properties<D: Device>(
    reader: &mut Reader<'_>,
) -> Result<Vec<(String, PropertyValue)>, Truncated> {
    let mut properties = Vec::new();
    for declared in D::describe().properties {
        let value = match (reader.integer(1)?, declared.default) {
            (0, _) | (_, PropertyValue::Text(_)) => continue,
            (_, PropertyValue::Flag(default)) => PropertyValue::Flag(!default),
            (value, PropertyValue::Number(_)) => PropertyValue::Number(value),
        };
        properties.push((declared.name, value));
    }
    Ok(properties)
}

fn sections<D: Device>(
    properties: &[(&str, PropertyValue)],
    reader: &mut Reader<'_>,
) -> Result<Vec<Section>, Truncated> {
    let names = names::<D>(properties);
    let mut sections = Vec::new();
    for _ in 0..reader.integer(1)? % 8 {
        let name = names.get(reader.integer(1)? as usize).map_or("unknown", String::as_str).into();
        let (version, length) = (reader.integer(1)? as u32, reader.integer(2)? as usize);
        sections.push(Section { name, version, data: reader.bytes(length)?.to_vec() });
    }
    Ok(sections)
}

/// The names of a device's sections.
fn names<D: Device>(properties: &[(&str, PropertyValue)]) -> Vec<String> {
    let mut device = Bench::<D>::configured(properties).device;
    describe(&mut device).sections.into_iter().map(|section| section.name).collect()
}

fn act<D: Device>(bench: &mut Bench<D>, description: &Description, action: &[u8]) {
    let &[what, high, low, width, ref value @ ..] = action else { return };
    let place = u16::from_be_bytes([high, low]);
    let value = value.iter().fold(0, |value, &byte| value << 8 | u64::from(byte));
    let size = 1 << (width % 3);
    let regions = description.regions.len() as u8;
    match what % 8 {
        0 if regions > 0 => {
            let region = (width >> 2) % regions;
            let offset = u64::from(place) % description.regions[usize::from(region)].size;
            bench.read(region.into(), offset, size);
        }
        1 if regions > 0 => {
            let region = (width >> 2) % regions;
            let offset = u64::from(place) % description.regions[usize::from(region)].size;
            bench.write(region.into(), offset, size, value);
        }
        2 => drop(bench.port_in(place, size)),
        3 => bench.port_out(place, size, value),
        4 => {
            let line = usize::from(place);
            let declared = description.lines.get(line);
            if declared.is_some_and(|line| matches!(line.direction, Direction::Input)) {
                bench.line(line as u32, value & 1 != 0);
            }
        }
        // Up to an hour.
        5 => bench.advance(value * 1000),
        6 => bench.reset(),
        _ => {}
    }
}

fn write_seed<D: Device>(entry: &Entry, state: &State<'_>) -> Vec<u8> {
    let description = D::describe();
    let number = DEVICES.iter().position(|other| other.name == entry.name).unwrap_or_default();
    let mut writer = Writer::new();
    writer.integer(number as u64, 1);
    writer.integer(state.whole.into(), 1);
    for declared in &description.properties {
        let found = state.properties.iter().find(|(name, _)| *name == declared.name);
        writer.integer(found.map_or(0, |(_, value)| (*value).into()), 1);
    }
    let names = names::<D>(&[]);
    writer.integer(state.sections.len() as u64, 1);
    for Section { name, version, data } in &state.sections {
        let name = names.iter().position(|known| known == name).expect("a section it has");
        writer.integer(name as u64, 1);
        writer.integer((*version).into(), 1);
        writer.integer(data.len() as u64, 2);
        writer.bytes(data);
    }
    for (number, region) in (0..).zip(&description.regions) {
        for offset in (0..region.size.min(16)).step_by(4) {
            for what in [0, 1, 0] {
                writer.bytes(&[what, 0, offset as u8, number << 2, 0xff, 0, 0xff, 1]);
            }
        }
    }
    writer.bytes(&[5, 0, 0, 0, 0, 1, 0, 0]);
    writer.bytes(&[6, 0, 0, 0, 0, 0, 0, 0]);
    writer.into_bytes()
}

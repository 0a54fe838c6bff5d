//! The section `timer`: the machine's clock.
//!
//! QEMU's virtual clock stands still while a machine is saved; its value is the
//! field `cpu_clock_offset`. The expiries of all timers are times of that clock.

use vmstate::{Error, Layouts, Section, Value, Writer};

pub(super) const NAME: &str = "timer";
const VERSION: u32 = 2;
const CLOCK: &str = "cpu_clock_offset";

/// The latest time of a clock here, in nanoseconds: 146 years.
const LATEST: u64 = 1 << 62;

/// The time in a section: nanoseconds, or the field's value and offset if it is
/// not a time.
pub(super) fn read(section: &Section) -> Result<u64, Unreadable> {
    let reading = Layouts::builtin().decode(section).map_err(Unreadable::Section)?;
    let field = reading.structure.fields.iter().find(|field| *field.name == *CLOCK);
    let (offset, value) = match field.map(|field| (field.offset, &field.value)) {
        Some((offset, Value::Signed(value))) => (offset, *value),
        _ => (0, -1),
    };
    let time = u64::try_from(value).ok().filter(|&time| time < LATEST);
    time.ok_or(Unreadable::Time { value, offset: section.offset + offset as u64 })
}

pub(super) enum Unreadable {
    Section(Error),
    Time { value: i64, offset: u64 },
}

/// The section of a machine that was loaded, with its time now.
pub(super) fn update(section: &mut Section, now: u64) {
    let Ok(mut reading) = Layouts::builtin().decode(section) else { return };
    if let Some(value) = reading.structure.get_mut(&[CLOCK]) {
        *value = Value::Signed(now.cast_signed());
    }
    if let Ok(payload) = reading.structure.encode() {
        section.payload = payload;
    }
}

/// The section of a machine that was not loaded. The processors' time stamp
/// counters are not the machine's: their field holds the same time, as if they
/// counted nanoseconds.
pub(super) fn write(now: u64) -> Section {
    let mut payload = Writer::new();
    payload.integer(now, 8);
    payload.integer(0, 8);
    payload.integer(now, 8);
    let (name, payload) = (NAME.to_owned(), payload.into_bytes());
    Section { id: 0, name, instance: 0, version: VERSION, payload, offset: 0 }
}

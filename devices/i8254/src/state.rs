//! The saved state: QEMU's sections i8254 and pcspk.

use southbridge_sdk::state::{Condition, Fields, Sections, Shape};

use crate::I8254;
use crate::channel::{Channel, access};
use crate::regs::Status;
use crate::waveform::{LARGEST, Waveform};

const TIMER: Shape = Shape::new("i8254", 3, 2);
const CHANNEL: Shape = Shape::new("pit channel", 2, 2);
const SPEAKER: Shape = Shape::new("pcspk", 1, 1);

/// A change that does not come.
pub(crate) const NEVER: i64 = -1;

/// Declares the sections. QEMU does not save the level of the interrupt.
pub(crate) fn declare(device: &mut I8254, sections: &mut Sections<'_>) {
    let saves_port = Condition::new("migrate-pcspk", device.saves_port);
    let (now, is_stream) = (sections.now(), sections.is_stream());
    sections.section(TIMER, Condition::ALWAYS, |f| {
        let mut disabled = u32::from(device.disabled);
        f.since(3, |f| {
            f.u32("channels[0].irq_disabled", &mut disabled);
            f.check(disabled <= 1, || format!("{disabled} found, 0 or 1 expected"));
        });
        device.disabled = disabled != 0;
        f.structures("channels", CHANNEL, &mut device.channels, channel);
        change(f, "channels[0].next_transition_time", &mut device.channels[0].next_change);
        if f.is_loading() && is_stream {
            device.irq = level(device, now);
        }
        f.private(|f| flag(f, "irq", &mut device.irq, 1));
    });
    let I8254 { speaker, refresh, .. } = device;
    sections.section(SPEAKER, saves_port, |f| {
        flag(f, "data_on", speaker, 1);
        flag(f, "dummy_refresh_clock", refresh, 1 << 4);
    });
}

/// The interrupt is as the output, but for a timer that nobody has programmed: it
/// is low until its output changes.
fn level(device: &I8254, now: u64) -> bool {
    let untouched = device.channels[0].access == 0;
    let first =
        device.channels[0].waveform.next_change(device.channels[0].waveform.loaded_at as u64);
    let is_first = first == u64::try_from(device.channels[0].next_change).ok();
    !(untouched && is_first) && device.output(0, now)
}

fn channel(f: &mut Fields<'_>, channel: &mut Channel) {
    let Channel {
        waveform: Waveform { count, mode, loaded_at },
        latch,
        latched,
        status,
        last_status,
        reads,
        writes,
        low,
        access,
        bcd,
        gate,
        next_change,
    } = channel;
    let mut raw = *count as i32;
    f.i32("count", &mut raw);
    let legal = (1..=LARGEST as i32).contains(&raw);
    f.check(legal, || format!("{raw} found, 1 to {LARGEST} expected"));
    // A state that is being refused must not make anything divide by 0.
    *count = if legal { raw as u32 } else { LARGEST };
    f.u16("latched_count", latch);
    at_most(f, "count_latched", latched, access::BOTH);
    let mut is_latched = status.is_some();
    flag(f, "status_latched", &mut is_latched, 1);
    let mut raw = last_status.into_bits();
    f.u8("status", &mut raw);
    *last_status = Status::from_bits(raw);
    *status = is_latched.then_some(*last_status);
    at_most(f, "read_state", reads, access::SECOND);
    at_most(f, "write_state", writes, access::SECOND);
    f.u8("write_latch", low);
    at_most(f, "rw_mode", access, access::BOTH);
    at_most(f, "mode", mode, 7);
    flag(f, "bcd", bcd, 1);
    flag(f, "gate", gate, 1);
    f.i64("count_load_time", loaded_at);
    change(f, "next_transition_time", next_change);
}

fn change(f: &mut Fields<'_>, name: &'static str, time: &mut i64) {
    f.i64(name, time);
    f.check(*time >= NEVER, || format!("{time} found, -1 or more expected"));
}

fn at_most(f: &mut Fields<'_>, name: &'static str, value: &mut u8, largest: u8) {
    f.u8(name, value);
    f.check(*value <= largest, || format!("{value} found, at most {largest} expected"));
    *value = (*value).min(largest);
}

/// A truth value that is `when_set` or 0.
fn flag(f: &mut Fields<'_>, name: &'static str, value: &mut bool, when_set: u8) {
    let mut raw = if *value { when_set } else { 0 };
    f.u8(name, &mut raw);
    f.check(raw == 0 || raw == when_set, || format!("{raw} found, 0 or {when_set} expected"));
    *value = raw != 0;
}

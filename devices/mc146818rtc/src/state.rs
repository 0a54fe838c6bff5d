//! The saved state: QEMU's section mc146818rtc.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::Mc146818;
use crate::periodic::Periodic;
use crate::time::{LAST, TimeBase};

/// Versions 1 and 2 held the time itself instead of where it comes from; QEMU
/// has not written them since 2012.
const SECTION: Shape = Shape::new("mc146818rtc", 3, 3);

/// Declares the section. In a stream the time registers are up to date, as QEMU
/// saves them; another version of the device gets them as they are, for a guest
/// that writes one of them sets the time to what the others say. The lost ticks are QEMU's for the policy `slew`, which this device has not.
pub(crate) fn declare(device: &mut Mc146818, sections: &mut Sections<'_>) {
    let kept = device.memory;
    let (now, is_stream) = (sections.now(), sections.is_stream());
    sections.section(SECTION, Condition::ALWAYS, |f| {
        if is_stream && !f.is_loading() {
            device.update_time(now.wrapping_add(device.time.ahead));
        }
        let Mc146818 { memory, index, time, update, next_alarm, periodic } = device;
        let TimeBase { base, since, offset, ahead, wraps: _ } = time;
        let Periodic { deadline, next, period } = periodic;
        f.buffer("cmos_data", "buffer", memory);
        f.u8("cmos_index", index);
        let legal = *index < 0x80;
        f.check(legal, || format!("{index:#x} found, at most 0x7f expected"));
        f.unused(28);
        f.timer("periodic_timer", deadline);
        f.i64("next_periodic_time", next);
        f.unused(24);
        let mut lost = 0;
        f.u32("irq_coalesced", &mut lost);
        f.check(lost == 0, || format!("{lost} lost ticks found, none expected"));
        f.u32("period", period);
        f.u64("base_rtc", base);
        f.u64("last_update", since);
        f.check(*since <= LAST, || format!("{since} found, at most {LAST} expected"));
        f.i64("offset", offset);
        f.timer("update_timer", update);
        f.u64("next_alarm_time", next_alarm);
        f.private(|f| {
            f.u64("clock ahead", ahead);
            let clock = now.wrapping_add(*ahead);
            f.check(clock <= LAST, || format!("a clock at {clock}, at most {LAST} expected"));
        });
        if !f.is_loading() {
            *memory = kept;
        } else if is_stream {
            device.follow_loaded_clock(now);
        }
    });
}

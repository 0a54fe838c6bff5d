//! The saved state: QEMU's section hpet.

use southbridge_sdk::state::{Condition, Sections, Shape};

use crate::Hpet;
use crate::interrupt::{Interrupts, OUTPUTS, RTC};
use crate::regs::{Configuration, PERIOD, TimerConfiguration};
use crate::timer::Timer;

const SECTION: Shape = Shape::new("hpet", 2, 1);
const TIMER: Shape = Shape::new("hpet_timer", 1, 1);
const RTC_LEVEL: Shape = Shape::new("hpet/rtc_irq_level", 1, 1);
const OFFSET: Shape = Shape::new("hpet/offset", 1, 1);

/// Declares the section. A running counter is saved as it is then.
pub(crate) fn declare(device: &mut Hpet, sections: &mut Sections<'_>) {
    let (now, is_stream) = (sections.now(), sections.is_stream());
    sections.section(SECTION, Condition::ALWAYS, |f| {
        let ticks = device.ticks(now);
        let Hpet {
            timers,
            configuration,
            status,
            counter,
            offset,
            interrupts,
            messages,
            routes: _,
            saves_offset,
            stop_lowers: _,
        } = device;
        let mut raw = configuration.into_bits();
        f.u64("config", &mut raw);
        *configuration = Configuration::from_bits(raw);
        f.u64("isr", status);
        let mut saved = if configuration.enabled() { ticks } else { *counter };
        f.u64("hpet_counter", &mut saved);
        if f.is_loading() {
            *counter = saved;
        }
        let expected = timers.len() as u8;
        let mut count = expected;
        f.since(2, |f| f.u8("num_timers", &mut count));
        f.check(count == expected, || format!("{count} found, {expected} expected"));
        let mut expected = 0..expected;
        f.structures("timer", TIMER, timers, |f, timer: &mut Timer| {
            let Timer { configuration, comparator, message, period, wraps, deadline } = timer;
            let number = expected.next().unwrap_or(0);
            let mut found = number;
            f.u8("tn", &mut found);
            f.check(found == number, || format!("{found} found, {number} expected"));
            let mut raw = configuration.into_bits();
            f.u64("config", &mut raw);
            *configuration = TimerConfiguration::from_bits(raw);
            f.u64("cmp", comparator);
            f.u64("fsb", message);
            f.u64("period", period);
            let mut raw = u8::from(*wraps);
            f.u8("wrap_flag", &mut raw);
            f.check(raw <= 1, || format!("{raw} found, 0 or 1 expected"));
            *wraps = raw == 1;
            f.timer("qemu_timer", deadline);
        });
        let Interrupts { levels, rtc, legacy } = interrupts;
        f.private(|f| {
            f.u32("levels", levels);
            let mut raw = u8::from(*legacy);
            f.u8("legacy", &mut raw);
            f.check(raw <= 1, || format!("{raw} found, 0 or 1 expected"));
            *legacy = raw == 1;
        });
        f.subsection(RTC_LEVEL, Condition::new("the clock's interrupt is high", *rtc), |f| {
            let mut raw = u8::from(*rtc);
            f.u8("rtc_irq_level", &mut raw);
            f.check(raw <= 1, || format!("{raw} found, 0 or 1 expected"));
            *rtc = raw == 1;
        });
        let is_needed = *saves_offset && configuration.enabled();
        let condition = Condition::new("hpet-offset-saved, and the counter runs", is_needed);
        f.subsection(OFFSET, condition, |f| f.u64("hpet_offset", offset));
        if f.is_loading() {
            // As in QEMU, what a timer can do is what the first of the saved ones can.
            *messages = timers[0].configuration.message_capable();
            if is_stream {
                if !*saves_offset {
                    *offset = counter.wrapping_mul(PERIOD).wrapping_sub(now);
                }
                device.find_levels();
            }
        }
    });
}

impl Hpet {
    /// The levels of the outputs, which a stream does not say.
    fn find_levels(&mut self) {
        let high = |number: &usize| {
            let messages = self.timers[*number].configuration.messages();
            self.status & 1 << *number != 0 && !messages
        };
        let timers = (0..self.timers.len()).filter(high);
        let levels = timers.fold(0, |levels, number| levels | 1 << self.route(number));
        let legacy = self.configuration.legacy();
        let rtc = self.interrupts.rtc && !legacy;
        self.interrupts.legacy = legacy;
        self.interrupts.levels = (levels | u32::from(rtc) << RTC) & ((1 << OUTPUTS) - 1);
    }
}

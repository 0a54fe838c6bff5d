//! What a channel counts and puts out, as a function of time.
//!
//! Time is in nanoseconds of the machine's clock and may lie before the count was
//! loaded in a state from a stream; sums wrap then, as in QEMU.

/// Ticks in a second.
const FREQUENCY: u64 = 1_193_182;
const SECOND: u64 = 1_000_000_000;

/// The largest count, which is written as 0.
pub(crate) const LARGEST: u32 = 0x1_0000;

/// What determines the output of a channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waveform {
    /// 1 to [`LARGEST`].
    pub(crate) count: u32,
    /// 0 to 7. QEMU takes 6 and 7, which the data sheet has as 2 and 3, for 0.
    pub(crate) mode: u8,
    /// When the count was loaded, or counting began again.
    pub(crate) loaded_at: i64,
}

impl Waveform {
    /// The count, of which a guest sees 16 bits.
    pub(crate) fn value(&self, now: u64) -> u16 {
        let (passed, count) = (self.ticks(now), u64::from(self.count));
        let value = match self.mode {
            0 | 1 | 4 | 5 => count.wrapping_sub(passed),
            // Twice as fast, and half of the period twice.
            3 => count - passed.wrapping_mul(2) % count,
            _ => count - passed % count,
        };
        value as u16
    }

    /// The output. In mode 1 it should be low while the channel counts; up to
    /// version 7.2 QEMU has it the other way round.
    pub(crate) fn output(&self, now: u64, one_shot_is_high: bool) -> bool {
        let (passed, count) = (self.ticks(now), u64::from(self.count));
        match self.mode {
            1 if one_shot_is_high => passed < count,
            2 => passed % count == 0 && passed != 0,
            3 => passed % count < count.div_ceil(2),
            4 | 5 => passed == count,
            _ => passed >= count,
        }
    }

    /// When the output changes next, if it does. A nanosecond after the last
    /// change at the earliest.
    pub(crate) fn next_change(&self, now: u64) -> Option<u64> {
        let (passed, count) = (self.ticks(now), u64::from(self.count));
        let begin = passed - passed % count;
        let ticks = match self.mode {
            2 if passed == begin && passed != 0 => begin.wrapping_add(count),
            2 => begin.wrapping_add(count + 1),
            3 if passed - begin < count.div_ceil(2) => begin.wrapping_add(count.div_ceil(2)),
            3 => begin.wrapping_add(count),
            4 | 5 if passed == count => count + 1,
            _ if passed < count => count,
            _ => return None,
        };
        let change = (self.loaded_at as u64).wrapping_add(scaled(ticks, SECOND, FREQUENCY));
        Some(if change <= now { now.saturating_add(1) } else { change })
    }

    /// The ticks since the count was loaded.
    fn ticks(&self, now: u64) -> u64 {
        scaled(now.wrapping_sub(self.loaded_at as u64), FREQUENCY, SECOND)
    }
}

fn scaled(value: u64, by: u64, per: u64) -> u64 {
    (u128::from(value) * u128::from(by) / u128::from(per)) as u64
}

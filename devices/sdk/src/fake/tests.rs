//! The bench itself: accesses, mappings and timers.

use super::{Bench, Effect, override_properties};
use crate::describe::{aligned, device, flag, number, ports, text};
use crate::state::Sections;
use crate::wit::{Attachment, Description, PropertyValue};
use crate::{Context, Device, Properties};

/// Notes what it is asked.
#[derive(Default)]
struct Recorder {
    reads: Vec<(u32, u64, u8)>,
    writes: Vec<(u32, u64, u8, u64)>,
    expired: Vec<(u32, u64)>,
    /// Timers to arm again when one expires: which, and how much later.
    again: Option<(u32, u64)>,
}

const WIDE: u32 = 0;
const BYTES: u32 = 1;
const WORDS_ONLY: u32 = 2;

impl Device for Recorder {
    fn describe() -> Description {
        Description {
            properties: vec![
                flag("fast", true, ""),
                number("size", 0x123, ""),
                text("id", "x", ""),
            ],
            regions: vec![
                ports("wide", 8, aligned(1, 4), aligned(1, 4)),
                ports("bytes", 4, aligned(1, 4), aligned(1, 1)),
                ports("words", 4, aligned(2, 2), aligned(2, 2)),
            ],
            ..device("recorder", "0", "", Attachment::System)
        }
    }

    fn configure(_: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        cx.map(WIDE, 0x100, 0);
        Ok(Self::default())
    }

    fn reset(&mut self, _: &mut Context<'_>) {}

    fn io_read(&mut self, _: &mut Context<'_>, region: u32, offset: u64, size: u8) -> u64 {
        self.reads.push((region, offset, size));
        0x7766_5544_3322_1100 >> (8 * offset)
    }

    fn io_write(&mut self, _: &mut Context<'_>, region: u32, offset: u64, size: u8, value: u64) {
        self.writes.push((region, offset, size, value));
    }

    fn timer_expired(&mut self, cx: &mut Context<'_>, timer: u32) {
        self.expired.push((timer, cx.now));
        if let Some((timer, later)) = self.again.take() {
            let deadline = cx.now + later;
            cx.arm(timer, deadline);
        }
    }

    fn state(&mut self, _: &mut Sections<'_>) {}

    fn loaded(&mut self, _: &mut Context<'_>) -> Result<(), String> {
        Ok(())
    }
}

fn bench(mappings: &[(u32, u64, u8)]) -> Bench<Recorder> {
    let mut bench = Bench::new();
    bench.call(|_, cx| {
        cx.unmap(WIDE);
        mappings.iter().for_each(|&(region, base, priority)| cx.map(region, base, priority));
    });
    bench
}

#[test]
fn an_access_is_cut_to_what_is_implemented() {
    let mut bench = bench(&[(WIDE, 0x100, 0), (BYTES, 0x200, 0)]);
    assert_eq!(bench.port_in(0x104, 4), 0x7766_5544);
    assert_eq!(bench.port_in(0x200, 4), 0x3322_1100);
    let bytes = (0..4).map(|offset| (BYTES, offset, 1));
    assert!(bench.device.reads.drain(..).eq([(WIDE, 4, 4)].into_iter().chain(bytes)));
    bench.port_out(0x202, 2, 0xbbaa);
    assert_eq!(bench.device.writes, [(BYTES, 2, 1, 0xaa), (BYTES, 3, 1, 0xbb)]);
}

#[test]
fn an_access_that_is_not_aligned_is_cut_at_its_alignment() {
    let mut bench = bench(&[(WIDE, 0x100, 0)]);
    assert_eq!(bench.port_in(0x101, 4), 0x4433_2211);
    assert_eq!(bench.device.reads, [(WIDE, 1, 1), (WIDE, 2, 2), (WIDE, 4, 1)]);
}

#[test]
fn a_width_that_is_not_valid_reads_as_zero_and_is_not_written() {
    let mut bench = bench(&[(WORDS_ONLY, 0x100, 0)]);
    assert_eq!(bench.port_in(0x100, 1), 0);
    bench.port_out(0x100, 1, 0xff);
    assert!(bench.device.reads.is_empty() && bench.device.writes.is_empty());
    assert_eq!(bench.port_in(0x100, 2), 0x1100);
}

#[test]
fn where_nothing_is_mapped_reads_float_high() {
    let mut bench = bench(&[(BYTES, 0x102, 0)]);
    assert_eq!(bench.port_in(0x100, 4), 0xffff_ffff, "its address alone places an access");
    assert_eq!(bench.port_in(0x101, 4), 0x2211_00ff);
    assert_eq!(bench.port_in(0x105, 4), 0xffff_ff33);
    bench.port_out(0x101, 4, 0x4433_2211);
    let expected = [(BYTES, 0, 1, 0x22), (BYTES, 1, 1, 0x33), (BYTES, 2, 1, 0x44)];
    assert_eq!(bench.device.writes, expected);
    assert_eq!(bench.port_in(0xffff, 2), 0xffff, "beyond the last port");
}

#[test]
fn the_higher_priority_answers() {
    let mut bench = bench(&[(WIDE, 0x100, 0), (BYTES, 0x102, 1)]);
    assert_eq!(bench.port_in(0x101, 4), 0x2211_0011);
    let expected = [(WIDE, 1, 1), (BYTES, 0, 1), (BYTES, 1, 1), (BYTES, 2, 1)];
    assert_eq!(bench.device.reads, expected);
    bench.call(|_, cx| cx.unmap(BYTES));
    assert_eq!(bench.port_in(0x102, 2), 0x3322);
}

#[test]
fn timers_expire_in_the_order_of_their_deadlines() {
    let mut bench = bench(&[]);
    bench.call(|_, cx| {
        cx.arm(0, 300);
        cx.arm(1, 100);
        cx.arm(2, 200);
        cx.arm(3, 150);
        cx.disarm(3);
        cx.arm(2, 250);
    });
    bench.device.again = Some((4, 50));
    bench.advance(299);
    assert_eq!(bench.device.expired, [(1, 100), (4, 150), (2, 250)]);
    assert_eq!(bench.fake.now, 299);
    bench.advance(1);
    assert_eq!(bench.device.expired.last(), Some(&(0, 300)));
    assert!(bench.fake.timers.is_empty());
}

#[test]
fn a_deadline_that_has_passed_expires_at_once_but_not_inside_the_call() {
    let mut bench = bench(&[]);
    bench.advance(1000);
    bench.call(|device, cx| {
        cx.arm(0, 10);
        assert!(device.expired.is_empty());
    });
    bench.advance(0);
    assert_eq!(bench.device.expired, [(0, 1000)]);
}

#[test]
fn only_changes_of_a_line_are_effects() {
    let mut bench = bench(&[]);
    bench.fake.take();
    bench.call(|_, cx| [false, true, true, false].map(|level| cx.set_line(3, level)));
    assert_eq!(bench.fake.take(), [Effect::Line(3, true), Effect::Line(3, false)]);
}

#[test]
fn properties_say_what_is_wrong_with_them() {
    let overrides = [("id", PropertyValue::Text("y".into()))];
    let properties = Properties::new(override_properties(&Recorder::describe(), &overrides));
    assert_eq!(properties.flag("fast"), Ok(true));
    assert_eq!(properties.number("size"), Ok(0x123u16));
    assert_eq!(properties.text("id"), Ok("y"));
    let error = properties.number::<u8>("size").expect_err("too large");
    assert_eq!(error, "property size: 291 is out of range, at most 8 bits expected");
    assert_eq!(properties.flag("size"), Err("property size: not a flag".into()));
    assert_eq!(properties.text("fast"), Err("property fast: not a text".into()));
    assert_eq!(properties.number::<u8>("id"), Err("property id: not a number".into()));
    assert_eq!(properties.flag("none"), Err("property none: not given".into()));
}

//! A small device that uses a region, lines, a timer and a stream, and keeps
//! state that QEMU would not migrate. It comes in many kinds: two
//! versions that behave, and others that fail in one way each.
//!
//! Registers of 32 bits, by their offset in the region:
//!
//! | Offset | Read                        | Write                        |
//! |--------|-----------------------------|------------------------------|
//! | 0x00   | the count                   | adds to the count            |
//! | 0x04   | the level of `out`          | bit 0 is the level of `out`  |
//! | 0x08   | how often the timer expired | arms it so many ns from now  |
//! | 0x0c   | the byte sent last          | sends a byte                 |
//! | 0x10   | how often `in` has changed  | nothing                      |
//! | 0x14   | writes seen (version 2)     | nothing                      |

mod kind;
mod trouble;

use southbridge_sdk::state::{Condition, Sections, Shape};
use southbridge_sdk::wit::{Attachment, Description};
use southbridge_sdk::{Context, Device, Properties, describe};

use kind::Kind;

const REGISTERS: u32 = 0;
const OUT: u32 = 0;
const TIMER: u32 = 0;
const DATA: u32 = 0;

/// The device.
#[derive(Default)]
pub struct Counter {
    kind: Kind,
    /// Whether the state has been described: the first walk over it.
    described: bool,
    count: u32,
    level: bool,
    deadline: Option<u64>,
    expiries: u32,
    last: u8,
    edges: u32,
    writes: u32,
}

impl Device for Counter {
    fn describe() -> Description {
        let kind = Kind::of_this();
        kind.traps_if(Kind::TrapsInDescribe);
        let size = if kind == Kind::OtherRegions { 0x20 } else { 0x18 };
        let word = describe::aligned(if kind == Kind::AnyWidth { 1 } else { 4 }, 4);
        let out = if kind == Kind::OtherLines { "output" } else { "out" };
        let version = if kind == Kind::Second { "2.0.0" } else { "1.0.0" };
        Description {
            properties: vec![describe::number("iobase", 0x600, "First I/O port")],
            regions: vec![describe::ports("registers", size, word, word)],
            lines: vec![describe::output(out), describe::input("in")],
            timers: vec!["timer".into()],
            streams: if kind == Kind::NoStream { Vec::new() } else { vec!["data".into()] },
            ..describe::device("counter", version, "A counter for tests", Attachment::System)
        }
    }

    fn configure(properties: &Properties, cx: &mut Context<'_>) -> Result<Self, String> {
        let kind = Kind::of_this();
        kind.traps_if(Kind::TrapsInConfigure);
        if kind == Kind::TrustsProperty {
            // It was never more than 16 bits.
            let base: u64 = properties.number("iobase")?;
            assert!(base <= 0xffff, "a trap on purpose");
        }
        let base: u16 = properties.number("iobase")?;
        cx.map(REGISTERS, base.into(), 0);
        Ok(Self { kind, ..Self::default() })
    }

    fn reset(&mut self, cx: &mut Context<'_>) {
        let Self { kind, described, count, .. } = *self;
        let count = if kind == Kind::CountsResets { count.wrapping_add(1) } else { 0 };
        *self = Self { kind, described, count, ..Self::default() };
        cx.set_line(OUT, false);
        cx.disarm(TIMER);
    }

    fn io_read(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8) -> u64 {
        self.kind.make_trouble(cx);
        let value = match offset {
            0x00 => self.count,
            0x04 => self.level.into(),
            0x08 => self.expiries,
            0x0c => self.last.into(),
            0x10 => self.edges,
            0x14 if matches!(self.kind, Kind::Second | Kind::Hides) => self.writes,
            _ => 0,
        };
        value.into()
    }

    fn io_write(&mut self, cx: &mut Context<'_>, _region: u32, offset: u64, _size: u8, value: u64) {
        self.writes = self.writes.wrapping_add(1);
        match offset {
            0x00 => self.count = self.count.wrapping_add(value as u32),
            0x04 => {
                self.level = value & 1 != 0;
                cx.set_line(OUT, self.level);
            }
            0x08 => {
                let deadline = cx.now.saturating_add(value);
                self.deadline = Some(deadline);
                cx.arm(TIMER, deadline);
            }
            0x0c => {
                self.last = value as u8;
                cx.put(DATA, self.last);
                #[cfg(feature = "power")]
                cx.ask_power(southbridge_sdk::wit::Request::Reset);
            }
            _ => {}
        }
    }

    fn line_changed(&mut self, _cx: &mut Context<'_>, _line: u32, _level: bool) {
        self.edges = self.edges.wrapping_add(1);
    }

    fn timer_expired(&mut self, _cx: &mut Context<'_>, _timer: u32) {
        self.deadline = None;
        self.expiries = self.expiries.wrapping_add(1);
    }

    fn state(&mut self, sections: &mut Sections<'_>) {
        let Self { kind, described, count, level, deadline, expiries, last, edges, writes } = self;
        let version = if *kind == Kind::Second { 2 } else { 1 };
        let shape = Shape::new("counter", version, 1);
        sections.section(shape, Condition::ALWAYS, |f| {
            if !f.is_loading() && std::mem::replace(described, true) {
                kind.traps_if(Kind::TrapsInSave);
                match kind {
                    Kind::CountsSaves => *count = count.wrapping_add(1),
                    Kind::Misdescribes => f.u8("extra", &mut 0),
                    _ => {}
                }
            }
            f.u32("count", count);
            f.bool("level", level);
            f.timer("deadline", deadline);
            f.private(|f| {
                f.u32("expiries", expiries);
                f.u8("last", last);
                f.u32("edges", edges);
            });
            if version == 2 {
                f.since(2, |f| f.u32("writes", writes));
            }
        });
    }

    fn loaded(&mut self, cx: &mut Context<'_>) -> Result<(), String> {
        self.kind.traps_if(Kind::TrapsInLoad);
        match self.kind {
            Kind::Refuses => return Err(format!("count {} is not to my taste", self.count)),
            Kind::Loses => self.count = 0,
            // No write asks for more than 5 seconds.
            Kind::Trusts => {
                let most = cx.now.saturating_add(5_000_000_000);
                assert!(self.deadline.is_none_or(|at| at <= most), "a trap on purpose");
            }
            _ => {}
        }
        cx.set_line(OUT, self.level);
        if let Some(deadline) = self.deadline {
            cx.arm(TIMER, deadline);
        }
        Ok(())
    }
}

southbridge_sdk::export!(Counter);

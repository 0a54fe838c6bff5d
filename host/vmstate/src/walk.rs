//! Reading a payload by its layout.
//!
//! Where a layout leaves something open, both ways are tried: a reading is a
//! sequence of yes-or-no choices, and readings are enumerated by counting
//! through them.

use std::sync::Arc;

use crate::error::{Error, Problem};
use crate::layout::{Condition, Count, Kind, Layout, Member, Ticks};
use crate::tree::{Field, Structure, Subsection, Value};
use crate::wire::{Reader, Truncated};

/// A section read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its fields.
    pub structure: Structure,
    /// The properties of the machine that decided which fields there are, and
    /// which way they are, in the order they came up. Empty if nothing depended
    /// on any.
    pub switches: Vec<(Arc<str>, bool)>,
}

/// Why a payload does not fit, as an offset into it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) offset: usize,
    pub(crate) problem: Problem,
}

impl Fault {
    pub(crate) fn error(self, base: u64) -> Error {
        self.problem.at(base.saturating_add(self.offset as u64))
    }
}

/// How many values are looked at before giving up, in all readings together. No real
/// stream needs two hundred thousand.
pub(crate) const WORK_MAX: u32 = 16 << 20;

/// The choices of one reading, and how to get to the next.
#[derive(Debug)]
pub(crate) struct Choices {
    taken: Vec<bool>,
    at: usize,
    switches: Vec<(Arc<str>, bool)>,
    /// How many values may still be looked at.
    work: u32,
}

impl Choices {
    /// The first reading, with what is left of [`WORK_MAX`].
    pub(crate) const fn new(work: u32) -> Self {
        Self { taken: Vec::new(), at: 0, switches: Vec::new(), work }
    }

    /// What is left of the work.
    pub(crate) const fn work(&self) -> u32 {
        self.work
    }

    fn pick(&mut self) -> bool {
        if self.at == self.taken.len() {
            self.taken.push(false);
        }
        self.at += 1;
        self.taken[self.at - 1]
    }

    /// A property is the same wherever it is asked for.
    fn switch(&mut self, name: &Arc<str>) -> bool {
        if let Some((_, on)) = self.switches.iter().find(|(known, _)| known == name) {
            return *on;
        }
        let on = self.pick();
        self.switches.push((Arc::clone(name), on));
        on
    }

    /// Back to the start of the same reading.
    fn rewind(&mut self) {
        self.at = 0;
        self.switches.clear();
    }

    /// On to the next reading, if there is one.
    pub(crate) fn advance(&mut self) -> bool {
        self.taken.truncate(self.at);
        self.rewind();
        while let Some(last) = self.taken.pop() {
            if !last {
                self.taken.push(true);
                return true;
            }
        }
        false
    }
}

/// Where the payload at the start of `data` ends in the reading that `choices`
/// stand for.
pub(crate) fn measure(layout: &Layout, data: &[u8], choices: &mut Choices) -> Result<usize, Fault> {
    let mut walk = Walk { reader: Reader::new(data), choices, build: false };
    walk.structure(layout)?;
    Ok(walk.reader.offset())
}

/// The first reading that uses a payload up.
pub(crate) fn decode(layout: &Layout, payload: &[u8]) -> Result<Reading, Fault> {
    let mut choices = Choices::new(WORK_MAX);
    let mut furthest: Option<Fault> = None;
    loop {
        let fault = match measure(layout, payload, &mut choices) {
            Ok(end) if end == payload.len() => {
                choices.rewind();
                let reader = Reader::new(payload);
                let mut walk = Walk { reader, choices: &mut choices, build: true };
                let structure = walk.structure(layout)?;
                return Ok(Reading { structure, switches: choices.switches });
            }
            Ok(end) => {
                let left = payload.len() as u64 - end as u64;
                Fault { offset: end, problem: Problem::Trailing(left) }
            }
            Err(fault) if fault.problem == Problem::TooManyReadings => return Err(fault),
            Err(fault) => fault,
        };
        let kept = furthest.take().filter(|kept| kept.offset >= fault.offset);
        let fault = kept.unwrap_or(fault);
        if !choices.advance() {
            return Err(fault);
        }
        furthest = Some(fault);
    }
}

struct Walk<'data, 'choices> {
    reader: Reader<'data>,
    choices: &'choices mut Choices,
    /// Whether to keep what is read, or only to find its end.
    build: bool,
}

impl Walk<'_, '_> {
    fn structure(&mut self, layout: &Layout) -> Result<Structure, Fault> {
        let mut structure = Structure::default();
        let mut integers: Vec<(&str, u64)> = Vec::new();
        for member in &layout.members {
            self.work()?;
            // Asked in turn and only as far as they hold: what decides nothing must
            // not double the readings.
            let present = member.when.iter().all(|condition| match condition {
                Condition::Switch { name, on } => self.choices.switch(name) == *on,
                Condition::NotZero(name) => earlier(&integers, name) != 0,
            });
            if !present {
                continue;
            }
            let offset = self.reader.offset();
            let value = self.member(member, layout, &integers)?;
            let integer = match &value {
                Value::Unsigned(value) => Some(*value),
                Value::Signed(value) => Some(value.cast_unsigned()),
                _ => None,
            };
            if let Some(integer) = integer {
                let agrees = |ticks: &Ticks| ticks.agree(earlier(&integers, &ticks.timer), integer);
                if !member.ticks.as_ref().is_none_or(agrees) {
                    let field = format!("{}.{}", layout.name, member.name);
                    let problem = Problem::Value { field, value: integer.to_string() };
                    return Err(Fault { offset, problem });
                }
                integers.push((&member.name, integer));
            }
            if self.build {
                let (name, size) = (Arc::clone(&member.name), self.reader.offset() - offset);
                let decided = |condition: &Condition| matches!(condition, Condition::NotZero(_));
                let optional = member.when.iter().any(decided);
                structure.fields.push(Field { name, offset, size, optional, value });
            }
        }
        structure.subsections = self.subsections(layout)?;
        Ok(structure)
    }

    fn member(
        &mut self,
        member: &Member,
        layout: &Layout,
        integers: &[(&str, u64)],
    ) -> Result<Value, Fault> {
        let count = match &member.count {
            Count::One => return self.value(member, layout),
            Count::Fixed(count) => *count,
            Count::Field(name) => earlier(integers, name),
            Count::Open { max } => {
                let mut list = Vec::new();
                for _ in 0..*max {
                    if !self.choices.pick() {
                        break;
                    }
                    let value = self.value(member, layout)?;
                    if self.build {
                        list.push(value);
                    }
                }
                return Ok(Value::List(list));
            }
        };
        self.array(count, member, layout)
    }

    fn array(&mut self, count: u64, member: &Member, layout: &Layout) -> Result<Value, Fault> {
        // An element has at least a byte, or one could claim any number of them.
        let (offset, left) = (self.reader.offset(), self.reader.left());
        let each = match &member.kind {
            Kind::Unsigned { size, .. } | Kind::Signed { size, .. } => *size,
            Kind::Timer { .. } => 8,
            Kind::Bytes(size) => (*size).max(1),
            Kind::Bool | Kind::Structure(_) => 1,
        };
        let needed = usize::try_from(count).ok().and_then(|count| count.checked_mul(each));
        let Some(needed) = needed.filter(|needed| *needed <= left) else {
            return Err(Fault { offset, problem: Problem::Truncated(inside(member, layout)) });
        };
        let any = matches!(member.kind, Kind::Unsigned { max: u64::MAX, .. });
        if any && !self.build {
            let skipped = self.reader.bytes(needed);
            return skipped.map(|_| Value::List(Vec::new())).map_err(truncated(member, layout));
        }
        let mut list = Vec::new();
        for _ in 0..count {
            let value = self.value(member, layout)?;
            if self.build {
                list.push(value);
            }
        }
        Ok(Value::List(list))
    }

    /// Counts a value that is looked at. One that takes no bytes counts, too.
    fn work(&mut self) -> Result<(), Fault> {
        let left = self.choices.work.checked_sub(1);
        self.choices.work = left.ok_or_else(|| Fault {
            offset: self.reader.offset(),
            problem: Problem::TooManyReadings,
        })?;
        Ok(())
    }

    fn value(&mut self, member: &Member, layout: &Layout) -> Result<Value, Fault> {
        self.work()?;
        let offset = self.reader.offset();
        let impossible = |value: String| {
            let field = format!("{}.{}", layout.name, member.name);
            Fault { offset, problem: Problem::Value { field, value } }
        };
        let integer =
            |reader: &mut Reader<'_>, size| reader.integer(size).map_err(truncated(member, layout));
        Ok(match &member.kind {
            Kind::Unsigned { size, max } => match integer(&mut self.reader, *size)? {
                value if value > *max => return Err(impossible(value.to_string())),
                value => Value::Unsigned(value),
            },
            Kind::Signed { size, max } => {
                let unused = 64 - 8 * *size;
                let value = integer(&mut self.reader, *size)?;
                let value = (value << unused).cast_signed() >> unused;
                // Where QEMU checks for a greatest value, it checks for a sign too.
                if value > *max || (*max != i64::MAX && value < 0) {
                    return Err(impossible(value.to_string()));
                }
                Value::Signed(value)
            }
            Kind::Timer { min } => match integer(&mut self.reader, 8)? {
                value if value != u64::MAX && !(*min..=i64::MAX as u64).contains(&value) => {
                    return Err(impossible(value.to_string()));
                }
                value => Value::Unsigned(value),
            },
            // QEMU writes no other values; reading them as true would lose them.
            Kind::Bool => match integer(&mut self.reader, 1)? {
                value @ 0..=1 => Value::Bool(value == 1),
                value => return Err(impossible(value.to_string())),
            },
            Kind::Bytes(size) => {
                let bytes = self.reader.bytes(*size).map_err(truncated(member, layout))?;
                Value::Bytes(if self.build { bytes.to_vec() } else { Vec::new() })
            }
            Kind::Structure(inner) => {
                let value = self.structure(inner)?;
                // Its size may be anything, so an array of it is not bounded otherwise.
                if self.reader.offset() == offset && !matches!(member.count, Count::One) {
                    return Err(impossible("an array of nothing".to_owned()));
                }
                Value::Structure(value)
            }
        })
    }

    fn subsections(&mut self, layout: &Layout) -> Result<Vec<Subsection>, Fault> {
        let mut subsections = Vec::new();
        let mut seen = vec![false; layout.subsections.len()];
        for turn in 0.. {
            let offset = self.reader.offset();
            // QEMU looks ahead and takes what does not make up a subsection of this
            // structure for something else, at the end of the data too.
            let head = self.reader.subsection(&layout.name).unwrap_or(None);
            let Some((name, version)) = head else {
                if let (true, Some(missing)) = (layout.exact, layout.subsections.get(turn)) {
                    let problem = Problem::SubsectionMissing(missing.name.to_string());
                    return Err(Fault { offset, problem });
                }
                break;
            };
            let found = layout
                .subsections
                .iter()
                .position(|known| known.name.as_bytes() == name && known.version == version);
            let expected = match found {
                Some(index) if layout.exact => index == turn,
                Some(index) => !std::mem::replace(&mut seen[index], true),
                None => false,
            };
            let Some(inner) = found.filter(|_| expected).map(|index| &layout.subsections[index])
            else {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(Fault { offset, problem: Problem::Subsection { name, version } });
            };
            let content = self.structure(inner)?;
            if self.build {
                let name = Arc::clone(&inner.name);
                subsections.push(Subsection { name, version, offset, content });
            }
        }
        Ok(subsections)
    }
}

impl Ticks {
    /// Whether a timer is not pending, or expires at so many ticks, give or take one
    /// for rounding.
    fn agree(&self, timer: u64, ticks: u64) -> bool {
        let (timer, hz) = (u128::from(timer), u128::from(self.hz));
        let scaled = u128::from(ticks) * 1_000_000_000;
        timer == u128::from(u64::MAX) || (timer * hz).abs_diff(scaled) <= 1_000_000_000
    }
}

/// The value of an earlier integer of the same structure. The layouts built in name
/// no other; 0 stands for one that is not there.
fn earlier(integers: &[(&str, u64)], name: &str) -> u64 {
    integers.iter().rev().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
}

fn inside(member: &Member, layout: &Layout) -> String {
    format!("field {:?} of {:?}", member.name, layout.name)
}

fn truncated(member: &Member, layout: &Layout) -> impl Fn(Truncated) -> Fault {
    move |truncated| Fault {
        offset: truncated.offset,
        problem: Problem::Truncated(inside(member, layout)),
    }
}

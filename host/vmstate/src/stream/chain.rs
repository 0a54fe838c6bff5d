//! Finding where sections end.
//!
//! A section does not state its length. Its layout tells where it ends, and the
//! next section's first byte, or its footer, tells whether that can be right.
//! Where a layout leaves several ends open all of them are followed; the sections
//! are those of the one way that uses the data up. In streams without footers
//! this is all that keeps QEMU's formats apart.

use std::collections::BTreeMap;

use super::{Section, section};
use crate::error::{Error, Problem};
use crate::layout::Layouts;
use crate::walk::{self, Choices, WORK_MAX};
use crate::wire::Reader;

/// The device sections as bytes.
pub(super) struct Chain<'a> {
    /// Up to and with the byte that ends the stream.
    pub(super) data: &'a [u8],
    /// Where it begins in the stream.
    pub(super) base: u64,
    pub(super) footers: bool,
    pub(super) layouts: &'a Layouts,
}

/// A section's head and where it lies.
#[derive(Clone, Copy)]
struct Head<'a> {
    id: u32,
    name: &'a str,
    instance: u32,
    version: u32,
    payload: usize,
}

/// How a place was reached: over which section, and whether in one way only.
#[derive(Clone, Copy)]
struct Reached<'a> {
    head: Head<'a>,
    from: usize,
    end: usize,
    alone: bool,
    /// How many sections lie before.
    depth: usize,
}

/// Why there is no way through, and how far the best one got: the start of the
/// section that went wrong. A reading that takes in half the stream before it
/// fails has not got further for it.
pub(super) struct NoWay {
    pub(super) from: usize,
    pub(super) error: Error,
    /// The most sections a way went over before it was cut off by the end of the
    /// data, and how it was.
    cut: Option<(usize, Error)>,
}

impl NoWay {
    fn or(&mut self, from: usize, depth: usize, error: Error) {
        let most = self.cut.as_ref().is_none_or(|(most, _)| depth >= *most);
        if most && matches!(error.problem, Problem::Truncated(_)) {
            self.cut = Some((depth, error.clone()));
        }
        if (from, error.offset) >= (self.from, self.error.offset) {
            (self.from, self.error) = (from, error);
        }
    }
}

impl<'a> Chain<'a> {
    /// The sections.
    pub(super) fn sections(&self) -> Result<Vec<Section>, Box<NoWay>> {
        let mut work = WORK_MAX;
        let nothing = Problem::Truncated("the list of sections".to_owned());
        let mut furthest = NoWay { from: 0, error: self.error(0, nothing), cut: None };
        // Where the next section may begin, in order: every way there is known
        // before the way on from there is looked for.
        let mut open = BTreeMap::from([(0, None::<Reached<'a>>)]);
        let mut closed = BTreeMap::new();
        while let Some((at, reached)) = open.pop_first() {
            closed.insert(at, reached);
            let depth = reached.map_or(0, |reached| reached.depth);
            if self.data.get(at) == Some(&section::EOF) && at + 1 == self.data.len() {
                let sections = self.collect(at, &closed);
                // Of a stream that was cut, the rest may pass for a long last section.
                // The right reading knows better: it found as many whole ones.
                let found = match furthest.cut.take() {
                    Some((most, error)) if most > 0 && most >= depth => Err(error),
                    _ => sections,
                };
                return found.map_err(|error| Box::new(NoWay { from: at, error, cut: None }));
            }
            let ends = self.head(at).and_then(|head| {
                let ends = self.ends(at, depth, head, &mut work, &mut furthest)?;
                Ok((head, ends))
            });
            let (head, ends) = match ends {
                Ok(found) => found,
                Err(error) => {
                    let given_up = error.problem == Problem::TooManyReadings;
                    furthest.or(at, depth, error.clone());
                    if given_up {
                        return Err(Box::new(NoWay { error, ..furthest }));
                    }
                    continue;
                }
            };
            let alone = reached.is_none_or(|reached| reached.alone);
            for end in ends {
                let next = end + if self.footers { 5 } else { 0 };
                let here = Reached { head, from: at, end, alone, depth: depth + 1 };
                open.entry(next)
                    .and_modify(|known| {
                        if let Some(known) = known {
                            known.alone = false;
                        }
                    })
                    .or_insert(Some(here));
            }
        }
        Err(Box::new(furthest))
    }

    /// The sections on the way to the end.
    fn collect(
        &self,
        end: usize,
        ways: &BTreeMap<usize, Option<Reached<'a>>>,
    ) -> Result<Vec<Section>, Error> {
        let mut sections = Vec::new();
        let mut at = end;
        while let Some(Some(reached)) = ways.get(&at) {
            if !reached.alone {
                return Err(self.error(at, Problem::Ambiguous));
            }
            let Head { id, name, instance, version, payload } = reached.head;
            sections.push(Section {
                id,
                name: name.to_owned(),
                instance,
                version,
                payload: self.data[payload..reached.end].to_vec(),
                offset: self.base + payload as u64,
            });
            at = reached.from;
        }
        sections.reverse();
        Ok(sections)
    }

    fn head(&self, at: usize) -> Result<Head<'a>, Error> {
        let mut reader = Reader::new(&self.data[at..]);
        let short = |_| self.error(at, Problem::Truncated("the list of sections".to_owned()));
        match reader.integer(1).map_err(short)? as u8 {
            section::FULL => {}
            section::EOF => {
                return Err(self.error(at, Problem::Trailing(reader.left() as u64)));
            }
            other => return Err(self.error(at, Problem::SectionType(other))),
        }
        let short = |_| self.error(at, Problem::Truncated("a section's head".to_owned()));
        let id = reader.integer(4).map_err(short)? as u32;
        let length = reader.integer(1).map_err(short)? as usize;
        let name = reader.bytes(length).map_err(short)?;
        let name = std::str::from_utf8(name).map_err(|_| self.error(at, Problem::Name))?;
        let instance = reader.integer(4).map_err(short)? as u32;
        let version = reader.integer(4).map_err(short)? as u32;
        Ok(Head { id, name, instance, version, payload: at + reader.offset() })
    }

    /// Every place where the section may end.
    fn ends(
        &self,
        at: usize,
        depth: usize,
        head: Head<'a>,
        work: &mut u32,
        furthest: &mut NoWay,
    ) -> Result<Vec<usize>, Error> {
        let Head { name, instance, version, payload, .. } = head;
        let layout = self
            .layouts
            .find(name, instance, version)
            .map_err(|problem| self.error(payload, problem))?;
        let mut choices = Choices::new(*work);
        let mut ends = Vec::new();
        loop {
            let end = walk::measure(layout, &self.data[payload..], &mut choices)
                .map_err(|fault| fault.error(self.base + payload as u64))
                .and_then(|size| self.plausible(head, payload + size).map(|()| payload + size));
            match end {
                Ok(end) if !ends.contains(&end) => ends.push(end),
                Ok(_) => {}
                Err(error) if error.problem == Problem::TooManyReadings => return Err(error),
                Err(error) => furthest.or(at, depth, error),
            }
            *work = choices.work();
            if !choices.advance() {
                return Ok(ends);
            }
        }
    }

    /// Whether what follows can follow a section.
    fn plausible(&self, head: Head<'_>, end: usize) -> Result<(), Error> {
        let mut reader = Reader::new(&self.data[end..]);
        let short = |_| {
            let inside = format!("section {:?}, or behind it", head.name);
            self.error(end, Problem::Truncated(inside))
        };
        let found = reader.integer(1).map_err(short)? as u8;
        if !self.footers {
            return match found {
                section::FULL | section::EOF => Ok(()),
                other => Err(self.error(end, Problem::SectionType(other))),
            };
        }
        if found != section::FOOTER {
            let name = head.name.to_owned();
            return Err(self.error(end, Problem::NoFooter { name, found }));
        }
        match reader.integer(4).map_err(short)? as u32 {
            id if id == head.id => Ok(()),
            found => Err(self.error(end, Problem::Footer { expected: head.id, found })),
        }
    }

    fn error(&self, at: usize, problem: Problem) -> Error {
        problem.at(self.base + at as u64)
    }
}

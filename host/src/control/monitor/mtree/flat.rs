//! What answers at each address: a tree of regions, flattened.

use super::tree::{Content, Kind, Region};

/// Addresses at which one region answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range<'a> {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) region: &'a Region,
    /// Where in the region it begins.
    pub(super) offset: u64,
    /// It cannot be written there.
    pub(super) read_only: bool,
}

impl Range<'_> {
    /// What is there.
    pub(super) fn kind(&self) -> Kind {
        match self.region.kind {
            Kind::Ram if self.read_only => Kind::Rom,
            kind => kind,
        }
    }

    /// Whether another range goes on where this one ends.
    fn goes_on_in(&self, next: &Self) -> bool {
        std::ptr::eq(self.region, next.region)
            && self.read_only == next.read_only
            && self.last.checked_add(1) == Some(next.first)
            && self.offset + (next.first - self.first) == next.offset
    }
}

/// Flattens a tree. Aliases show parts of it or of `others`.
pub(super) fn flatten<'a>(root: &'a Region, others: &'a [Region]) -> Vec<Range<'a>> {
    let space = Space { root, others };
    let mut cuts = Vec::new();
    space.cut(root, 0, (root.first, root.last), &mut cuts);
    cuts.sort_unstable();
    cuts.dedup();
    let mut ranges: Vec<Range<'a>> = Vec::new();
    for (index, &first) in cuts.iter().enumerate() {
        let last = cuts.get(index + 1).map_or(root.last, |next| next - 1);
        let Some((region, offset, read_only)) = space.find(root, first) else { continue };
        let range = Range { first, last, region, offset, read_only };
        match ranges.last_mut() {
            Some(before) if before.goes_on_in(&range) => before.last = last,
            _ => ranges.push(range),
        }
    }
    ranges
}

struct Space<'a> {
    root: &'a Region,
    others: &'a [Region],
}

impl<'a> Space<'a> {
    /// All addresses at which something may begin or end. `shift` is added to the
    /// addresses in a region that is seen through an alias.
    fn cut(&self, region: &'a Region, shift: u64, seen: (u64, u64), cuts: &mut Vec<u64>) {
        let first = region.first.wrapping_add(shift).max(seen.0);
        let last = region.last.wrapping_add(shift).min(seen.1);
        if first > last {
            return;
        }
        cuts.extend(
            [Some(first), last.checked_add(1).filter(|&next| next <= self.root.last)]
                .into_iter()
                .flatten(),
        );
        match &region.content {
            Content::Itself => {}
            Content::Backed(children) | Content::Container(children) => {
                children.iter().for_each(|child| self.cut(child, shift, (first, last), cuts));
            }
            Content::Alias(name, from) => {
                if let Some(target) = self.named(name) {
                    let shift = region.first.wrapping_add(shift).wrapping_sub(from + target.first);
                    self.cut(target, shift, (first, last), cuts);
                }
            }
        }
    }

    /// What answers at an address in a region, where in it, and whether it cannot be
    /// written there.
    fn find(&self, region: &'a Region, address: u64) -> Option<(&'a Region, u64, bool)> {
        if !(region.first..=region.last).contains(&address) {
            return None;
        }
        let itself = || Some((region, address - region.first, region.read_only));
        match &region.content {
            Content::Itself => itself(),
            Content::Backed(children) => self.among(children, address).or_else(itself),
            Content::Container(children) => self.among(children, address),
            Content::Alias(name, from) => {
                // An alias names where in its target it begins.
                let target = self.named(name)?;
                let address = (address - region.first).checked_add(from + target.first)?;
                let (found, offset, read_only) = self.find(target, address)?;
                Some((found, offset, read_only || region.read_only))
            }
        }
    }

    /// The highest priority answers, then what was made last.
    fn among(&self, children: &'a [Region], address: u64) -> Option<(&'a Region, u64, bool)> {
        let mut order: Vec<_> = children.iter().collect();
        order.reverse();
        order.sort_by_key(|child| -child.priority);
        order.into_iter().find_map(|child| self.find(child, address))
    }

    fn named(&self, name: &str) -> Option<&'a Region> {
        let others = || self.others.iter().find(|other| other.name == name);
        self.root.named(name).or_else(others)
    }
}

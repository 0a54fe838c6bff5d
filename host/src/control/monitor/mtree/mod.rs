//! `info mtree`: what is where in the address spaces, in QEMU's form.

mod flat;
mod spaces;
#[cfg(test)]
mod tests;
mod tree;

use std::fmt::Write as _;

use super::view::View;
use crate::machine::Machine;

use tree::{Content, Region};

/// Trees of regions, those in memory first.
pub(super) struct Trees {
    /// The name of each address space, and its regions.
    spaces: [(&'static str, Region); 2],
    /// What aliases show parts of besides.
    backings: Vec<Region>,
    /// Whether to say what each region belongs to.
    owners: bool,
}

impl Trees {
    pub(super) fn of(machine: &Machine, firmware: u64, owners: bool) -> Self {
        let view = View::of(machine);
        let memory = spaces::memory(machine, &view, firmware);
        let spaces = [("memory", memory), ("I/O", spaces::ports(machine, &view))];
        Self { spaces, backings: spaces::backings(machine), owners }
    }

    /// The trees themselves, and then those that aliases refer to.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, root) in &self.spaces {
            let _ = writeln!(text, "address-space: {name}");
            self.tree(&mut text, root, 1);
            text.push('\n');
        }
        for region in self.referred() {
            let _ = writeln!(text, "memory-region: {}", region.name);
            self.tree(&mut text, region, 1);
            text.push('\n');
        }
        text
    }

    /// What answers at each address.
    pub(super) fn flat_text(&self) -> String {
        let mut text = String::new();
        for (number, (name, root)) in self.spaces.iter().enumerate() {
            let root_name = &root.name;
            let _ = writeln!(text, "FlatView #{number}\n AS \"{name}\", root: {root_name}");
            let _ = writeln!(text, " Root memory region: {root_name}");
            for range in flat::flatten(root, &self.backings) {
                let flat::Range { first, last, region, offset, .. } = range;
                let Region { name, priority, .. } = region;
                let kind = range.kind().name();
                let _ =
                    write!(text, "  {first:016x}-{last:016x} (prio {priority}, {kind}): {name}");
                if offset != 0 {
                    let _ = write!(text, " @{offset:016x}");
                }
                self.end(&mut text, region);
            }
            text.push('\n');
        }
        text
    }

    fn tree(&self, text: &mut String, region: &Region, depth: usize) {
        let Region { name, first, last, priority, .. } = region;
        let (indent, kind) = ("  ".repeat(depth), region.kind.name());
        let _ = write!(text, "{indent}{first:016x}-{last:016x} (prio {priority}, {kind}): ");
        let _ = match &region.content {
            Content::Alias(target, from) => {
                let to = from + (last - first);
                write!(text, "alias {name} @{target} {from:016x}-{to:016x}")
            }
            _ => write!(text, "{name}"),
        };
        self.end(text, region);
        region.children().into_iter().for_each(|child| self.tree(text, child, depth + 1));
    }

    fn end(&self, text: &mut String, region: &Region) {
        if let (Some(owner), true) = (&region.owner, self.owners) {
            let _ = write!(text, " {owner}");
        }
        text.push('\n');
    }

    /// What aliases show parts of, in the order in which they are met.
    fn referred(&self) -> Vec<&Region> {
        let mut regions: Vec<&Region> = Vec::new();
        for (_, root) in &self.spaces {
            let mut names = Vec::new();
            aliases(root, &mut names);
            for name in names {
                let known = root
                    .named(name)
                    .or_else(|| self.backings.iter().find(|backing| backing.name == name));
                regions.extend(
                    known.filter(|known| regions.iter().all(|other| other.name != known.name)),
                );
            }
        }
        regions
    }
}

fn aliases<'a>(region: &'a Region, names: &mut Vec<&'a str>) {
    if let Content::Alias(target, _) = &region.content {
        names.push(target);
    }
    region.children().into_iter().for_each(|child| aliases(child, names));
}

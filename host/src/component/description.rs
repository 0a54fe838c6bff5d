//! Checks what a device says about itself before anything relies on it.

use std::collections::BTreeSet;

use access::{Rules, Sizes};

use super::{AccessSizes, Attachment, BusKind, Description, Direction, MemoryBlock, Region, Space};

/// More of anything than a device has use for; bounds what a host keeps for it.
const MOST: usize = 1024;

/// Longest name, in bytes.
const LONGEST_NAME: usize = 256;

/// Longest text about the device, in bytes.
const LONGEST_TEXT: usize = 1024;

/// Most bytes of a block of memory.
const MOST_MEMORY: u64 = 512 << 20;

/// The lines of a PCI bus: four for each of its 32 slots.
const BUS_LINES: usize = 128;

/// Checks a description.
///
/// # Errors
/// One line that names what does not hold together.
pub(super) fn check(description: &Description) -> Result<(), String> {
    let Description {
        name,
        version,
        build,
        summary,
        attachment,
        properties,
        regions,
        lines,
        timers,
        buses,
        streams,
        windows,
        memories,
        drives,
    } = description;
    if name.is_empty()
        || name.len() > LONGEST_NAME
        || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
    {
        let start: String = name.chars().take(32).collect();
        return Err(format!(
            "name {start:?}: at most {LONGEST_NAME} letters, digits, '-', '_' and '.' expected"
        ));
    }
    for (what, text) in
        [("name", name), ("version", version), ("build", build), ("summary", summary)]
    {
        // They are shown wherever the device is: on a terminal, in a line of a log.
        if text.len() > LONGEST_TEXT || text.chars().any(char::is_control) {
            return Err(format!(
                "{what} of {} bytes: one line of at most {LONGEST_TEXT} bytes expected",
                text.len()
            ));
        }
    }
    unique("property", properties.iter().map(|property| &property.name))?;
    unique("region", regions.iter().map(|region| &region.name))?;
    unique("line", lines.iter().map(|line| &line.name))?;
    unique("timer", timers)?;
    unique("bus", buses.iter().map(|bus| &bus.name))?;
    unique("stream", streams)?;
    unique("window", windows.iter().map(|window| &window.name))?;
    unique("memory", memories.iter().map(|memory| &memory.name))?;
    unique("drive", drives)?;

    for region in regions {
        let refuse = |reason: String| Err(format!("region {}: {reason}", region.name));
        if region.size == 0 {
            return refuse("size is 0".into());
        }
        if region.space == Space::Port && region.size > 1 << 16 {
            return refuse(format!("{} ports, at most 65536 expected", region.size));
        }
        if let Some(position) = region.backing {
            let block = memories.get(position as usize);
            if region.space != Space::Memory || block.map(|block| block.size) != Some(region.size) {
                return refuse("space memory and the size of its block expected".into());
            }
        }
        for (what, sizes) in [("valid", region.valid), ("implemented", region.implemented)] {
            if !Sizes::from(sizes).is_sound() {
                let AccessSizes { min, max, .. } = sizes;
                return refuse(format!(
                    "{what} sizes {min} to {max}: 1, 2, 4 or 8 in order expected"
                ));
            }
        }
    }
    let spaces = regions.iter().filter(|region| region.space == Space::Configuration).count();
    if spaces > 1 {
        return Err(format!("{spaces} configuration spaces, at most one expected"));
    }
    if *attachment == Attachment::Pci && spaces == 0 {
        return Err("attaches to PCI and has no configuration space".into());
    }
    for bus in buses {
        let Some(first) = bus.first_interrupt_line else { continue };
        let end = (first as usize).saturating_add(BUS_LINES);
        let range = lines.get(first as usize..end).unwrap_or_default();
        let inputs = range.iter().filter(|line| line.direction == Direction::Input).count();
        if bus.kind != BusKind::Pci || inputs != BUS_LINES {
            return Err(format!(
                "bus {}: a PCI bus with {BUS_LINES} input lines from {first} on expected",
                bus.name
            ));
        }
    }
    for memory in memories {
        let MemoryBlock { name, size, .. } = memory;
        if *size == 0 || !size.is_multiple_of(4096) || *size > MOST_MEMORY {
            return Err(format!(
                "memory {name}: {size} bytes, a multiple of 4096 up to {MOST_MEMORY} expected"
            ));
        }
    }
    for window in windows {
        let end = window.base.checked_add(window.size);
        if window.size == 0 || (window.base | window.size) & 0xfff != 0 || end.is_none() {
            let name = &window.name;
            return Err(format!("window {name}: base and size in whole pages of 4096 expected"));
        }
    }
    Ok(())
}

impl From<AccessSizes> for Sizes {
    fn from(AccessSizes { min, max, unaligned }: AccessSizes) -> Self {
        Self { min, max, unaligned }
    }
}

impl Region {
    /// How accesses meet the region's registers.
    #[must_use]
    pub fn rules(&self) -> Rules {
        Rules { valid: self.valid.into(), implemented: self.implemented.into() }
    }
}

fn unique<'a>(what: &str, names: impl IntoIterator<Item = &'a String>) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for name in names {
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            let length = name.len();
            return Err(format!(
                "{what}: a name of {length} bytes: at most {LONGEST_NAME} expected, on one line"
            ));
        }
        if name.is_empty() || !seen.insert(name) {
            return Err(format!("{what} {name:?}: a name that is unique expected"));
        }
    }
    if seen.len() > MOST {
        return Err(format!("{} of kind {what}, at most {MOST} expected", seen.len()));
    }
    Ok(())
}

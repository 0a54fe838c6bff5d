//! A description for tests.

use crate::component::{
    AccessSizes, Attachment, Bus, BusKind, Description, Direction, Line, MemoryBlock, Region, Space,
};

/// A device with one of everything that actions name.
pub(super) fn description() -> Description {
    let sizes = AccessSizes { min: 1, max: 4, unaligned: false };
    Description {
        name: "test".into(),
        version: "1.0.0".into(),
        build: String::new(),
        summary: String::new(),
        attachment: Attachment::System,
        properties: Vec::new(),
        regions: vec![Region {
            name: "registers".into(),
            space: Space::Port,
            size: 16,
            valid: sizes,
            implemented: sizes,
            backing: None,
        }],
        lines: vec![Line { name: "in".into(), direction: Direction::Input }],
        timers: vec!["timer".into()],
        buses: [("pci", BusKind::Pci), ("smbus", BusKind::I2c), ("isa", BusKind::IsaDma)]
            .map(|(name, kind)| Bus { name: name.into(), kind, first_interrupt_line: None })
            .into(),
        streams: vec!["data".into()],
        windows: Vec::new(),
        memories: vec![MemoryBlock {
            name: "vram".into(),
            size: 4096,
            read_only: false,
            from_file: false,
        }],
        drives: vec!["disk".into()],
    }
}

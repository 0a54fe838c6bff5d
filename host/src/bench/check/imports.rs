//! What a component asks for is granted, and is of use to it.

use std::collections::BTreeSet;

use super::Law;
use crate::bench::action::Action;
use crate::bench::rig::Subject;
use crate::component::{Attachment, BusKind, Description, Interface};

pub(super) struct Imports(pub(super) Option<BTreeSet<Interface>>);

impl Law for Imports {
    fn name(&self) -> &'static str {
        "imports"
    }

    fn says(&self) -> &'static str {
        "A device imports what it is granted and has declared a use for, and exports what its \
         place needs"
    }

    fn judge(&self, subject: &Subject, _actions: &[Action]) -> Result<(), String> {
        let (image, of) = (&subject.image, subject.image.description());
        if let Some(grants) = &self.0 {
            image.check_grants(grants).map_err(|error| error.to_string())?;
        }
        // The free ones reach nothing but what is declared.
        for interface in image.imports().iter().filter(|interface| !interface.is_free()) {
            if let Some(missing) = missing(*interface, of) {
                return Err(format!("imports {interface}, and declares no {missing}"));
            }
        }
        let needed = match of.attachment {
            Attachment::I2c => Some(("attaches to I2C", "i2c-target")),
            Attachment::IsaDma => Some(("attaches to an ISA DMA channel", "isa-dma-target")),
            Attachment::System | Attachment::Pci => None,
        };
        let drives = (!of.drives.is_empty()).then_some(("declares drives", "storage-events"));
        for (what, part) in needed.into_iter().chain(drives) {
            if !image.exports().contains(part) {
                return Err(format!("{what}, and does not export {part}"));
            }
        }
        Ok(())
    }
}

/// What a device would have to declare to have a use for an interface.
fn missing(interface: Interface, of: &Description) -> Option<&'static str> {
    let bus = |kind| of.buses.iter().any(|bus| bus.kind == kind);
    let (declared, what) = match interface {
        Interface::Streams => (!of.streams.is_empty(), "stream"),
        Interface::RamWindows => (!of.windows.is_empty(), "RAM window"),
        Interface::PciBus => (bus(BusKind::Pci), "PCI bus"),
        Interface::I2cBus => (bus(BusKind::I2c), "I2C bus"),
        Interface::IsaDmaBus => (bus(BusKind::IsaDma), "ISA DMA bus"),
        Interface::Memories => (!of.memories.is_empty(), "block of memory"),
        Interface::Storage => (!of.drives.is_empty(), "drive"),
        Interface::Power | Interface::Dma | Interface::Files => return None,
        Interface::Lines | Interface::Regions | Interface::Timers | Interface::Log => return None,
    };
    (!declared).then_some(what)
}

//! The device sections of a stream.

use super::{chain, section};
use crate::error::{Error, Problem};
use crate::layout::{Layouts, kind};
use crate::wire::{Reader, Writer};

/// The state of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// A number without meaning, different for every section of a stream.
    pub id: u32,
    /// The device's path, if its bus has one, and the kind of device:
    /// `0000:00:01.3/piix4_pm`. At most 255 bytes.
    pub name: String,
    /// Which of several of the same name.
    pub instance: u32,
    /// The version of the device's state.
    pub version: u32,
    /// The state itself.
    pub payload: Vec<u8>,
    /// Where the payload begins in the stream it was read from.
    pub offset: u64,
}

impl Section {
    /// The kind of device: the name without the path.
    #[must_use]
    pub fn kind(&self) -> &str {
        kind(&self.name)
    }
}

/// The device sections of a stream, and what ends it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Whether every section ends in a footer. Xen's machines have none.
    pub footers: bool,
    /// The sections, in the order of the stream.
    pub sections: Vec<Section>,
    /// The stream's description of its sections, as JSON.
    pub description: Option<String>,
}

/// What is known of a stream where its devices begin.
pub(super) struct Before {
    /// Where the devices begin.
    pub(super) offset: u64,
    /// Whether sections end in footers, if there was a section.
    pub(super) footers: Option<bool>,
    /// The ids of the sections there were.
    pub(super) ids: Vec<u32>,
}

impl Devices {
    /// Finds the section of a name and instance.
    #[must_use]
    pub fn section(&self, name: &str, instance: u32) -> Option<&Section> {
        let found = |section: &&Section| section.name == name && section.instance == instance;
        self.sections.iter().find(found)
    }

    /// The layouts in the stream's own description, if it has one.
    ///
    /// # Errors
    /// [`crate::NoLayout`] if the description is not one.
    pub fn layouts(&self) -> Result<Option<Layouts>, crate::NoLayout> {
        self.description.as_deref().map(Layouts::from_description).transpose()
    }

    /// The bytes of this part of the stream.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        for section in &self.sections {
            writer.integer(section::FULL.into(), 1);
            writer.integer(section.id.into(), 4);
            let name = &section.name.as_bytes()[..section.name.len().min(u8::MAX.into())];
            writer.integer(name.len() as u64, 1);
            writer.bytes(name);
            writer.integer(section.instance.into(), 4);
            writer.integer(section.version.into(), 4);
            writer.bytes(&section.payload);
            if self.footers {
                writer.integer(section::FOOTER.into(), 1);
                writer.integer(section.id.into(), 4);
            }
        }
        writer.integer(section::EOF.into(), 1);
        if let Some(description) = &self.description {
            writer.integer(section::DESCRIPTION.into(), 1);
            writer.integer(description.len() as u64, 4);
            writer.bytes(description.as_bytes());
        }
        writer.into_bytes()
    }

    /// Reads what follows the live part. A description the stream carries is
    /// taken at its word; without one, `layouts` say what sections consist of.
    pub(super) fn read(data: &[u8], before: &Before, layouts: &Layouts) -> Result<Self, Error> {
        let (end, description) = match find_description(data) {
            None => (data.len(), None),
            Some((end, text)) => {
                let at = before.offset + end as u64;
                let wrong = |reason| Problem::Description(reason).at(at);
                let text = std::str::from_utf8(text).map_err(|error| wrong(error.to_string()))?;
                let layouts =
                    Layouts::from_description(text).map_err(|error| wrong(error.to_string()))?;
                (end, Some((text.to_owned(), layouts)))
            }
        };
        let layouts = description.as_ref().map_or(layouts, |(_, described)| described);
        let chain = |footers| {
            let (data, base) = (&data[..end], before.offset);
            chain::Chain { data, base, footers, layouts }.sections()
        };
        let (footers, sections) = match before.footers {
            Some(footers) => (footers, chain(footers).map_err(|no_way| no_way.error)?),
            // Nothing says so before the first section's end: only one of both fits.
            None => match (chain(true), chain(false)) {
                (Ok(sections), _) => (true, sections),
                (_, Ok(sections)) => (false, sections),
                (Err(with), Err(without)) if with.from >= without.from => return Err(with.error),
                (_, Err(without)) => return Err(without.error),
            },
        };
        // No sections, no footers: so that what is written is what was read.
        let devices = Self {
            footers: footers && !sections.is_empty(),
            sections,
            description: description.map(|(text, _)| text),
        };
        devices.unique(&before.ids)?;
        Ok(devices)
    }

    fn unique(&self, ids: &[u32]) -> Result<(), Error> {
        let mut ids: std::collections::HashSet<_> = ids.iter().copied().collect();
        let mut names = std::collections::HashSet::new();
        for section in &self.sections {
            let (name, instance) = (&section.name, section.instance);
            if !names.insert((name, instance)) {
                let name = name.clone();
                return Err(Problem::SectionTwice { name, instance }.at(section.offset));
            }
            if !ids.insert(section.id) {
                return Err(Problem::IdReused(section.id).at(section.offset));
            }
        }
        Ok(())
    }
}

/// The description at the end of a stream, and where the stream ends before it.
/// It is found from behind: its length must reach exactly to the end.
fn find_description(data: &[u8]) -> Option<(usize, &[u8])> {
    let starts = |window: &[u8]| window == [section::EOF, section::DESCRIPTION];
    let mut search = data;
    while let Some(at) = search.windows(2).rposition(starts) {
        let mut reader = Reader::new(&data[at + 2..]);
        let fits = reader.integer(4).is_ok_and(|length| length == reader.left() as u64);
        let text = &data[data.len() - reader.left()..];
        if fits && text.starts_with(b"{") {
            return Some((at + 1, text));
        }
        search = &data[..=at];
    }
    None
}

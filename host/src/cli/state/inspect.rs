//! `southbridge state inspect`.

use anyhow::anyhow;
use serde_json::{Value as Json, json};
use vmstate::{Layouts, Section, Structure};

use super::source::Source;
use super::{fields, plain};
use crate::cli::Result;
use crate::cli::output::Output;
use crate::cli::table::Table;

/// The sections of a state, or the fields of some.
pub(super) struct Inspection<'a> {
    source: &'a Source,
    /// The sections asked for, with what is in them.
    decoded: Option<Vec<Decoded<'a>>>,
}

struct Decoded<'a> {
    section: &'a Section,
    structure: Structure,
}

impl<'a> Inspection<'a> {
    pub(super) fn of(source: &'a Source, section: Option<&str>) -> Result<Self> {
        let decoded = section.map(|name| decode(source, name)).transpose()?;
        Ok(Self { source, decoded })
    }

    pub(super) fn json(&self) -> Json {
        let Source { file, stream, .. } = self.source;
        let head = |section: &Section| {
            json!({
                "name": section.name,
                "instance": section.instance,
                "version": section.version,
                "offset": self.source.offset_of(section),
                "bytes": section.payload.len(),
            })
        };
        let sections: Vec<_> = match &self.decoded {
            None => stream.devices.sections.iter().map(head).collect(),
            Some(decoded) => decoded
                .iter()
                .map(|decoded| {
                    let mut object = head(decoded.section);
                    let offset = self.source.offset_of(decoded.section);
                    fields::add(&mut object, &decoded.structure, offset);
                    object
                })
                .collect(),
        };
        let live = &stream.live;
        let blocks =
            live.blocks.iter().map(|block| json!({"name": block.name, "bytes": block.size}));
        json!({
            "file": file,
            "machine": self.source.machine(),
            "memory": {
                "offset": self.source.offset + live.range.start,
                "bytes": live.range.end - live.range.start,
                "blocks": blocks.collect::<Vec<_>>(),
                "pages": live.pages,
                "zero-pages": live.zero_pages,
            },
            "sections": sections,
        })
    }

    pub(super) fn text(&self, output: &Output) -> String {
        match &self.decoded {
            None => self.sections(output),
            Some(decoded) => {
                let text = decoded.iter().map(|Decoded { section, structure }| {
                    let title = output.heading(&plain(&section.name));
                    let Section { instance, version, payload, .. } = section;
                    let offset = self.source.offset_of(section);
                    let table = fields::table(structure, offset).text(2, output);
                    let bytes = payload.len();
                    format!(
                        "{title} instance {instance}, version {version}, \
                         {bytes} bytes at offset {offset:#x}\n{table}"
                    )
                });
                text.collect::<Vec<_>>().join("\n")
            }
        }
    }

    fn sections(&self, output: &Output) -> String {
        let stream = &self.source.stream;
        let mut text = String::new();
        if let Some(machine) = self.source.machine() {
            text += &format!("machine {}\n", plain(machine));
        }
        let live = &stream.live;
        if !live.range.is_empty() {
            let (offset, bytes) =
                (self.source.offset + live.range.start, live.range.end - live.range.start);
            let (pages, zero, blocks) = (live.pages, live.zero_pages, live.blocks.len());
            text += &format!(
                "guest memory, {bytes} bytes at offset {offset:#x}: \
                 {blocks} blocks, {pages} pages and {zero} of one byte\n"
            );
        }
        let mut table = Table::new([">OFFSET", "SECTION", ">INSTANCE", ">VERSION", ">BYTES"]);
        for section in &stream.devices.sections {
            table.row([
                format!("{:#x}", self.source.offset_of(section)),
                plain(&section.name),
                section.instance.to_string(),
                section.version.to_string(),
                section.payload.len().to_string(),
            ]);
        }
        text + &table.text(0, output)
    }
}

/// The sections of a name, or of a kind of device, with their fields as the
/// stream describes them, or as the layouts built in do.
fn decode<'a>(source: &'a Source, name: &str) -> Result<Vec<Decoded<'a>>> {
    let devices = &source.stream.devices;
    let own = devices.layouts().map_err(|error| anyhow!("{}: {error}", source.file))?;
    let layouts = own.as_ref().unwrap_or(Layouts::builtin());
    let asked =
        devices.sections.iter().filter(|section| section.name == name || section.kind() == name);
    let decoded = asked.map(|section| {
        let reading = layouts.decode(section).map_err(|error| source.wrong(error))?;
        Ok(Decoded { section, structure: reading.structure })
    });
    let decoded = decoded.collect::<Result<Vec<_>>>()?;
    if decoded.is_empty() {
        let (file, end) = (&source.file, source.offset + source.stream.live.range.end);
        let mut kinds: Vec<_> = devices.sections.iter().map(Section::kind).collect();
        kinds.dedup();
        let kinds = kinds.join(", ");
        return Err(anyhow!(
            "{file}: no section {name:?} from offset {end:#x} on; there are: {}",
            plain(&kinds)
        ));
    }
    Ok(decoded)
}

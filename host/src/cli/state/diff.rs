//! `southbridge state diff`.

use anyhow::anyhow;
use serde::Serialize;
use serde_json::{Value as Json, json};
use vmstate::{Field, Layouts, Section, Structure, Value};

use super::compare::{self, Difference, Place, pairs};
use super::plain;
use super::source::Source;
use crate::cli::Result;
use crate::cli::output::Output;
use crate::cli::table::Table;

/// The most characters of a value in a table.
const WIDEST: usize = 34;

/// In what two saved states differ.
#[derive(Serialize)]
pub(super) struct Diff {
    a: String,
    b: String,
    equal: bool,
    /// What is around the device sections.
    frame: Vec<Around>,
    sections: Vec<Differing>,
}

/// A part of the frame that differs.
#[derive(Serialize)]
struct Around {
    part: &'static str,
    a: Json,
    b: Json,
}

/// A section that differs, or that only one state has.
#[derive(Serialize)]
struct Differing {
    section: String,
    instance: u32,
    a: Option<Head>,
    b: Option<Head>,
    fields: Vec<Difference>,
}

#[derive(PartialEq, Serialize)]
struct Head {
    version: u32,
    /// Where its payload begins in the file.
    offset: u64,
    bytes: usize,
}

impl Diff {
    pub(super) fn of(a: &Source, b: &Source) -> Result<Self> {
        let frame = frame(a).into_iter().zip(frame(b)).filter(|(a, b)| a.1 != b.1);
        let frame: Vec<_> = frame.map(|((part, a), (_, b))| Around { part, a, b }).collect();
        let mut sections = Vec::new();
        let decoders = Decoder::pair(a, b)?;
        let [all_a, all_b] = [a, b].map(|source| &source.stream.devices.sections);
        for (one, other) in pairs(all_a, all_b, |section| (&section.name, section.instance)) {
            let fields = match (one, other) {
                (Some(one), Some(other)) => {
                    let (x, y) = decoders.decode(one, other);
                    compare::sections((a.offset_of(one), &x), (b.offset_of(other), &y))
                }
                _ => Vec::new(),
            };
            let version = |section: Option<&Section>| section.map(|section| section.version);
            if fields.is_empty() && version(one) == version(other) {
                continue;
            }
            let Some(Section { name, instance, .. }) = one.or(other) else { continue };
            let head = |source: &Source, section: &Section| Head {
                version: section.version,
                offset: source.offset_of(section),
                bytes: section.payload.len(),
            };
            sections.push(Differing {
                section: name.clone(),
                instance: *instance,
                a: one.map(|section| head(a, section)),
                b: other.map(|section| head(b, section)),
                fields,
            });
        }
        let equal = frame.is_empty() && sections.is_empty();
        Ok(Self { a: a.file.clone(), b: b.file.clone(), equal, frame, sections })
    }

    pub(super) const fn equal(&self) -> bool {
        self.equal
    }

    /// The differences as text: nothing if there are none.
    pub(super) fn text(&self, output: &Output) -> String {
        if self.equal {
            return String::new();
        }
        let mut text = format!("A  {}\nB  {}\n", self.a, self.b);
        if !self.frame.is_empty() {
            let mut table = Table::new(["STREAM", "A", "B"]);
            for Around { part, a, b } in &self.frame {
                table.row([(*part).to_owned(), shown(a), shown(b)]);
            }
            text += &format!("\n{}", table.text(0, output));
        }
        self.sections.iter().fold(text, |text, section| text + "\n" + &section.text(output))
    }
}

impl Differing {
    fn text(&self, output: &Output) -> String {
        let title = output.heading(&format!("{} instance {}", plain(&self.section), self.instance));
        let only = |side: &str, Head { version, offset, bytes }: &Head| {
            format!("{title}: only in {side}, version {version}, {bytes} bytes at {offset:#x}\n")
        };
        let (a, b) = match (&self.a, &self.b) {
            (Some(a), Some(b)) => (a, b),
            (Some(a), None) => return only("A", a),
            (_, b) => return b.as_ref().map(|b| only("B", b)).unwrap_or_default(),
        };
        let mut text = title;
        if a.version != b.version {
            text += &format!(": version {} in A, {} in B", a.version, b.version);
        }
        text += "\n";
        if self.fields.is_empty() {
            return text;
        }
        let mut table = Table::new(["FIELD", ">OFFSET A", "A", ">OFFSET B", "B"]);
        for Difference { field, a, b } in &self.fields {
            let offset = |place: &Option<Place>| {
                place.as_ref().map_or("-".to_owned(), |place| format!("{:#x}", place.offset))
            };
            let value = |place: &Option<Place>| {
                place.as_ref().map_or("not there".to_owned(), |place| shown(&place.value))
            };
            table.row([plain(field), offset(a), value(a), offset(b), value(b)]);
        }
        text + &table.text(2, output)
    }
}

/// What is around the device sections of a state.
fn frame(source: &Source) -> [(&'static str, Json); 7] {
    let stream = &source.stream;
    let configuration = stream.configuration.as_ref();
    let blocks = stream.live.blocks.iter();
    let blocks: Vec<_> = blocks.map(|block| format!("{} {:#x}", block.name, block.size)).collect();
    [
        ("machine", json!(configuration.map(|configuration| &configuration.machine))),
        ("page bits", json!(configuration.and_then(|configuration| configuration.page_bits))),
        ("capabilities", json!(configuration.and_then(|c| c.capabilities.as_ref()))),
        ("UUID", json!(configuration.and_then(|configuration| configuration.uuid))),
        ("memory", json!(blocks)),
        ("footers", json!(stream.devices.footers)),
        ("description", json!(stream.devices.description.is_some())),
    ]
}

/// What reads the sections of both states.
struct Decoder {
    own: Option<[Layouts; 2]>,
}

impl Decoder {
    /// Streams that both describe themselves are read as they say. Otherwise the
    /// layouts built in read both: one layout gives both the same names.
    fn pair(a: &Source, b: &Source) -> Result<Self> {
        let own = |source: &Source| {
            let layouts = source.stream.devices.layouts();
            layouts.map_err(|error| anyhow!("{}: {error}", source.file))
        };
        let own = own(a)?.zip(own(b)?);
        Ok(Self { own: own.map(|(a, b)| [a, b]) })
    }

    /// Both sections decoded, or both as bytes if that is not possible.
    fn decode(&self, a: &Section, b: &Section) -> (Structure, Structure) {
        let builtin = Layouts::builtin();
        let (of_a, of_b) = self.own.as_ref().map_or((builtin, builtin), |[a, b]| (a, b));
        match (of_a.decode(a), of_b.decode(b)) {
            (Ok(a), Ok(b)) => (a.structure, b.structure),
            _ => (undecoded(a), undecoded(b)),
        }
    }
}

/// A section as one field, named as QEMU names what it cannot describe.
fn undecoded(section: &Section) -> Structure {
    let size = section.payload.len();
    let value = Value::Bytes(section.payload.clone());
    let field = Field { name: "data".into(), offset: 0, size, value, optional: false };
    Structure { fields: vec![field], subsections: Vec::new() }
}

/// A value on one line, cut where it is long.
fn shown(value: &Json) -> String {
    let text = match value {
        Json::Null => "none".to_owned(),
        Json::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Json::Number(number) => match number.as_u64() {
            Some(number @ 10..) => format!("{number:#x}"),
            _ => number.to_string(),
        },
        Json::String(text) => plain(text),
        value => value.to_string(),
    };
    match text.char_indices().nth(WIDEST) {
        None => text,
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

//! The options for the device that a command is about.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use clap::Args;

use crate::bench::Subject;
use crate::cli::Result;
use crate::cli::args::Pair;
use crate::cli::components::Components;
use crate::component::{Image, PropertyValue};
use crate::slot::GivenProperty;

/// A component, and what it is configured with.
#[derive(Args)]
pub(super) struct OnBench {
    /// A .wasm file, or the name of a component in this program.
    component: String,

    /// A property of the device, in place of its default. May be repeated.
    #[arg(short, long = "property", value_name = "NAME=VALUE")]
    properties: Vec<Pair<String>>,

    #[command(flatten)]
    components: Components,
}

impl OnBench {
    pub(super) fn subject(&self) -> Result<Subject> {
        let image = self.image()?;
        let properties = self.properties.iter().map(|pair| property(&image, pair));
        let properties = properties.collect::<Result<_>>()?;
        Ok(Subject { properties, ..Subject::new(image) })
    }

    pub(super) fn image(&self) -> Result<Image> {
        Ok(self.components.library()?.get(&self.component)?)
    }

    pub(super) fn other(&self, component: &str) -> Result<Image> {
        Ok(self.components.library()?.get(component)?)
    }
}

/// A property with the type that the device declares.
fn property(image: &Image, Pair { name, value }: &Pair<String>) -> Result<GivenProperty> {
    let declared = &image.description().properties;
    let Some(found) = declared.iter().find(|property| property.name == *name) else {
        let names: Vec<_> = declared.iter().map(|property| property.name.as_str()).collect();
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        return Err(anyhow!("property {name}: the device has {names}"));
    };
    let wrong = |what| anyhow!("property {name}: {value:?}, {what} expected");
    let value = match found.default {
        PropertyValue::Flag(_) => match value.as_str() {
            "on" | "true" => PropertyValue::Flag(true),
            "off" | "false" => PropertyValue::Flag(false),
            _ => return Err(wrong("on or off")),
        },
        PropertyValue::Number(_) => {
            let number = match value.strip_prefix("0x") {
                Some(digits) => u64::from_str_radix(digits, 16).ok(),
                None => value.parse().ok(),
            };
            PropertyValue::Number(number.ok_or_else(|| wrong("a number, such as 16 or 0x10,"))?)
        }
        PropertyValue::Text(_) => PropertyValue::Text(value.clone()),
    };
    Ok(GivenProperty { name: name.clone(), value })
}

/// What a component is, in one line.
pub(super) fn title(image: &Image) -> String {
    format!("{}, {} bytes, sha256 {}", image.title(), image.size(), image.hash())
}

/// Writes a record to a directory; returns where it is, for people.
pub(super) fn keep(directory: &Path, name: &str, text: &str) -> Result<String> {
    let path = directory.join(format!("{name}.record"));
    let shown = path.display().to_string();
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&path, text))
        .with_context(|| format!("cannot write {shown}"))
        .map_err(|error| anyhow!("{error:#}"))?;
    Ok(shown)
}

/// Lines of a record as they are shown below something else.
pub(super) fn indented<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    lines.map(|line| format!("    {line}\n")).collect()
}

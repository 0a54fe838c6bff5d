//! Packs the sources that a device needs, so that the program can write them into a
//! folder where there is nothing of this project.
//!
//! The folder is laid out as this workspace is: the manifests are the same, byte for
//! byte, but for that of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use toml_edit::{Array, DocumentMut, value};
use wit_bindgen_core::Files;
use wit_bindgen_core::wit_parser::Resolve;

/// The crate that devices are written with.
const SDK: &str = "southbridge-sdk";

/// The crates that go into the folder.
const CRATES: [&str; 3] = ["devices/sdk", "host/access", "host/vmstate"];

/// What goes into the folder besides.
const OTHERS: [&str; 2] = ["LICENSE", "wit"];

/// What there is of a crate besides its tests.
const OF_CRATE: [&str; 4] = ["Cargo.toml", "README.md", "layouts", "src"];

/// Writes a JSON object, packed, of the files by their paths. Returns what it was made
/// from.
pub(crate) fn pack(root: &Path, to: &Path) -> Result<BTreeSet<PathBuf>> {
    let mut sources = BTreeSet::new();
    for path in OTHERS {
        collect(&root.join(path), &mut sources)?;
    }
    for path in CRATES.iter().flat_map(|name| OF_CRATE.map(|part| root.join(name).join(part))) {
        if path.exists() {
            collect(&path, &mut sources)?;
        }
    }
    let mut files = BTreeMap::new();
    for source in &sources {
        let path = source.strip_prefix(root)?.to_str().context("a path is not UTF-8")?;
        files.insert(path.to_owned(), read(source)?);
    }
    files.insert("Cargo.toml".into(), workspace(&read(&root.join("Cargo.toml"))?)?);
    files.insert("Cargo.lock".into(), locked(&read(&root.join("Cargo.lock"))?)?);
    files.extend(in_c(&root.join("wit"))?);
    let file = File::create(to).with_context(|| format!("cannot write {}", to.display()))?;
    let mut packed = GzEncoder::new(file, Compression::best());
    serde_json::to_writer(&mut packed, &files)?;
    packed.finish()?;
    Ok(sources)
}

/// The contract in C, as `wit-bindgen` writes it, but for the object file that says which
/// contract it is: whoever makes the component says that.
fn in_c(contract: &Path) -> Result<BTreeMap<String, String>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(contract)?;
    let world = resolve.select_world(&[package], Some("device-component"))?;
    let mut files = Files::default();
    wit_bindgen_c::Opts::default().build().generate(&mut resolve, world, &mut files)?;
    let sources = files.iter().filter(|(name, _)| name.ends_with(".c") || name.ends_with(".h"));
    let text =
        |(name, text): (&str, &[u8])| Ok((format!("c/{name}"), String::from_utf8(text.to_vec())?));
    sources.map(text).collect()
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Adds a file, or all files in a directory.
fn collect(path: &Path, to: &mut BTreeSet<PathBuf>) -> Result<()> {
    if path.is_file() {
        to.insert(path.into());
        return Ok(());
    }
    let cannot_read = || format!("cannot read {}", path.display());
    for entry in fs::read_dir(path).with_context(cannot_read)? {
        collect(&entry.with_context(cannot_read)?.path(), to)?;
    }
    Ok(())
}

/// The manifest of a workspace of these crates alone.
fn workspace(manifest: &str) -> Result<String> {
    let mut manifest: DocumentMut = manifest.parse()?;
    let workspace = manifest["workspace"].as_table_mut().context("it is no workspace")?;
    workspace.retain(|key, _| !matches!(key, "default-members" | "exclude"));
    workspace["members"] = value(Array::from_iter(CRATES));
    Ok(manifest.to_string())
}

/// The part of a lock file that is about the SDK and what it needs.
fn locked(lock: &str) -> Result<String> {
    let mut lock: DocumentMut = lock.parse()?;
    let packages = lock["package"].as_array_of_tables_mut().context("it locks no packages")?;
    let field = |package: &toml_edit::Table, name: &str| -> String {
        package.get(name).and_then(|item| item.as_str()).unwrap_or_default().into()
    };
    let mut needed = BTreeSet::new();
    let mut asked = vec![SDK.to_owned()];
    while let Some(name) = asked.pop() {
        // `name`, or `name version` where there are several.
        let (name, version) = name.split_once(' ').unwrap_or((&name, ""));
        let found = packages.iter().find(|package| {
            field(package, "name") == name
                && (version.is_empty() || field(package, "version") == version)
        });
        let Some(found) = found else { continue };
        if needed.insert((field(found, "name"), field(found, "version"))) {
            let needs = found.get("dependencies").and_then(|item| item.as_array());
            let needs = needs.into_iter().flatten().filter_map(|need| need.as_str());
            asked.extend(needs.map(str::to_owned));
        }
    }
    packages
        .retain(|package| needed.contains(&(field(package, "name"), field(package, "version"))));
    Ok(lock.to_string())
}

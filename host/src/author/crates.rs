//! Makes a crate for a new device.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use toml_edit::DocumentMut;

use super::in_c;
use super::sdk::{self, LOCK, MANIFEST, write};

/// The files of the crate. `{{...}}` stands for what differs.
const TEMPLATE: [(&str, &str); 5] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    ("README.md", include_str!("template/README.md.in")),
    (".gitignore", include_str!("template/gitignore.in")),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("src/tests.rs", include_str!("template/tests.rs.in")),
];

/// The folder in the crate with a copy of the SDK.
const FOLDER: &str = "southbridge";

/// Names that no crate may have, or that stand for another one.
const RESERVED: [&str; 58] = [
    "abstract",
    "alloc",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "build",
    "const",
    "continue",
    "core",
    "crate",
    "deps",
    "do",
    "dyn",
    "else",
    "enum",
    "examples",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "incremental",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "proc-macro",
    "pub",
    "ref",
    "return",
    "self",
    "southbridge-sdk",
    "static",
    "std",
    "struct",
    "super",
    "test",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "unsafe",
    "use",
    "where",
    "while",
];

/// Where a crate finds the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sdk<'a> {
    /// In a copy beside it.
    Copy,
    /// In a checkout of Southbridge.
    At(&'a Path),
}

/// What a device is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language<'a> {
    /// Rust, with the SDK.
    Rust(Sdk<'a>),
    /// C, with generated bindings.
    C,
}

/// Makes a folder for a new device. It is there as a whole or not at all.
///
/// # Errors
/// One line: the name cannot be that of a crate, there is something at its place, the
/// SDK is not where it should be, or a file cannot be written.
pub fn create(path: &Path, language: Language<'_>) -> Result<()> {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    check_name(name)?;
    let place = path.display();
    // Also a link to nowhere is something.
    ensure!(
        fs::symlink_metadata(path).is_err(),
        "{place} is there already: a folder that is not expected"
    );
    let new = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let filled = match language {
        Language::Rust(sdk) => fill(&new, name, sdk),
        Language::C => in_c::fill(&new, name),
    };
    let made = filled
        .and_then(|()| fs::rename(&new, path).with_context(|| format!("cannot make {place}")));
    made.map_err(|error| {
        let _ = fs::remove_dir_all(&new);
        anyhow!("{error:#}")
    })
}

fn check_name(name: &str) -> Result<()> {
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(letters)
        && !name.ends_with('-')
        && !name.contains("--")
        && name.len() <= 64;
    ensure!(
        fits,
        "name {name:?}: lower-case letters, digits and single '-' between them, a letter first, \
         at most 64 expected"
    );
    if RESERVED.contains(&name) {
        bail!("name {name:?}: a crate cannot have this name, choose another one");
    }
    Ok(())
}

fn fill(folder: &Path, name: &str, sdk: Sdk<'_>) -> Result<()> {
    let files = sdk::files()?;
    let manifest = files.get(MANIFEST).map(String::as_str).unwrap_or_default();
    let profile = profile(manifest)?;
    let (sdk, lock) = match sdk {
        Sdk::Copy => {
            // The lock file is the crate's; bindings for C are of no use to it.
            let wanted = |path: &str| path != LOCK && !path.starts_with("c/");
            for (path, text) in files.iter().filter(|(path, _)| wanted(path)) {
                write(&folder.join(FOLDER).join(path), text)?;
            }
            (format!("{FOLDER}/devices/sdk"), files.get(LOCK).cloned())
        }
        Sdk::At(checkout) => {
            let sdk = checkout_sdk(checkout)?;
            (sdk, fs::read_to_string(checkout.join(LOCK)).ok())
        }
    };
    // With the versions that the SDK was tested with; cargo leaves out what is not used.
    if let Some(lock) = lock {
        write(&folder.join(LOCK), &lock)?;
    }
    let values = [
        ("{{name}}", name.to_owned()),
        ("{{module}}", name.replace('-', "_")),
        ("{{Type}}", type_name(name)),
        ("{{sdk}}", sdk),
        ("{{profile}}", profile),
    ];
    for (path, text) in TEMPLATE {
        let filled =
            values.iter().fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
        write(&folder.join(path), &filled)?;
    }
    Ok(())
}

/// The SDK's crate in a checkout, as a path that can stand in a manifest.
fn checkout_sdk(checkout: &Path) -> Result<String> {
    let sdk: PathBuf = checkout.join("devices/sdk");
    let place = checkout.display();
    ensure!(
        sdk.join("Cargo.toml").is_file(),
        "{place}: no devices/sdk/Cargo.toml there: a checkout of Southbridge expected"
    );
    let sdk = fs::canonicalize(&sdk).with_context(|| format!("cannot find {place}"))?;
    let text = sdk.to_str().filter(|text| !text.contains(['"', '\\', '\n']));
    Ok(text.with_context(|| format!("{place}: a plain path in UTF-8 expected"))?.to_owned())
}

/// The profile that devices are built with, as the SDK's workspace has it.
fn profile(manifest: &str) -> Result<String> {
    let manifest: DocumentMut = manifest.parse()?;
    let profile = manifest.get("profile").and_then(|profiles| profiles.get("device"));
    let profile = profile.and_then(|profile| profile.as_table());
    let profile = profile.context("the SDK in this program has no profile for devices")?;
    let lines =
        profile.iter().map(|(key, value)| format!("{key} = {}\n", value.to_string().trim()));
    Ok(format!("[profile.device]\n{}", lines.collect::<String>().trim_end()))
}

/// `my-timer` as a type: `MyTimer`.
fn type_name(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_crates_and_devices() {
        for name in ["a", "my-timer", "i8254x", "a1-2"] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        for name in ["", "A", "1a", "-a", "a-", "a--b", "a_b", "a b", "ä", "..", "test", "fn"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name(&"a".repeat(65)).is_err());
        assert_eq!(type_name("my-timer-2"), "MyTimer2");
    }

    #[test]
    fn the_profile_is_the_sdks() {
        let files = sdk::files().unwrap();
        let profile = profile(&files[MANIFEST]).unwrap();
        assert!(profile.starts_with("[profile.device]\n"), "{profile}");
        assert!(profile.contains("inherits = \"release\"\n"), "{profile}");
    }

    #[test]
    fn what_is_there_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("timer");
        fs::write(&path, "mine").unwrap();
        let error = create(&path, Language::Rust(Sdk::Copy)).unwrap_err().to_string();
        assert!(error.contains("is there already"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        // What cannot be made leaves nothing behind.
        let path = folder.path().join("other");
        let error = create(&path, Language::Rust(Sdk::At(folder.path()))).unwrap_err().to_string();
        assert!(error.contains("a checkout of Southbridge expected"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

//! Devices in C: a folder to begin with, and from sources to a component.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::component;
use super::sdk::{self, write};

/// The files of the folder. `{{name}}` stands for the device's name.
const TEMPLATE: [(&str, &str); 3] = [
    ("device.c", include_str!("template/c/device.c.in")),
    ("README.md", include_str!("template/c/README.md.in")),
    (".gitignore", include_str!("template/c/gitignore.in")),
];

/// What the generated bindings need of a C library.
const LIBRARY: [(&str, &str); 4] = [
    ("contract.c", include_str!("c/contract.c")),
    ("libc.c", include_str!("c/libc.c")),
    ("stdlib.h", include_str!("c/stdlib.h")),
    ("string.h", include_str!("c/string.h")),
];

/// Where the bindings and the contract are in the folder.
const BINDINGS: &str = "southbridge/c";
const CONTRACT: &str = "southbridge/wit";

/// What a device imports and exports.
const WORLD: &str = "device-component";

/// The compiler's target, and no system. Names stay in, for backtraces.
const FLAGS: [&str; 11] = [
    "--target=wasm32-unknown-unknown",
    "-std=c11",
    "-O2",
    "-Wall",
    "-Wextra",
    "-ffreestanding",
    "-fno-builtin",
    "-nostdlib",
    "-nostdlibinc",
    "-Wl,--no-entry",
    "-Wl,-z,stack-size=65536,--stack-first",
];

/// Writes the files of a new device into a folder.
pub(super) fn fill(folder: &Path, name: &str) -> Result<()> {
    for (path, text) in TEMPLATE {
        write(&folder.join(path), &text.replace("{{name}}", name))?;
    }
    for (path, text) in LIBRARY {
        write(&folder.join(BINDINGS).join(path), text)?;
    }
    for (path, text) in sdk::files()? {
        let place = match path.split_once('/') {
            Some(("c", file)) => folder.join(BINDINGS).join(file),
            Some(("wit", file)) => folder.join(CONTRACT).join(file),
            _ => continue,
        };
        write(&place, &text)?;
    }
    Ok(())
}

/// Whether a folder holds a device in C.
pub(super) fn is_there(folder: &Path) -> bool {
    !folder.join("Cargo.toml").exists() && folder.join(BINDINGS).is_dir()
}

/// Compiles the sources of a folder and makes a component of them. Returns its name and
/// its bytes.
pub(super) fn build(folder: &Path) -> Result<(String, Vec<u8>)> {
    let place = folder.display();
    let whole = fs::canonicalize(folder).with_context(|| format!("cannot find {place}"))?;
    let name = whole.file_name().and_then(OsStr::to_str);
    let name = name.with_context(|| format!("{place}: a folder with a plain name expected"))?;
    let bindings = folder.join(BINDINGS);
    let sources = [sources(folder)?, sources(&bindings)?].concat();

    let module = tempfile::Builder::new().suffix(".wasm").tempfile();
    let module = module.context("cannot make a temporary file")?;
    let compiler = env::var_os("CLANG").unwrap_or_else(|| OsString::from("clang"));
    let mut clang = Command::new(&compiler);
    clang.args(FLAGS).arg("-I").arg(&bindings).args(sources).arg("-o").arg(module.path());
    let status = clang.status().with_context(|| {
        let program = compiler.display();
        format!(
            "cannot run {program}: clang and lld are needed (Debian: the packages clang and lld)"
        )
    })?;
    ensure!(status.success(), "cannot build {name}: see the compiler's messages above");
    let module = fs::read(module.path()).context("cannot read what the compiler made")?;
    let bytes = with_contract(module, &folder.join(CONTRACT))
        .and_then(|module| component::encode(&module))
        .with_context(|| format!("cannot make a component of {name}"))?;
    Ok((name.to_owned(), bytes))
}

/// The C files of a folder, in the order of their names.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read {}", folder.display());
    let mut sources = Vec::new();
    for entry in fs::read_dir(folder).with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        if path.extension() == Some(OsStr::new("c")) {
            sources.push(path);
        }
    }
    if sources.is_empty() {
        bail!("{}: no .c file there", folder.display());
    }
    sources.sort();
    Ok(sources)
}

/// Says in the module what it imports and exports.
fn with_contract(mut module: Vec<u8>, contract: &Path) -> Result<Vec<u8>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(contract)?;
    let world = resolve.select_world(&[package], Some(WORLD))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}

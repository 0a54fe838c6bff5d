//! From a device's crate to its component.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, ensure};
use serde::Deserialize;

use super::component::{self, Job};
use super::in_c;

/// What cargo says of a workspace.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    crate_types: Vec<String>,
}

/// Builds the crate or the C sources in a folder and makes a component of them. Returns
/// where it is: `out`,
/// or `NAME.wasm` in the folder.
///
/// # Errors
/// One line; what the compiler has to say, it has said.
pub fn build(folder: &Path, out: Option<&Path>) -> Result<PathBuf> {
    build_in(folder, out).map_err(|error| anyhow!("{error:#}"))
}

fn build_in(folder: &Path, out: Option<&Path>) -> Result<PathBuf> {
    let (name, bytes) = if in_c::is_there(folder) { in_c::build(folder)? } else { rust(folder)? };
    let file = out.map_or_else(|| folder.join(format!("{name}.wasm")), Path::to_owned);
    fs::write(&file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file)
}

/// Builds a crate. Returns its name and the component.
fn rust(folder: &Path) -> Result<(String, Vec<u8>)> {
    let place = folder.display();
    let manifest = folder.join("Cargo.toml");
    ensure!(manifest.is_file(), "{place}: no Cargo.toml there: a device's crate expected");
    let manifest = fs::canonicalize(manifest).with_context(|| format!("cannot find {place}"))?;
    let root = manifest.parent().unwrap_or(folder);
    component::check_target(&program("RUSTC", "rustc"), root)?;

    let cargo = program("CARGO", "cargo");
    let metadata = metadata(&cargo, &manifest)?;
    let package = metadata.packages.iter().find(|package| package.manifest_path == manifest);
    let package = package.with_context(|| format!("{place}: it has no package"))?;
    let is_component = |target: &&Target| target.crate_types.iter().any(|kind| kind == "cdylib");
    let library = package.targets.iter().find(is_component).with_context(|| {
        format!("{place}: under [lib], crate-type = [\"cdylib\", \"rlib\"] expected")
    })?;

    let (name, target) = (package.name.as_str(), &metadata.target_directory);
    let (packages, feature) = ([name], None);
    let job = Job { cargo: &cargo, root, target, packages: &packages, feature, is_inner: false };
    let status = component::compile(&job)?;
    ensure!(status.success(), "cannot build {name}: see cargo's messages above");
    let module = component::artifact(target, &library.name.replace('-', "_"));
    let module = module.with_extension("wasm");
    let module = fs::read(&module).with_context(|| format!("cannot read {}", module.display()))?;
    let bytes =
        component::encode(&module).with_context(|| format!("cannot make a component of {name}"))?;
    Ok((name.to_owned(), bytes))
}

/// A program, as cargo says where it runs this one.
fn program(variable: &str, name: &str) -> OsString {
    env::var_os(variable).unwrap_or_else(|| name.into())
}

fn metadata(cargo: &OsString, manifest: &Path) -> Result<Metadata> {
    let mut cargo = Command::new(cargo);
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]);
    let output = cargo.arg(manifest).output().context("cannot run cargo")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return Err(anyhow!("{}: {said}", manifest.display()));
    }
    serde_json::from_slice(&output.stdout).context("cargo's metadata are not as expected")
}

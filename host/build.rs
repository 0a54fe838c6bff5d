//! Builds the devices: every crate under `devices/` that is a `cdylib` becomes
//! a component in `OUT_DIR`, and `components.rs` there lists them all. Which
//! devices there are is for that directory to say; the host knows none. The SDK goes
//! into `sdk.json.gz`, for those who write devices elsewhere.
//!
//! A device may have variants: `[package.metadata.component] variants = ["x"]`
//! asks for a second component, `<name>+x`, built with the cargo feature `x`.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use toml_edit::DocumentMut;

use component::Job;

#[path = "build/component.rs"]
mod component;
#[path = "build/sdk.rs"]
mod sdk;

fn main() {
    match build() {
        Ok(()) => {}
        Err(Failure::Plain(line)) => println!("cargo::error={line}"),
        Err(Failure::Compiler(line)) => {
            // Cargo shows what a build script wrote, here the compiler's
            // messages, only if the script itself fails.
            eprintln!("error: {line}");
            std::process::exit(1);
        }
    }
}

/// Why there are no components.
enum Failure {
    /// All there is to say is this line.
    Plain(String),
    /// The compiler has said why; this line comes after it.
    Compiler(String),
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Plain(format!("{error:#}"))
    }
}

fn build() -> Result<(), Failure> {
    let out = PathBuf::from(variable("OUT_DIR")?);
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let root = root.parent().context("the host is not in a workspace")?;
    component::check_target(variable("RUSTC")?.as_ref(), root)?;

    let devices = Device::all(root)?;
    let target = target_directory(&out, root)?;
    fs::create_dir_all(&target).with_context(|| format!("cannot create {}", target.display()))?;
    // Tests build devices there: much of them is compiled already.
    println!("cargo::rustc-env=COMPONENTS_TARGET={}", target.display());
    // Builds of the host in different profiles share the directory, and cargo's
    // own lock on it ends before the modules are read.
    let lock = File::create(target.join("lock")).context("cannot create a lock file")?;
    lock.lock().context("cannot lock the components' target directory")?;

    let mut inputs = BTreeSet::from([root.join("Cargo.toml"), root.join("Cargo.lock")]);
    let mut components = BTreeMap::new();
    for (variant, members) in by_variant(&devices) {
        // Cargo gives a cdylib the same file name whatever its features are:
        // variants must not meet in one directory.
        let target = target.join(variant.unwrap_or("plain"));
        compile(root, &target, variant, &members)?;
        for device in members {
            let (module, sources) = device.artifacts(&target)?;
            let name = match variant {
                None => device.name.clone(),
                Some(variant) => format!("{}+{variant}", device.name),
            };
            let file = format!("{name}.wasm");
            fs::write(out.join(&file), encode(device, &module)?)
                .with_context(|| format!("cannot write {file}"))?;
            components.insert(name, file);
            inputs.extend(sources);
        }
    }
    fs::write(out.join("components.rs"), list(&components, &out)?)
        .context("cannot write components.rs")?;
    inputs.extend(sdk::pack(root, &out.join("sdk.json.gz"))?);

    for manifest in inputs.iter().filter_map(|source| manifest_of(source)).collect::<Vec<_>>() {
        inputs.insert(manifest);
    }
    for input in inputs {
        println!("cargo::rerun-if-changed={}", input.display());
    }
    Ok(())
}

/// A crate under `devices/`.
struct Device {
    name: String,
    directory: PathBuf,
    /// The file name of what it compiles to, without extension.
    stem: String,
    variants: Vec<String>,
}

impl Device {
    fn all(root: &Path) -> Result<Vec<Self>> {
        let directory = root.join("devices");
        let cannot_read = || format!("cannot read {}", directory.display());
        let mut devices = Vec::new();
        for entry in fs::read_dir(&directory).with_context(cannot_read)? {
            let directory = entry.with_context(cannot_read)?.path();
            let manifest = directory.join("Cargo.toml");
            if manifest.is_file() {
                devices.extend(
                    Self::read(directory, &manifest)
                        .with_context(|| format!("cannot use {}", manifest.display()))?,
                );
            }
        }
        devices.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(devices)
    }

    /// The device, or none if the crate is a library for others.
    fn read(directory: PathBuf, manifest: &Path) -> Result<Option<Self>> {
        let manifest: DocumentMut = fs::read_to_string(manifest)?.parse()?;
        let strings = |path: &[&str]| -> Vec<String> {
            let item = path.iter().try_fold(manifest.as_item(), |item, key| item.get(key));
            let array = item.and_then(|item| item.as_array());
            let values = array.into_iter().flatten().filter_map(|value| value.as_str());
            values.map(str::to_owned).collect()
        };
        if !strings(&["lib", "crate-type"]).iter().any(|kind| kind == "cdylib") {
            return Ok(None);
        }
        let name = manifest.get("package").and_then(|package| package.get("name"));
        let name = name.and_then(|name| name.as_str()).context("the package has no name")?;
        let stem = manifest["lib"].get("name").and_then(|name| name.as_str()).unwrap_or(name);
        Ok(Some(Self {
            name: name.to_owned(),
            directory,
            stem: stem.replace('-', "_"),
            variants: strings(&["package", "metadata", "component", "variants"]),
        }))
    }

    /// The core module, and the sources cargo says it was made from.
    fn artifacts(&self, target: &Path) -> Result<(Vec<u8>, Vec<PathBuf>)> {
        let path = component::artifact(target, &self.stem);
        let read = |extension| {
            let path = path.with_extension(extension);
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let sources = String::from_utf8(read("d")?).context("a source's path is not UTF-8")?;
        let (_, sources) = sources.split_once(": ").context("unexpected form of a .d file")?;
        // Words are separated by spaces; a space inside one is escaped.
        let sources = sources.trim_end().replace("\\ ", "\0");
        let sources = sources.split(' ').map(|path| path.replace('\0', " ").into()).collect();
        Ok((read("wasm")?, sources))
    }
}

/// What has to be built together: the devices as they are, then each variant.
fn by_variant(devices: &[Device]) -> BTreeMap<Option<&str>, Vec<&Device>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for device in devices {
        let variants = device.variants.iter().map(|variant| Some(variant.as_str()));
        for variant in variants.chain([None]) {
            groups.entry(variant).or_default().push(device);
        }
    }
    groups
}

fn compile(
    root: &Path,
    target: &Path,
    variant: Option<&str>,
    devices: &[&Device],
) -> Result<(), Failure> {
    let cargo = variable("CARGO")?;
    let packages: Vec<_> = devices.iter().map(|device| device.name.as_str()).collect();
    let job = Job {
        cargo: cargo.as_ref(),
        root,
        target,
        packages: &packages,
        feature: variant,
        is_inner: true,
    };
    if component::compile(&job)?.success() {
        return Ok(());
    }
    let variant = variant.map(|variant| format!(" as {variant:?}")).unwrap_or_default();
    Err(Failure::Compiler(format!("cannot build the devices{variant}: see the messages above")))
}

fn encode(device: &Device, module: &[u8]) -> Result<Vec<u8>> {
    component::encode(module).with_context(|| {
        format!("cannot make a component of {} ({})", device.name, device.directory.display())
    })
}

/// The source of `components.rs`.
/// With their hashes: a program that finds their code in its cache need not read them.
fn list(components: &BTreeMap<String, String>, out: &Path) -> Result<String> {
    let mut text = String::from("static COMPONENTS: &[(&str, &[u8], &str)] = &[\n");
    for (name, file) in components {
        let bytes = fs::read(out.join(file)).with_context(|| format!("cannot read {file}"))?;
        let hash = hex(&Sha256::digest(bytes));
        let _ = writeln!(text, "    ({name:?}, include_bytes!({file:?}), {hash:?}),");
    }
    Ok(text + "];\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The manifest of the crate a source belongs to.
fn manifest_of(source: &Path) -> Option<PathBuf> {
    source.ancestors().skip(1).map(|dir| dir.join("Cargo.toml")).find(|path| path.is_file())
}

/// Beside the directories of the outer build, so that `cargo clean` reaches it,
/// and not one of them: cargo holds a lock on each while it runs this script. Each
/// checkout has its own: they may share a target directory, and their devices have the
/// same names.
fn target_directory(out: &Path, root: &Path) -> Result<PathBuf> {
    let profile = out.ancestors().find(|dir| dir.ends_with("build")).and_then(Path::parent);
    let target = profile.and_then(Path::parent).context("OUT_DIR is not where cargo puts it")?;
    // With `--target` there is one more level.
    let target = if target.ends_with(variable("TARGET")?) { target.parent() } else { Some(target) };
    let target = target.context("OUT_DIR is not where cargo puts it")?.join("components");
    let checkout = Sha256::digest(root.as_os_str().as_encoded_bytes());
    Ok(target.join(hex(&checkout[..8])))
}

fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name} is not set: this script is run by cargo"))
}

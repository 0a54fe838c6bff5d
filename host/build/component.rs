//! From a device's crate to a component. The build script and the tests that
//! build devices of their own share this.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, ensure};
use wit_component::{ComponentEncoder, metadata};

/// What a device is compiled for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const PROFILE: &str = "device";

/// A build of devices.
pub(crate) struct Job<'a> {
    /// The program.
    pub(crate) cargo: &'a OsStr,
    /// Where it runs: in the devices' workspace.
    pub(crate) root: &'a Path,
    /// Where it builds.
    pub(crate) target: &'a Path,
    /// The devices.
    pub(crate) packages: &'a [&'a str],
    /// A feature they are to have.
    pub(crate) feature: Option<&'a str>,
    /// Whether cargo itself asked for it. The lock file is that of the outer build then,
    /// which has just brought it up to date: with `--locked`, the network is used only to
    /// fetch a dependency that was never downloaded.
    pub(crate) is_inner: bool,
}

/// Runs cargo.
pub(crate) fn compile(job: &Job<'_>) -> Result<ExitStatus> {
    let Job { cargo, root, target, packages, feature, is_inner } = *job;
    let mut cargo = Command::new(cargo);
    cargo.current_dir(root).args(["build", "--lib"]);
    if is_inner {
        cargo.args(["--quiet", "--locked"]);
    }
    cargo.args(["--target", TARGET, "--profile", PROFILE, "--target-dir"]).arg(target);
    for package in packages {
        cargo.args(["--package", package]);
        if let Some(feature) = feature {
            cargo.args(["--features", &format!("{package}/{feature}")]);
        }
    }
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_of_outer_build) {
            cargo.env_remove(name);
        }
    }
    // Set and empty, it overrides RUSTFLAGS and the user's configuration too:
    // such flags are meant for the machine that runs the host.
    cargo.env("CARGO_ENCODED_RUSTFLAGS", "");
    cargo.status().context("cannot run cargo")
}

/// Where `compile` puts what a library compiles to, without extension.
pub(crate) fn artifact(target: &Path, stem: &str) -> PathBuf {
    target.join(TARGET).join(PROFILE).join(stem)
}

/// Checks that the compiler has what a device is compiled for.
pub(crate) fn check_target(rustc: &OsStr, root: &Path) -> Result<()> {
    let mut rustc = Command::new(rustc);
    rustc.current_dir(root).args(["--print", "target-libdir", "--target", TARGET]);
    let output = rustc.output().context("cannot run rustc")?;
    let directory = String::from_utf8_lossy(&output.stdout);
    let is_core = |name: &OsStr| name.to_string_lossy().starts_with("libcore-");
    let has_core = fs::read_dir(directory.trim_end())
        .is_ok_and(|mut files| files.any(|file| file.is_ok_and(|f| is_core(&f.file_name()))));
    ensure!(has_core, "the WebAssembly target is not installed: run `rustup target add {TARGET}`");
    Ok(())
}

/// Makes a component of a core module.
pub(crate) fn encode(module: &[u8]) -> Result<Vec<u8>> {
    let (_, bindings) = metadata::decode(module)?;
    ensure!(
        !bindings.resolve.worlds[bindings.world].exports.is_empty(),
        "it exports no device: its lib.rs must call southbridge_sdk::export!"
    );
    ComponentEncoder::default().module(module)?.validate(true).encode()
}

/// Whether an environment variable says how the outer build is done, rather
/// than where cargo finds crates or how many jobs it may run.
fn is_of_outer_build(name: &str) -> bool {
    const KEPT: [&str; 8] = [
        "CARGO_HOME",
        "CARGO_HTTP_",
        "CARGO_MAKEFLAGS",
        "CARGO_NET_",
        "CARGO_REGISTRIES_",
        "CARGO_REGISTRY_",
        "CARGO_SOURCE_",
        "CARGO_TERM_",
    ];
    const WRAPPERS: [&str; 2] = ["RUSTC_WRAPPER", "RUSTC_WORKSPACE_WRAPPER"];
    WRAPPERS.contains(&name)
        || name.starts_with("CARGO_") && !KEPT.iter().any(|kept| name.starts_with(kept))
}

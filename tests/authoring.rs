//! From nothing to a checked device, as somebody does it who has the program and cargo,
//! and no network.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};

/// Where this project's components are built: with what they have in common with a new
/// device, which is compiled there already.
const COMPONENTS: &str = env!("COMPONENTS_TARGET");

/// A program in a folder, without the network.
fn offline(program: &str, folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.current_dir(folder).args(arguments);
    command
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", Path::new(COMPONENTS).join("plain"));
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("RUST_LOG");
    command.output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

fn southbridge(folder: &Path, arguments: &[&str]) -> Output {
    offline(env!("CARGO_BIN_EXE_southbridge"), folder, arguments)
}

/// What a program says that ends with a status.
fn said(output: &Output, status: i32) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(status), "{stdout}{stderr}");
    stdout
}

/// What a program says that fails in one line.
fn refused(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &output.stdout[..]), (Some(1), &b""[..]), "{stderr}");
    let line = stderr.strip_prefix("southbridge: error: ").unwrap_or_else(|| panic!("{stderr}"));
    assert_eq!(line.lines().count(), 1, "{stderr}");
    line.trim_end().into()
}

#[test]
fn a_new_device_is_tested_built_checked_and_fuzzed() {
    // The same folder each time, so that cargo finds again what it has compiled.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("authoring");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("the target directory can be written");
    let crate_folder = folder.join("egg-timer");
    let lock = File::create(Path::new(COMPONENTS).join("lock")).expect("the components are there");
    lock.lock().expect("the file system has locks");

    let text = said(&southbridge(&folder, &["device", "new", "egg-timer"]), 0);
    assert!(text.contains("egg-timer is made"), "{text}");
    let error = refused(&southbridge(&folder, &["device", "new", "egg-timer"]));
    assert!(error.starts_with("egg-timer is there already"), "{error}");

    let cargo = env!("CARGO");
    let text = said(&offline(cargo, &crate_folder, &["test", "--quiet"]), 0);
    assert!(text.contains("4 passed"), "{text}");
    let warnings = offline(cargo, &crate_folder, &["check", "--quiet"]);
    assert_eq!(String::from_utf8_lossy(&warnings.stderr), "");

    let text = said(&southbridge(&crate_folder, &["device", "build"]), 0);
    assert!(text.starts_with("./egg-timer.wasm: egg-timer 0.1.0, "), "{text}");
    let component = fs::read(crate_folder.join("egg-timer.wasm")).expect("it was built");
    assert!(text.contains(&format!(" {} bytes, sha256 ", component.len())), "{text}");

    // One file is the device: what follows needs nothing of its crate.
    let elsewhere = tempfile::tempdir().expect("there is room for a folder");
    fs::write(elsewhere.path().join("e.wasm"), component).expect("it can be written");
    let here = elsewhere.path();
    let text = said(&southbridge(here, &["device", "check", "e.wasm"]), 0);
    assert!(text.contains("\nreplay       holds\n"), "{text}");
    assert!(!text.contains("advice"), "{text}");
    let text = said(&southbridge(here, &["device", "fuzz", "e.wasm", "--time", "2s"]), 0);
    assert!(text.contains(" a second, seed 1: 0 kinds of failure\n"), "{text}");
    let text = said(&southbridge(here, &["device", "bench", "e.wasm", "--count", "20"]), 0);
    assert!(text.contains("\nexchange "), "{text}");

    // A field that is not saved any more.
    let source = crate_folder.join("src/lib.rs");
    let text = fs::read_to_string(&source).expect("it is part of the crate");
    let line = "            f.u32(\"count\", count);\n";
    assert!(text.contains(line), "the crate saves its count");
    fs::write(&source, text.replace(line, "            let _ = &count;\n")).expect("it is ours");
    let out = here.join("bad.wasm");
    let out = out.to_str().expect("the folder's name is plain");
    said(&southbridge(&crate_folder, &["device", "build", "--out", out]), 0);
    drop(lock);
    let text = said(&southbridge(here, &["device", "check", "bad.wasm", "--out", "found"]), 1);
    assert!(text.contains("\nreplay       BROKEN: "), "{text}");
    assert!(text.contains("saved as found/egg-timer-replay.record\n"), "{text}");
    let record = "found/egg-timer-replay.record";
    let text = said(&southbridge(here, &["device", "replay", "bad.wasm", record]), 1);
    assert!(text.contains("# law replay: broken: "), "{text}");
    let text = said(&southbridge(here, &["device", "replay", "e.wasm", record]), 0);
    assert!(text.ends_with("# law replay: holds\n"), "{text}");
    let against = ["device", "replay", "e.wasm", record, "--against", "bad.wasm"];
    let text = said(&southbridge(here, &against), 1);
    assert!(text.starts_with("they differ at line "), "{text}");
    assert!(text.contains("\n> exchange\n"), "{text}");
}

#[test]
fn a_name_that_no_device_can_have_is_refused() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    for name in ["Egg", "1egg", "egg_timer", "test", "egg/"] {
        let output = southbridge(folder.path(), &["device", "new", name]);
        if name == "egg/" {
            // A slash at the end is what a shell completes.
            said(&output, 0);
            continue;
        }
        let error = refused(&output);
        assert!(error.starts_with(&format!("name {name:?}: ")), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("it can be read").count(), 1);
}

#[test]
fn what_cannot_be_built_is_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let error = refused(&southbridge(folder.path(), &["device", "build", "nothing"]));
    assert_eq!(error, "nothing: no Cargo.toml there: a device's crate expected");

    let plain = folder.path().join("plain");
    fs::create_dir_all(plain.join("src")).expect("it can be written");
    let manifest = "[package]\nname = \"plain\"\nedition = \"2024\"\n[workspace]\n";
    fs::write(plain.join("Cargo.toml"), manifest).expect("it can be written");
    fs::write(plain.join("src/lib.rs"), "").expect("it can be written");
    let error = refused(&southbridge(folder.path(), &["device", "build", "plain"]));
    assert_eq!(error, "plain: under [lib], crate-type = [\"cdylib\", \"rlib\"] expected");

    // A compiler without the target.
    let rustc = folder.path().join("rustc");
    fs::write(&rustc, "#!/bin/sh\necho /nowhere\n").expect("it can be written");
    fs::set_permissions(&rustc, fs::Permissions::from_mode(0o700)).expect("it is ours");
    let mut command = Command::new(env!("CARGO_BIN_EXE_southbridge"));
    command.current_dir(folder.path()).args(["device", "build", "plain"]).env("RUSTC", &rustc);
    let error = refused(&command.output().expect("the program is there"));
    let expected = "the WebAssembly target is not installed: run `rustup target add \
                    wasm32-unknown-unknown`";
    assert_eq!(error, expected);
}

//! The page for authors of devices, as a reader follows it: all of its commands, in their
//! order, in one shell.

use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../docs/device-authors.md");

/// The commands of a page.
fn commands(page: &str) -> String {
    let blocks = page.split("\n```sh\n").skip(1);
    blocks.filter_map(|block| Some(block.split_once("\n```")?.0.to_owned() + "\n")).collect()
}

#[test]
fn all_commands_of_the_page_for_authors_work() {
    if std::env::var_os("SOUTHBRIDGE_NO_KVM").is_some_and(|value| value == "1") {
        eprintln!("not tested: SOUTHBRIDGE_NO_KVM=1");
        return;
    }
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let program = Path::new(env!("CARGO_BIN_EXE_southbridge"));
    let programs = program.parent().expect("it is in a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut shell = Command::new("bash");
    shell.args(["-e", "-u", "-o", "pipefail", "-c", &commands(PAGE)]);
    shell.current_dir(folder.path()).env("PATH", format!("{programs}:{path}"));
    // Its crates are there, and compiled, as they are for this project's devices.
    let compiled = Path::new(env!("COMPONENTS_TARGET")).join("plain");
    shell.env("CARGO_NET_OFFLINE", "true").env("CARGO_TARGET_DIR", compiled);
    shell.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR")).env_remove("RUST_LOG");
    let output = shell.output().expect("there is a shell");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (said, complaints) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{said}\n{complaints}");
    for expected in [
        "egg-timer is made",
        "4 passed",
        "\nreplay       holds\n",
        ": 0 kinds of failure\n",
        "egg-timer: egg-timer 0.2.0 as a shadow: agreed in 1000 of 1000 accesses",
        "egg-timer: egg-timer 0.3.0 as a shadow: differed",
        "    the shadow io-read failed: wasm `unreachable` instruction executed",
        "rolled back to egg-timer 0.2.0",
    ] {
        assert!(said.contains(expected), "{expected:?}: {said}\n{complaints}");
    }
    let faults = said.matches("rolled back to").count();
    assert_eq!(faults, 1, "the fault is told once: {said}");
}

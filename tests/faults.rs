//! Devices that fail: the machine runs on, and says what happened.

mod common {
    pub(crate) mod rig;
    pub(crate) mod zoo;
}

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use southbridge::clock::Clock;
use southbridge::component::{CodeCache, Effects, Engine};

use common::rig::{
    Arrival, COUNT, LEVEL, Rig, SECOND_COUNT, SECOND_EDGES, SECOND_LEVEL, STREAM, TIMER,
    counters_text, image,
};
use common::zoo;

/// Kinds that fail at a read, what is said of it, and a function that was
/// active then.
const FAILING: [(&str, &str, &str); 5] = [
    ("traps-in-read", "wasm `unreachable` instruction executed", "io-read"),
    ("loops", "the call outlived its deadline", "io-read"),
    ("grows", "forcing trap when growing memory", "io-read"),
    ("recurses", "call stack exhausted", "recurse"),
    ("floods", "more effects than a call may", "io-read"),
];

#[test]
fn a_failing_device_is_taken_out_of_service_and_nobody_else_is() {
    for (kind, reason, function) in FAILING {
        let rig = Rig::counters_of("first", kind);
        rig.write(COUNT, 4, 7);
        rig.write(SECOND_LEVEL, 4, 1);
        rig.write(0x708, 4, 5000);
        rig.write(TIMER, 4, 9000);
        assert_eq!(rig.board.take(), [Arrival::Gsi(5, true)]);
        assert_eq!(rig.machine.next_deadline(), Some(5000));
        let mappings = rig.machine.ports().mappings().len();

        assert_eq!(rig.read(SECOND_COUNT, 4), 0xffff_ffff, "{kind}");

        assert_eq!(rig.board.take(), [Arrival::Gsi(5, false)], "{kind}");
        assert_eq!(rig.machine.next_deadline(), Some(9000), "{kind}");
        // Its place stays taken: a guest that probes finds no other device.
        assert_eq!(rig.machine.ports().mappings().len(), mappings);
        for size in [1, 2, 4] {
            let ones = u64::from(u32::MAX) >> (32 - 8 * u32::from(size));
            rig.write(SECOND_COUNT, size, 0);
            // The region takes words only; narrower reads are zeros, as ever.
            let expected = if size == 4 { ones } else { 0 };
            assert_eq!(rig.read(SECOND_COUNT, size), expected, "{kind}");
        }
        rig.write(SECOND_LEVEL, 4, 1);
        // The neighbour's output leads to its input.
        rig.write(LEVEL, 4, 1);
        rig.machine.advance(6000, &mut Effects::new());
        rig.machine.reset();
        assert_eq!(rig.board.take(), [], "{kind}");

        let status = rig.status("second");
        let fault = status.fault.expect(kind);
        assert_eq!(fault.export, "io-read", "{kind}");
        assert!(fault.reason.contains(reason), "{kind}: {}", fault.reason);
        assert!(fault.backtrace.contains(function), "{kind}: {}", fault.backtrace);
        assert_eq!(status.counts.faults, 1, "{kind}");
        assert_eq!(rig.said.bytes(), b"", "the effects of the call are dropped");

        assert!(rig.status("first").fault.is_none());
        rig.write(COUNT, 4, 9);
        assert_eq!(rig.read(COUNT, 4), 9, "{kind}");
    }
}

#[test]
fn effects_of_the_call_that_failed_are_dropped() {
    let rig = Rig::counters_of("traps-in-read", "first");
    let told = rig.read(SECOND_EDGES, 4);
    rig.read(COUNT, 4);
    assert!(rig.status("first").fault.is_some());
    // It had set its line and sent a byte before it trapped.
    assert_eq!(rig.read(SECOND_EDGES, 4), told);
    assert_eq!(rig.said.bytes(), b"");
}

#[test]
fn a_swap_plugs_a_working_device_in_again() {
    for (kind, ..) in FAILING {
        let rig = Rig::counters();
        rig.write(SECOND_COUNT, 4, 7);
        rig.write(SECOND_LEVEL, 4, 1);
        // The bad version takes the state and passes every check.
        rig.machine.swap("second", &image(kind)).unwrap();
        rig.read(SECOND_COUNT, 4);
        assert!(rig.status("second").fault.is_some(), "{kind}");
        assert_eq!(rig.board.take(), [Arrival::Gsi(5, true), Arrival::Gsi(5, false)]);

        let swapped = rig.machine.roll_back("second").unwrap();
        assert!(!swapped.state_moved);
        let status = rig.status("second");
        assert!(status.fault.is_none());
        assert_eq!((status.counts.faults, status.counts.swaps), (1, 2));
        assert_eq!(rig.read(SECOND_COUNT, 4), 0, "as after a reset");
        rig.write(SECOND_COUNT, 4, 2);
        assert_eq!(rig.read(SECOND_COUNT, 4), 2);
        rig.write(SECOND_LEVEL, 4, 1);
        assert_eq!(rig.board.take(), [Arrival::Gsi(5, true)]);
        rig.write(LEVEL, 4, 1);
        assert_eq!(rig.read(SECOND_EDGES, 4), 1);
        rig.write(0x708, 4, 10);
        rig.machine.advance(10, &mut Effects::new());
        assert_eq!(rig.read(0x708, 4), 1);
    }
}

#[test]
fn a_device_that_comes_back_hears_the_level_of_its_inputs() {
    let rig = Rig::counters_of("first", "traps-in-read");
    rig.write(LEVEL, 4, 1);
    rig.read(SECOND_COUNT, 4);
    rig.machine.swap("second", &image("first")).unwrap();
    assert_eq!(rig.read(SECOND_EDGES, 4), 1, "a line that is high, after a reset");
    rig.write(LEVEL, 4, 0);
    assert_eq!(rig.read(SECOND_EDGES, 4), 2);
}

#[test]
fn effects_on_what_was_not_declared_are_dropped_and_counted() {
    let rig = Rig::counters_of("undeclared", "first");
    let told = rig.read(SECOND_EDGES, 4);
    let mappings = rig.machine.ports().mappings().len();
    rig.write(COUNT, 4, 7);
    assert_eq!(rig.read(COUNT, 4), 7);
    // Two lines, two of a region, two of a timer, two of a stream.
    assert_eq!(rig.status("first").counts.violations, 8);
    assert_eq!(rig.read(COUNT, 4), 7);
    assert_eq!(rig.status("first").counts.violations, 16);
    assert!(rig.status("first").fault.is_none());
    assert_eq!(rig.machine.ports().mappings().len(), mappings);
    assert_eq!(rig.machine.next_deadline(), None);
    assert_eq!(rig.said.bytes(), b"");
    assert_eq!(rig.status("second").counts.violations, 0);
    assert_eq!(rig.read(SECOND_EDGES, 4), told);
}

#[test]
fn what_is_not_granted_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let text = counters_text(directory.path(), "first", "first");
    std::fs::write(directory.path().join("first.wasm"), zoo::with_power()).unwrap();
    let refused = |text: &str| {
        let rig = Rig::try_new("counters", text, Clock::manual());
        rig.err().expect("it is not granted").to_string()
    };
    let error = refused(&text);
    assert!(error.contains("device first: "), "{error}");
    assert!(error.contains("imports power, which is not granted here"), "{error}");

    let granted = text.replacen("[\"streams\"]", "[\"streams\", \"power\"]", 1);
    Rig::try_new("counters", &granted, Clock::manual()).unwrap();

    let error = refused(&granted.replacen("\"streams\", \"power\"", "\"power\"", 1));
    assert!(error.contains("imports streams, which is not granted here"), "{error}");
}

#[test]
fn a_pinned_component_is_that_file() {
    let directory = tempfile::tempdir().unwrap();
    let text = counters_text(directory.path(), "first", "second");
    let pinned = |hash: &str| {
        let text = text.replacen("grants", &format!("sha256 = \"{hash}\"\ngrants"), 1);
        Rig::try_new("counters", &text, Clock::manual()).map(drop).map_err(|e| e.to_string())
    };
    let (first, second) = (image("first"), image("second"));
    assert_eq!(pinned(first.hash()), Ok(()));
    let error = pinned(second.hash()).unwrap_err();
    assert!(error.starts_with("test.toml:"), "{error}");
    let (found, expected) = (first.hash(), second.hash());
    let end =
        format!("has the SHA-256 {found}, {expected} expected: it is not the file that was pinned");
    assert!(error.contains(": device first: component ") && error.ends_with(&end), "{error}");
}

#[test]
fn devices_that_overlap_are_refused_with_both_names() {
    let directory = tempfile::tempdir().unwrap();
    let text = counters_text(directory.path(), "first", "first").replace("0x700", "0x614");
    let error = Rig::try_new("counters", &text, Clock::manual()).err().expect("they overlap");
    assert_eq!(
        error.to_string(),
        "devices first and second overlap: region registers and region registers both answer at \
         0x614; move one of them"
    );
    let text = text.replace("0x614", "0x618");
    Rig::try_new("counters", &text, Clock::manual()).unwrap();
}

#[test]
fn a_stream_goes_where_the_machine_file_says() {
    let rig = Rig::counters();
    for byte in *b"ok" {
        rig.write(STREAM, 4, byte.into());
    }
    // The stream of the other is connected to nothing.
    rig.write(0x70c, 4, b'!'.into());
    assert_eq!(rig.said.bytes(), b"ok");
}

fn cached(directory: &Path) -> Engine {
    Engine::new(Some(CodeCache::open(directory).unwrap())).unwrap()
}

fn only_file(directory: &Path) -> std::path::PathBuf {
    let mut files = directory.read_dir().unwrap().map(|file| file.unwrap().path());
    let file = files.next().expect("the code has been kept");
    assert_eq!(files.next(), None);
    file
}

#[test]
fn compiled_code_comes_from_the_cache_the_second_time() {
    let directory = tempfile::tempdir().unwrap();
    let [cache, other] = ["code", "other"].map(|name| directory.path().join(name));
    let bytes = zoo::component("first");
    let image = cached(&cache).load(&bytes).unwrap();
    assert_eq!(image.title(), "counter 1.0.0");
    let file = only_file(&cache);
    assert!(file.ends_with(format!("{}.cwasm", image.hash())));

    // The code of version 2 in its place shows which code is run.
    cached(&other).load(&zoo::component("second")).unwrap();
    std::fs::copy(only_file(&other), &file).unwrap();
    assert_eq!(cached(&cache).load(&bytes).unwrap().title(), "counter 2.0.0");
}

#[test]
fn a_damaged_cache_is_no_obstacle() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("code");
    let bytes = zoo::component("first");
    cached(&cache).load(&bytes).unwrap();
    let file = only_file(&cache);
    let good = std::fs::read(&file).unwrap();
    let mut other = good.clone();
    other[..4].fill(0);
    for bad in [Vec::new(), b"garbage".to_vec(), good[..100].to_vec(), other] {
        std::fs::write(&file, &bad).unwrap();
        let image = cached(&cache).load(&bytes).unwrap();
        assert_eq!(image.title(), "counter 1.0.0");
        // Compiled anew, and kept.
        assert_eq!(std::fs::read(&file).unwrap().len(), good.len());
    }
}

#[test]
fn a_cache_that_others_could_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let refused = |path: &Path| CodeCache::open(path).expect_err("it is not private");
    let cache = directory.path().join("code");
    CodeCache::open(&cache).unwrap();
    assert_eq!(cache.metadata().unwrap().permissions().mode() & 0o7777, 0o700);
    std::fs::set_permissions(&cache, PermissionsExt::from_mode(0o770)).unwrap();
    let error = refused(&cache);
    assert!(error.contains("mode is 770, 700 expected: run chmod 700 on it"), "{error}");

    // A link could be turned elsewhere by whoever owns its directory.
    std::fs::set_permissions(&cache, PermissionsExt::from_mode(0o700)).unwrap();
    let link = directory.path().join("link");
    std::os::unix::fs::symlink(&cache, &link).unwrap();
    assert!(refused(&link).contains("not a directory"));

    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refused(&file).contains("cannot create"));
}

#[test]
fn a_cache_of_another_user_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("code");
    CodeCache::open(&cache).unwrap();
    // Only root can give a directory away; `/` belongs to root for all others.
    let error = match std::os::unix::fs::chown(&cache, Some(65534), None) {
        Ok(()) => CodeCache::open(&cache),
        Err(_) => CodeCache::open(Path::new("/")),
    };
    let error = error.expect_err("it belongs to somebody else");
    assert!(error.contains("belongs to user"), "{error}");
}

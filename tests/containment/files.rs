//! Files that are no devices, or that no compiler gets to the end of.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use southbridge::component::{CodeCache, Compiler, CompilerLimits, Engine};
use southbridge::library::Library;

use super::ground::{Ground, HOSTILE, good};
use super::kind::check_refused;

/// The program with these limits.
fn compiler(limits: CompilerLimits) -> Compiler {
    Compiler::Child { program: env!("CARGO_BIN_EXE_southbridge").into(), limits }
}

fn engine(limits: CompilerLimits, cache: Option<&Path>) -> Engine {
    let cache = cache.map(|directory| CodeCache::open(directory).unwrap());
    Engine::with_compiler(cache, compiler(limits)).unwrap()
}

/// A device with one function of so many rounds of arithmetic and branches.
fn enormous(rounds: usize) -> Vec<u8> {
    let mut body = String::new();
    for round in 0..rounds {
        let (a, b) = (round % 50, round * 7 % 50);
        write!(
            body,
            "(if (i64.lt_u (local.get {a}) (local.get {b})) (then (local.set {a} (i64.add \
             (i64.mul (local.get {b}) (local.get {a})) (i64.const {round})))))"
        )
        .expect("a string takes it");
    }
    let locals = "i64 ".repeat(50);
    good().and(&format!("(func $enormous (local {locals}) {body})")).component()
}

/// Puts a custom section of so many bytes at the end of a component.
fn padded(mut component: Vec<u8>, bytes: u32) -> Vec<u8> {
    component.push(0);
    let length = bytes + 2;
    component
        .extend((0..5).map(|n| (length >> (7 * n)) as u8 & 0x7f | if n < 4 { 0x80 } else { 0 }));
    component.extend([1, b'x']);
    component.resize(component.len() + bytes as usize, 0);
    component
}

#[test]
fn a_child_compiles_as_this_process_does() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("code");
    let component = good().component();
    let image = engine(CompilerLimits::default(), Some(&cache)).load(&component).unwrap();
    assert_eq!(image.title(), "hostile 1.0.0");
    let ground = Ground::new(&component);
    ground.machine.swap("hostile", &image).unwrap();
    ground.check_service("swapped in");
    let library = Library::new(engine(CompilerLimits::default(), Some(&cache)));
    let ground = Ground::of_library(&component, &library).unwrap();
    ground.check_service("compiled by a child");

    // The code is in the cache: whoever has no compiler needs none.
    let nobody = Compiler::Child { program: "/nowhere".into(), limits: CompilerLimits::default() };
    let without = |cache| Engine::with_compiler(cache, nobody.clone()).unwrap().load(&component);
    assert!(without(Some(CodeCache::open(&cache).unwrap())).is_ok());
    let error = without(None).unwrap_err().to_string();
    assert!(error.starts_with("cannot be compiled: cannot run /nowhere: "), "{error}");
}

#[test]
fn what_takes_too_long_to_compile_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("enormous.wasm");
    std::fs::write(&file, enormous(150_000)).unwrap();
    let ground = Ground::new(&good().component());
    let usual = CompilerLimits::default();
    for (limits, reason) in [
        (
            CompilerLimits { processor_seconds: 1, ..usual },
            "cannot be compiled: it takes more than 1 s of a processor",
        ),
        (
            CompilerLimits { patience: Duration::from_millis(50), ..usual },
            "cannot be compiled: it takes more than 50ms",
        ),
        (
            CompilerLimits { memory_mib: 100, ..usual },
            "cannot be compiled: it takes more than 100 MiB of memory",
        ),
    ] {
        let library = Library::new(engine(limits, None));
        ground.beside_neighbour(reason, || {
            let error = library.read(&file).unwrap_err().to_string();
            assert_eq!(error, format!("{}: {reason}", file.display()));
        });
        ground.check_service(reason);
    }
}

#[test]
fn a_component_that_is_none_is_refused_in_the_compilers_words() {
    let mut component = good().component();
    component.truncate(component.len() - 10);
    let theirs = engine(CompilerLimits::default(), None).load(&component).unwrap_err().to_string();
    let ours = Engine::new(None).unwrap().load(&component).unwrap_err().to_string();
    assert_eq!(theirs, ours.replace('\n', "\\n"));
    assert!(theirs.starts_with("not a WebAssembly component: "), "{theirs}");
}

#[test]
fn a_large_file_is_refused_and_a_smaller_one_does_no_harm() {
    let directory = tempfile::tempdir().unwrap();
    let library = Library::new(engine(CompilerLimits::default(), None));
    let file = directory.path().join("large.wasm");
    std::fs::write(&file, padded(good().component(), 100 << 20)).unwrap();
    let ground = Ground::new(&good().component());
    ground.write(HOSTILE, 3);
    ground.beside_neighbour("100 MiB", || {
        let error = library.read(&file).unwrap_err().to_string();
        let expected = format!("{}: cannot read: larger than 64 MiB: not a device", file.display());
        assert_eq!(error, expected);
    });
    let engine = engine(CompilerLimits::default(), None);
    let error = engine.load(&padded(good().component(), 100 << 20)).unwrap_err().to_string();
    assert_eq!(error, "cannot be compiled: larger than 64 MiB: not a device");

    std::fs::write(&file, padded(good().component(), 60 << 20)).unwrap();
    ground.beside_neighbour("60 MiB", || {
        assert_eq!(library.read(&file).unwrap().title(), "hostile 1.0.0");
    });
    assert_eq!(ground.read(HOSTILE), 3);
}

#[test]
fn files_that_are_no_devices_are_refused() {
    let device = good().component();
    let mut other_world = device.clone();
    let name = b"southbridge:device/device@0.2.0";
    for at in 0..other_world.len() - name.len() {
        if other_world[at..].starts_with(name) {
            other_world[at + name.len() - 3] = b'9';
        }
    }
    let modules = "(component (core module (func (loop (br 0))) (start 0)))";
    for (name, component, reason) in [
        ("an empty file", Vec::new(), "the file is empty"),
        ("text", b"hello".to_vec(), "does not begin with"),
        ("half a device", device[..device.len() / 2].to_vec(), "not a WebAssembly component"),
        ("another contract", other_world, "0.9.0"),
        ("no contract", wat::parse_str(modules).unwrap(), "not a device"),
        (
            "a file of WASI's",
            wat::parse_str("(component (import \"wasi:io/poll@0.2.0\" (instance)))").unwrap(),
            "not a device",
        ),
    ] {
        check_refused(name, &component, "describe", reason);
    }
}

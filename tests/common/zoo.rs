//! The zoo's components, built when a test first asks for one.

#![allow(dead_code, reason = "each test uses a part")]

#[path = "../../host/build/component.rs"]
mod build;

use std::fs::{self, File};
use std::path::Path;
use std::sync::OnceLock;

const MARK: &[u8] = b"zoo-kind:";

/// Bytes of a kind's name after the mark.
const NAME: usize = 24;

/// The component of a kind; `tests/zoo/src/kind.rs` has the names.
pub(crate) fn component(kind: &str) -> Vec<u8> {
    let mut bytes = built().plain.clone();
    let marks: Vec<_> = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(MARK)).collect();
    assert_eq!(marks.len(), 1, "the kind's name is in the component once");
    let name = marks[0] + MARK.len();
    assert!(kind.len() <= NAME);
    bytes[name..name + NAME].fill(b' ');
    bytes[name..name + kind.len()].copy_from_slice(kind.as_bytes());
    bytes
}

/// A counter that imports `power`.
pub(crate) fn with_power() -> Vec<u8> {
    built().power.clone()
}

struct Built {
    plain: Vec<u8>,
    power: Vec<u8>,
}

fn built() -> &'static Built {
    static BUILT: OnceLock<Built> = OnceLock::new();
    BUILT.get_or_init(|| {
        // The host's build script has compiled the SDK there already, and takes
        // this lock.
        let components = Path::new(env!("COMPONENTS_TARGET"));
        fs::create_dir_all(components).expect("the target directory can be written");
        let lock = File::create(components.join("lock")).expect("it can be written");
        lock.lock().expect("the file system has locks");
        let target = components.join("plain");
        Built { plain: compile(&target, None), power: compile(&target, Some("power")) }
    })
}

fn compile(target: &Path, feature: Option<&str>) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the host is in a workspace");
    let cargo = env!("CARGO").as_ref();
    let job = build::Job { cargo, root, target, packages: &["zoo"], feature, is_inner: true };
    let status = build::compile(&job);
    assert!(status.expect("cargo runs").success(), "the zoo compiles");
    let module = build::artifact(target, "zoo").with_extension("wasm");
    let module = fs::read(module).expect("cargo has written it");
    build::encode(&module).expect("it is a device")
}

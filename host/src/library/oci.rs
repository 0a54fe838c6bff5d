//! A component in a directory that container tools write: an OCI image layout
//! (image-spec 1.1, `image-layout.md`), which `oras` and `skopeo` copy from registries, with
//! the component as its only layer of the type `application/wasm` (CNCF's "Wasm OCI
//! Artifact layout").

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

use crate::component::{LARGEST, Sha256};

/// The file that makes a directory a layout.
const MARK: &str = "oci-layout";

/// The type of a manifest.
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

/// The type of a component.
const WASM: &str = "application/wasm";

/// The annotation that names a manifest.
const NAME: &str = "org.opencontainers.image.ref.name";

/// Most bytes of an index or a manifest.
const LARGEST_JSON: u64 = 4 << 20;

/// `index.json`
#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

/// A manifest.
#[derive(Deserialize)]
struct Manifest {
    layers: Vec<Descriptor>,
}

/// What a blob is, and which.
#[derive(Deserialize)]
struct Descriptor {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: serde_json::Map<String, serde_json::Value>,
}

impl Descriptor {
    fn name(&self) -> Option<&str> {
        self.annotations.get(NAME)?.as_str()
    }
}

/// Whether a directory is a layout.
pub(super) fn is_layout(directory: &Path) -> bool {
    directory.join(MARK).is_file()
}

/// The bytes of the component in a layout: of the manifest with that name, or of its only
/// one. What is read is what the digests say. The error is a phrase.
pub(super) fn component(directory: &Path, name: Option<&str>) -> Result<Vec<u8>, String> {
    let index: Index = json("index.json", &read(directory, "index.json", LARGEST_JSON)?)?;
    let manifest = chosen(&index.manifests, name)?;
    if manifest.media_type != MANIFEST {
        return Err(format!("a manifest of type {:?}; {MANIFEST} expected", manifest.media_type));
    }
    let manifest: Manifest = json("the manifest", &blob(directory, manifest, LARGEST_JSON)?)?;
    let mut layers = manifest.layers.iter().filter(|layer| layer.media_type == WASM);
    match (layers.next(), layers.next()) {
        (Some(layer), None) => blob(directory, layer, LARGEST),
        (None, _) => Err(format!("no layer of the type {WASM} in it")),
        (Some(_), Some(_)) => Err(format!("several layers of the type {WASM} in it, one expected")),
    }
}

/// The manifest that is meant.
fn chosen<'a>(manifests: &'a [Descriptor], name: Option<&str>) -> Result<&'a Descriptor, String> {
    let found = match name {
        Some(name) => manifests.iter().find(|manifest| manifest.name() == Some(name)),
        None => manifests.first().filter(|_| manifests.len() == 1),
    };
    found.ok_or_else(|| {
        let names: Vec<_> = manifests.iter().filter_map(Descriptor::name).collect();
        let names = if names.is_empty() { "no names".into() } else { names.join(", ") };
        match name {
            Some(name) => format!("no manifest {name:?} in it; it has {names}"),
            None => format!(
                "{} manifests in it; choose one with DIRECTORY:NAME, of {names}",
                manifests.len()
            ),
        }
    })
}

/// Reads a blob, which must be what its descriptor says.
fn blob(directory: &Path, descriptor: &Descriptor, most: u64) -> Result<Vec<u8>, String> {
    let Descriptor { digest, size, .. } = descriptor;
    let hash = digest.strip_prefix("sha256:").and_then(|text| text.parse::<Sha256>().ok());
    let hash = hash.ok_or_else(|| format!("digest {digest:?}: sha256 expected"))?;
    let bytes = read(directory, &format!("blobs/sha256/{hash}"), most)?;
    if bytes.len() as u64 != *size {
        return Err(format!("{digest}: {} bytes, {size} expected", bytes.len()));
    }
    let found = Sha256::of(&bytes);
    if found != hash {
        return Err(format!("{digest}: its bytes have the SHA-256 {found}"));
    }
    Ok(bytes)
}

fn read(directory: &Path, name: &str, most: u64) -> Result<Vec<u8>, String> {
    let path = directory.join(name);
    let at = |error: std::io::Error| format!("{name}: {error}");
    if !path.metadata().map_err(at)?.is_file() {
        return Err(format!("{name}: not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path).map_err(at)?.take(most + 1).read_to_end(&mut bytes).map_err(at)?;
    if bytes.len() as u64 > most {
        return Err(format!("{name}: larger than {} MiB", most >> 20));
    }
    Ok(bytes)
}

fn json<'a, T: Deserialize<'a>>(what: &str, bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;
    use tempfile::TempDir;

    use super::*;

    /// A layout with blobs, of which an index is made.
    fn layout(
        index: impl FnOnce(&dyn Fn(&str, &[u8]) -> serde_json::Value) -> serde_json::Value,
    ) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let blobs = directory.path().join("blobs/sha256");
        fs::create_dir_all(&blobs).unwrap();
        fs::write(directory.path().join(MARK), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        let add = |media_type: &str, bytes: &[u8]| {
            let hash = Sha256::of(bytes).to_string();
            fs::write(blobs.join(&hash), bytes).unwrap();
            let digest = format!("sha256:{hash}");
            json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
        };
        let index = index(&add);
        fs::write(directory.path().join("index.json"), index.to_string()).unwrap();
        directory
    }

    fn manifest(
        add: &dyn Fn(&str, &[u8]) -> serde_json::Value,
        name: &str,
        layers: &[(&str, &[u8])],
    ) -> serde_json::Value {
        let layers: Vec<_> = layers.iter().map(|(kind, bytes)| add(kind, bytes)).collect();
        let config = add("application/vnd.wasm.config.v0+json", b"{}");
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        let mut descriptor = add(MANIFEST, manifest.to_string().as_bytes());
        descriptor["annotations"] = json!({ NAME: name });
        descriptor
    }

    #[test]
    fn the_component_is_the_layer_of_its_type() {
        let one = layout(|add| {
            let layers: &[(&str, &[u8])] = &[("text/plain", b"readme"), (WASM, b"device")];
            json!({"manifests": [manifest(add, "1.0", layers)]})
        });
        assert!(is_layout(one.path()));
        assert_eq!(component(one.path(), None).unwrap(), b"device");
        assert_eq!(component(one.path(), Some("1.0")).unwrap(), b"device");
        let two = layout(|add| {
            let (first, second) = (&[(WASM, &b"first"[..])], &[(WASM, &b"second"[..])]);
            json!({"manifests": [manifest(add, "1.0", first), manifest(add, "2.0", second)]})
        });
        assert_eq!(component(two.path(), Some("2.0")).unwrap(), b"second");
        let problem = component(two.path(), None).unwrap_err();
        assert_eq!(problem, "2 manifests in it; choose one with DIRECTORY:NAME, of 1.0, 2.0");
        let problem = component(two.path(), Some("3.0")).unwrap_err();
        assert_eq!(problem, "no manifest \"3.0\" in it; it has 1.0, 2.0");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let problem = |index: serde_json::Value| {
            let layout = layout(|_| index);
            component(layout.path(), None).unwrap_err()
        };
        assert!(problem(json!([])).starts_with("index.json: "));
        let empty = json!({"manifests": []});
        assert_eq!(
            problem(empty),
            "0 manifests in it; choose one with DIRECTORY:NAME, of no names"
        );
        let descriptor = |digest: &str, size: u64| json!({"manifests": [{"mediaType": MANIFEST, "digest": digest, "size": size}]});
        for digest in ["sha512:00", "sha256:../../etc/passwd", "00"] {
            let problem = problem(descriptor(digest, 1));
            assert_eq!(problem, format!("digest {digest:?}: sha256 expected"));
        }
        let absent = format!("sha256:{}", "0".repeat(64));
        assert!(problem(descriptor(&absent, 1)).starts_with("blobs/sha256/000"));
        let nested =
            json!({"manifests": [{"mediaType": "text/plain", "digest": absent, "size": 1}]});
        assert!(problem(nested).starts_with("a manifest of type \"text/plain\""));

        let of = |layers: &[(&str, &[u8])]| {
            let layout = layout(|add| json!({"manifests": [manifest(add, "1", layers)]}));
            component(layout.path(), None).unwrap_err()
        };
        assert_eq!(of(&[("text/plain", b"x")]), "no layer of the type application/wasm in it");
        let two: &[(&str, &[u8])] = &[(WASM, b"x"), (WASM, b"y")];
        assert!(of(two).starts_with("several layers"));

        let spoilt = layout(|add| json!({"manifests": [manifest(add, "1", &[(WASM, b"device")])]}));
        let hash = Sha256::of(b"device").to_string();
        let blob = spoilt.path().join("blobs/sha256").join(&hash);
        fs::write(&blob, b"devils").unwrap();
        let problem = component(spoilt.path(), None).unwrap_err();
        assert!(problem.starts_with(&format!("sha256:{hash}: its bytes have the SHA-256 ")));
        fs::write(&blob, b"more than device").unwrap();
        let problem = component(spoilt.path(), None).unwrap_err();
        assert_eq!(problem, format!("sha256:{hash}: 16 bytes, 6 expected"));
    }
}

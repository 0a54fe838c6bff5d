//! The device components the program comes with.
//!
//! They are the crates under `devices/`, built with the host by its build
//! script. A variant of a device is named after its cargo feature:
//! `<device>+<feature>`.

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// The name and the bytes of each component, in the order of the names.
pub fn components() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    COMPONENTS.iter().map(|(name, bytes, _)| (*name, *bytes))
}

/// The bytes of the component with that name.
#[must_use]
pub fn component(name: &str) -> Option<&'static [u8]> {
    find(name).map(|(bytes, _)| bytes)
}

/// The bytes of the component with that name, and their hash: SHA-256, in hexadecimal.
pub(crate) fn find(name: &str) -> Option<(&'static [u8], &'static str)> {
    let position = COMPONENTS.binary_search_by(|(other, _, _)| (*other).cmp(name)).ok()?;
    let (_, bytes, hash) = COMPONENTS[position];
    Some((bytes, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_component_is_found_by_its_name() {
        assert_ne!(components().count(), 0);
        for (name, bytes) in components() {
            assert_eq!(component(name), Some(bytes), "{name}");
        }
        assert_eq!(component("no-such-device"), None);
    }

    #[test]
    fn hashes_are_those_of_the_bytes() {
        let engine = crate::component::Engine::new(None).unwrap();
        let (bytes, hash) = find("debugcon").unwrap();
        assert_eq!(engine.load(bytes).unwrap().hash(), hash);
    }

    #[test]
    fn they_are_components() {
        for (name, bytes) in components() {
            // Version 13, layer 1; a core module is version 1, layer 0.
            assert_eq!(&bytes[..8], b"\0asm\x0d\0\x01\0", "{name}");
        }
    }

    #[test]
    fn a_variant_differs_from_its_device() {
        for (name, bytes) in components() {
            if let Some((device, _)) = name.split_once('+') {
                assert_ne!(component(device).expect("the device as such is there too"), bytes);
            }
        }
    }
}

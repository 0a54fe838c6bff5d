//! The device components the program comes with.
//!
//! They are the crates under `devices/`, built with the host by its build
//! script. A variant of a device is named after its cargo feature:
//! `<device>+<feature>`.

include!(concat!(env!("OUT_DIR"), "/components.rs"));

/// The name and the bytes of each component, in the order of the names.
pub fn components() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    COMPONENTS.iter().copied()
}

/// The bytes of the component with that name.
#[must_use]
pub fn component(name: &str) -> Option<&'static [u8]> {
    let position = COMPONENTS.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
    Some(COMPONENTS[position].1)
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

//! Single fields for old firmware, which makes the tables itself.

use crate::config::Config;

/// Fields of the structure of type 1, by their offsets in it (DSP0134, 7.2).
const SYSTEM: u8 = 1;
const MANUFACTURER: u16 = 4;
const PRODUCT: u16 = 5;
const VERSION: u16 = 6;
const UUID: u16 = 8;

/// The entry is a field rather than a structure.
const IS_FIELD: u8 = 0;

/// How many fields, then each behind its length, with a type and an offset.
pub(crate) fn fields(config: &Config) -> Vec<u8> {
    let smbios = &config.smbios;
    let mut fields: Vec<(u16, Vec<u8>)> = Vec::new();
    for (offset, text) in [
        (MANUFACTURER, &smbios.manufacturer),
        (PRODUCT, &smbios.product),
        (VERSION, &smbios.version),
    ] {
        if !text.is_empty() {
            fields.push((offset, text.bytes().chain([0]).collect()));
        }
    }
    if let Some(uuid) = config.uuid {
        fields.push((UUID, uuid.0.to_vec()));
    }
    let mut data = (fields.len() as u16).to_le_bytes().to_vec();
    for (offset, field) in fields {
        let length = u16::try_from(6 + field.len()).unwrap_or(u16::MAX);
        data.extend(length.to_le_bytes());
        data.extend([IS_FIELD, SYSTEM]);
        data.extend(offset.to_le_bytes());
        data.extend(field);
    }
    data
}

//! The properties that say which drives there are.
//!
//! In QEMU a drive is a device of its own, whose `drive-type` says what it is. The
//! controller's `fdtypeA` and `fdtypeB` are from before that: QEMU takes and shows them,
//! and its drives do not heed them.

use southbridge_sdk::Properties;

use crate::drive::Wanted;
use crate::media::Kind;

fn kind(name: &str) -> Option<Kind> {
    Some(match name {
        "144" => Kind::Hd144,
        "288" => Kind::Ed288,
        "120" => Kind::Hd120,
        _ => return None,
    })
}

pub(crate) fn wanted(properties: &Properties, name: &str) -> Result<Wanted, String> {
    match properties.text(name)? {
        "auto" => Ok(Wanted::Auto),
        "none" => Ok(Wanted::Absent),
        other => kind(other).map(Wanted::Fixed).ok_or_else(|| {
            format!("property {name}: {other:?}, expected auto, 144, 288, 120 or none")
        }),
    }
}

pub(crate) fn fallback(properties: &Properties) -> Result<Kind, String> {
    let given = properties.text("fallback")?;
    kind(given).ok_or_else(|| format!("property fallback: {given:?}, expected 144, 288 or 120"))
}

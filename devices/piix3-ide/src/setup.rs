//! What is attached, as the properties say.

use southbridge_sdk::Properties;
use southbridge_sdk::describe::{flag, number, text};
use southbridge_sdk::wit::PropertyDeclaration;

use crate::address::Geometry;
use crate::transfer::Then;

/// The drives' names, by number.
pub(crate) const NAMES: [&str; 4] =
    ["primary-master", "primary-slave", "secondary-master", "secondary-slave"];

/// QEMU's limits of a disk's shape.
const LARGEST: Geometry = Geometry { cylinders: 65535, heads: 16, sectors: 255 };

/// What is at a place of a cable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    #[default]
    None,
    Disk,
    CdRom,
}

impl Kind {
    /// Whether this can follow when the guest has moved data.
    pub(crate) fn can(self, next: Then) -> bool {
        match next {
            Then::Read | Then::Write => self == Self::Disk,
            Then::Reply | Then::Packet => self == Self::CdRom,
            Then::Stop | Then::Float => true,
        }
    }
}

/// A drive's properties.
#[derive(Clone, Debug, Default)]
pub(crate) struct Setup {
    pub(crate) kind: Kind,
    pub(crate) serial: String,
    pub(crate) model: String,
    pub(crate) version: String,
    /// The shape, if it is not guessed from the medium's size.
    pub(crate) geometry: Option<Geometry>,
    pub(crate) rotation_rate: u16,
    pub(crate) write_cache: bool,
}

/// The properties of all drives.
pub(crate) fn declare() -> Vec<PropertyDeclaration> {
    let each = |drive: usize| {
        let at = NAMES[drive].replace('-', " ");
        let name = |name: &str| format!("{name}{drive}");
        let serial = format!("QM{:05}", drive + 1);
        vec![
            text(&name("kind"), "none", &format!("what the {at} is: none, disk or cdrom")),
            text(&name("serial"), &serial, &format!("serial number of the {at}")),
            text(&name("model"), "", &format!("model of the {at}; QEMU's if empty")),
            text(&name("version"), "2.5+", &format!("firmware version of the {at}")),
            number(&name("cyls"), 0, &format!("cylinders of the {at}; 0: guessed")),
            number(&name("heads"), 0, &format!("heads of the {at}; 0: guessed")),
            number(&name("secs"), 0, &format!("sectors per track of the {at}; 0: guessed")),
            number(&name("rotation-rate"), 0, &format!("turns per minute of the {at}; 1: an SSD")),
            flag(&name("write-cache"), true, &format!("the {at} caches writes until it is told")),
        ]
    };
    (0..NAMES.len()).flat_map(each).collect()
}

impl Setup {
    /// Reads the properties of a drive.
    pub(crate) fn read(properties: &Properties, drive: usize) -> Result<Self, String> {
        let name = |name: &str| format!("{name}{drive}");
        let kind = match properties.text(&name("kind"))? {
            "none" => Kind::None,
            "disk" => Kind::Disk,
            "cdrom" => Kind::CdRom,
            other => {
                return Err(format!("property kind{drive}: {other}: none, disk or cdrom expected"));
            }
        };
        let words = |property: &str, most: usize| {
            let text = properties.text(&name(property))?;
            let plain = text.len() <= most && text.bytes().all(|byte| matches!(byte, 0x20..0x7f));
            let expected = format!("at most {most} ASCII characters expected");
            if plain {
                Ok(text.to_owned())
            } else {
                Err(format!("property {property}{drive}: {text}: {expected}"))
            }
        };
        let model = match (words("model", 40)?, kind) {
            (model, Kind::Disk) if model.is_empty() => "QEMU HARDDISK".into(),
            (model, Kind::CdRom) if model.is_empty() => "QEMU DVD-ROM".into(),
            (model, _) => model,
        };
        let geometry = Geometry {
            cylinders: properties.number(&name("cyls"))?,
            heads: properties.number(&name("heads"))?,
            sectors: properties.number(&name("secs"))?,
        };
        Ok(Self {
            kind,
            serial: words("serial", 20)?,
            model,
            version: words("version", 8)?,
            geometry: checked(geometry, drive)?,
            rotation_rate: properties.number(&name("rotation-rate"))?,
            write_cache: properties.flag(&name("write-cache"))?,
        })
    }
}

/// A shape that is given in whole or not at all.
fn checked(geometry: Geometry, drive: usize) -> Result<Option<Geometry>, String> {
    if geometry == Geometry::default() {
        return Ok(None);
    }
    let Geometry { cylinders, heads, sectors } = geometry;
    for (name, value, most) in [
        ("cyls", cylinders, LARGEST.cylinders),
        ("heads", heads, LARGEST.heads),
        ("secs", sectors, LARGEST.sectors),
    ] {
        if value == 0 || value > most {
            return Err(format!("property {name}{drive}: {value}: 1 to {most} expected"));
        }
    }
    Ok(Some(geometry))
}

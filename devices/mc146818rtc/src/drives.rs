//! What the memory says of floppy drives and hard disks. The layout is IBM's for the
//! AT; the translation of geometries at 0x39 is Bochs'.

use southbridge_sdk::Properties;

const FLOPPY_TYPES: usize = 0x10;
const DISK_TYPES: usize = 0x12;
const EQUIPMENT: usize = 0x14;
/// Types and parameters of the first two disks.
const EXTENDED_TYPES: [usize; 2] = [0x19, 0x1a];
const PARAMETERS: [usize; 2] = [0x1b, 0x24];
/// Two bits for each of four disks.
const TRANSLATIONS: usize = 0x39;

/// A disk whose parameters follow: what the four bits of an AT have no number for,
/// and a number for more than eight.
const EXTENDED: u8 = 0x0f;
const USER_DEFINED: u8 = 47;

const SECTOR: u64 = 512;

/// The names of the translations, with Bochs' numbers as positions.
const NAMES: [&str; 4] = ["none", "lba", "large", "rechs"];

/// Properties of the drives.
pub(crate) const FLOPPIES: [&str; 2] = ["floppy0", "floppy1"];
pub(crate) const DISKS: [&str; 4] = ["disk0", "disk1", "disk2", "disk3"];

/// How a disk is addressed by a BIOS, and how it says it is itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Geometry {
    cylinders: u16,
    heads: u8,
    sectors: u8,
    translation: u8,
}

/// Writes it all; the equipment is there already.
///
/// # Errors
/// A property is not as described.
pub(crate) fn write(memory: &mut [u8; 128], properties: &Properties) -> Result<(), String> {
    let mut count = 0_u8;
    for (name, shift) in FLOPPIES.into_iter().zip([4, 0]) {
        let kind = floppy(name, properties.text(name)?)?;
        memory[FLOPPY_TYPES] |= kind << shift;
        count += u8::from(kind != 0);
    }
    // Bit 0: there is a drive; bits 7 and 6: how many, less one.
    memory[EQUIPMENT] |= match count {
        0 => 0,
        more => 0x01 | (more - 1) << 6,
    };
    for (number, name) in DISKS.into_iter().enumerate() {
        let Some(geometry) = disk(name, properties.text(name)?)? else { continue };
        memory[TRANSLATIONS] |= geometry.translation << (2 * number);
        if let (Some(&kind), Some(&at)) = (EXTENDED_TYPES.get(number), PARAMETERS.get(number)) {
            memory[DISK_TYPES] |= EXTENDED << (4 - 4 * number);
            memory[kind] = USER_DEFINED;
            memory[at..at + 9].copy_from_slice(&geometry.parameters());
        }
    }
    Ok(())
}

fn floppy(name: &str, text: &str) -> Result<u8, String> {
    match text {
        "none" => Ok(0),
        "120" => Ok(2),
        "144" => Ok(4),
        "288" => Ok(5),
        _ => Err(format!("property {name}: {text:?}, one of none, 120, 144, 288 expected")),
    }
}

fn disk(name: &str, text: &str) -> Result<Option<Geometry>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let error = || {
        format!(
            "property {name}: {text:?}, bytes or cylinders,heads,sectors with none, lba, large \
             or rechs after another comma expected"
        )
    };
    Geometry::parse(text).ok_or_else(error).map(Some)
}

impl Geometry {
    fn parse(text: &str) -> Option<Self> {
        let words: Vec<_> = text.split(',').collect();
        let translation = |name: &str| NAMES.iter().position(|known| *known == name);
        match words[..] {
            [bytes] => Some(Self::of_size(bytes.parse().ok()?)),
            [cylinders, heads, sectors] => {
                Some(Self::new(cylinders.parse().ok()?, heads.parse().ok()?, sectors.parse().ok()?))
            }
            [cylinders, heads, sectors, name] => Some(Self {
                translation: translation(name)? as u8,
                ..Self::new(cylinders.parse().ok()?, heads.parse().ok()?, sectors.parse().ok()?)
            }),
            _ => None,
        }
    }

    /// A geometry with QEMU's translation: by blocks if a BIOS cannot say it.
    const fn new(cylinders: u16, heads: u8, sectors: u8) -> Self {
        let fits = cylinders <= 1024 && heads <= 16 && sectors <= 63;
        Self { cylinders, heads, sectors, translation: if fits { 0 } else { 1 } }
    }

    /// QEMU's guess for a disk without a partition table.
    fn of_size(bytes: u64) -> Self {
        let cylinders = bytes / SECTOR / (16 * 63);
        Self::new(cylinders.clamp(2, 16383) as u16, 16, 63)
    }

    /// As in IBM's table: cylinders, heads, no precompensation, whether there are more
    /// than eight heads, where the heads are parked, sectors.
    const fn parameters(self) -> [u8; 9] {
        let [low, high] = self.cylinders.to_le_bytes();
        let control = 0xc0 | if self.heads > 8 { 0x08 } else { 0 };
        [low, high, self.heads, 0xff, 0xff, control, low, high, self.sectors]
    }
}

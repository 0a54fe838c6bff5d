//! The directory of files.

use crate::content::Content;
use crate::entries::{Entries, FILE_FIRST, key};

/// The longest name, without the zero behind it.
const LONGEST_NAME: usize = 55;

/// Bytes of the count before the directory's slots, and of a slot.
const HEAD: usize = 4;
const SLOT: usize = 64;

/// The files of machines whose directory is not sorted by name, in the order of
/// their ranks.
const RANKS: [(&str, u8); 16] = [
    ("etc/boot-menu-wait", 10),
    ("bootsplash.jpg", 11),
    ("bootsplash.bmp", 12),
    ("etc/boot-fail-wait", 15),
    ("etc/smbios/smbios-tables", 20),
    ("etc/smbios/smbios-anchor", 30),
    ("etc/e820", 40),
    ("etc/reserved-memory-end", 50),
    ("genroms/kvmvapic.bin", 55),
    ("genroms/linuxboot.bin", 60),
    ("etc/system-states", 90),
    ("etc/acpi/tables", 130),
    ("etc/table-loader", 140),
    ("etc/tpm/log", 150),
    ("etc/acpi/rsdp", 160),
    ("bootorder", 170),
];

/// Option ROMs of displays; the operator's files; other option ROMs and what is
/// in no list.
const RANK_OF_VGA: u8 = 70;
const RANK_OF_USER: u8 = 100;
const RANK_OF_OTHER: u8 = 200;

/// Files, in the order in which QEMU makes them.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    files: Vec<(String, Content)>,
}

impl Directory {
    pub(crate) fn add(&mut self, name: &str, content: Content) {
        self.files.push((name.into(), content));
    }

    pub(crate) fn add_bytes(&mut self, name: &str, bytes: impl Into<Vec<u8>>) {
        self.add(name, Content::Bytes(bytes.into()));
    }

    /// Gives the files their numbers: by name, or by rank on old machines.
    pub(crate) fn place(
        self,
        entries: &mut Entries,
        slots: u16,
        by_rank: bool,
    ) -> Result<(), String> {
        let Self { mut files } = self;
        if files.len() > usize::from(slots) {
            return Err(format!("{} files, at most {slots} expected", files.len()));
        }
        // A stable sort: files of the same rank stay as they were made.
        if by_rank {
            files.sort_by_key(|(name, _)| rank(name));
        } else {
            files.sort_by(|(a, _), (b, _)| a.cmp(b));
        }
        let mut table = vec![0; HEAD + SLOT * usize::from(slots)];
        table[..HEAD].copy_from_slice(&(files.len() as u32).to_be_bytes());
        let mut names = std::collections::BTreeSet::new();
        for ((number, slot), (name, content)) in
            (FILE_FIRST..).zip(table[HEAD..].chunks_exact_mut(SLOT)).zip(files)
        {
            if name.is_empty() || name.len() > LONGEST_NAME || name.contains('\0') {
                return Err(format!(
                    "file {name:?}: 1 to {LONGEST_NAME} bytes expected as its name"
                ));
            }
            slot[..4].copy_from_slice(&content.len().to_be_bytes());
            slot[4..6].copy_from_slice(&number.to_be_bytes());
            slot[8..8 + name.len()].copy_from_slice(name.as_bytes());
            entries.set(number, content);
            if let Some(name) = names.replace(name) {
                return Err(format!("file {name:?} is there twice"));
            }
        }
        entries.set_bytes(key::FILE_DIR, table);
        Ok(())
    }
}

/// The number of a file in a table of the directory's form.
pub(crate) fn number_of(table: &[u8], name: &str) -> Option<u16> {
    let slots = table.get(HEAD..)?.chunks_exact(SLOT);
    let is_it = |slot: &&[u8]| {
        let field = &slot[8..];
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        end > 0 && field[..end] == *name.as_bytes()
    };
    slots.into_iter().find(is_it).map(|slot| u16::from_be_bytes([slot[4], slot[5]]))
}

fn rank(name: &str) -> u8 {
    if let Some((_, rank)) = RANKS.iter().find(|(known, _)| *known == name) {
        return *rank;
    }
    match name.split_once('/') {
        Some(("vgaroms", _)) => RANK_OF_VGA,
        Some(("genroms", _)) => RANK_OF_OTHER,
        _ => RANK_OF_USER,
    }
}

//! Does what firmware does with the files, and looks at what lies in memory then.

mod common;

use std::collections::HashMap;

use common::{board, cases, inspect};
use firmware_acpi::{Format, Tables};

const COMMAND: usize = 128;

/// Firmware's memory: each file at its address.
struct Loaded {
    files: HashMap<&'static str, (u32, Vec<u8>)>,
}

impl Loaded {
    fn new(made: Tables) -> Self {
        let files = HashMap::from([
            ("etc/acpi/rsdp", (0xf_5a40, made.rsdp)),
            ("etc/acpi/tables", (0x7fe_0000, made.tables)),
        ]);
        let mut loaded = Self { files };
        made.loader.chunks(COMMAND).for_each(|command| loaded.run(command));
        loaded
    }

    fn run(&mut self, command: &[u8]) {
        let number = |at: usize| number(command, at) as usize;
        match number(0) {
            0 => assert!(command.iter().all(|byte| *byte == 0), "an empty command is all zeros"),
            1 => {
                let (address, _) = self.files[name(command, 4)];
                assert_eq!(address as usize % number(60), 0, "not aligned");
                assert!(matches!(command[64], 1 | 2), "no such zone");
            }
            2 => {
                assert_eq!(command[120], 4, "pointers have four bytes");
                let (base, _) = self.files[name(command, 60)];
                let (_, file) = self.files.get_mut(name(command, 4)).expect("a file");
                let pointer = &mut file[number(116)..][..4];
                let sum = u32::from_le_bytes(pointer.try_into().expect("four bytes")) + base;
                pointer.copy_from_slice(&sum.to_le_bytes());
            }
            3 => {
                let (_, file) = self.files.get_mut(name(command, 4)).expect("a file");
                let sum = sum(&file[number(64)..][..number(68)]);
                let byte = &mut file[number(60)];
                assert_eq!(*byte, 0, "a checksum that is there already");
                *byte = 0_u8.wrapping_sub(sum);
            }
            other => panic!("{other}: no such command"),
        }
    }

    /// The table at an address: it adds up to zero, unless it has no checksum.
    fn table(&self, address: u32) -> &[u8] {
        let (base, blob) = &self.files["etc/acpi/tables"];
        let table = &blob[(address - base) as usize..];
        let table = &table[..number(table, 4) as usize];
        assert!(table.starts_with(b"FACS") || sum(table) == 0, "{:?} is wrong", &table[..4]);
        table
    }
}

fn name(command: &[u8], at: usize) -> &str {
    let name = command[at..at + 56].split(|byte| *byte == 0).next().expect("a name");
    std::str::from_utf8(name).expect("text")
}

fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, byte| sum.wrapping_add(*byte))
}

#[test]
fn loaded_tables_are_found_and_add_up() {
    let mut whole = 0;
    for case in cases() {
        let board = board::of(&case);
        let made = firmware_acpi::build(&board);
        let found = inspect::tables(&made.tables);
        if found.last().is_none_or(|(name, ..)| name != "RSDT") {
            let old = matches!(board.format, Format::Legacy { .. });
            assert!(old, "{}: cut", case.name);
            continue;
        }
        whole += 1;
        let loaded = Loaded::new(made);
        let (_, rsdp) = &loaded.files["etc/acpi/rsdp"];
        assert_eq!(sum(&rsdp[..20]), 0, "{}: the pointer's checksum", case.name);
        let root = loaded.table(number(rsdp, 16));
        assert!(root.starts_with(b"RSDT"), "{}", case.name);
        let signatures: Vec<_> = root[36..]
            .chunks(4)
            .map(|pointer| loaded.table(number(pointer, 0))[..4].to_vec())
            .collect();
        let expected = [
            ("FACP", true),
            ("APIC", true),
            ("HPET", board.hpet),
            ("SRAT", board.numa.is_some()),
            ("SLIT", board.numa.is_some_and(|numa| numa.distances.is_some())),
            ("WAET", true),
        ];
        let expected: Vec<_> = expected
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name.as_bytes().to_vec())
            .collect();
        assert_eq!(signatures, expected, "{}", case.name);
        let fadt = loaded.table(number(root, 36));
        assert!(loaded.table(number(fadt, 36)).starts_with(b"FACS"), "{}", case.name);
        assert!(loaded.table(number(fadt, 40)).starts_with(b"DSDT"), "{}", case.name);
    }
    assert!(whole > 500, "{whole} cases were looked at");
}

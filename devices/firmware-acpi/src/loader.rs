//! The script with which firmware loads the tables: commands of 128 bytes, done
//! in order. File names take 56 bytes, numbers are little-endian.

use crate::header;

/// The blob of tables.
pub(crate) const TABLES: &str = "etc/acpi/tables";
/// The root pointer.
pub(crate) const POINTER: &str = "etc/acpi/rsdp";

const COMMAND: usize = 128;
const NAME: usize = 56;
/// The script ends in zeros, at a multiple of this.
const ROUNDED: usize = 4096;

const ALLOCATE: u32 = 1;
const ADD_POINTER: u32 = 2;
const ADD_CHECKSUM: u32 = 3;

/// Where firmware puts a file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Zone {
    /// Anywhere.
    High = 1,
    /// Where the operating system looks for the root pointer (5.2.5.1).
    LowBios = 2,
}

/// The script so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script(Vec<u8>);

impl Script {
    /// Loads a file into memory.
    pub(crate) fn allocate(&mut self, file: &str, alignment: u32, zone: Zone) {
        let arguments = [&name(file)[..], &alignment.to_le_bytes(), &[zone as u8]];
        self.command(ALLOCATE, &arguments.concat());
    }

    /// Adds the address of the tables to the four bytes at an offset of a file.
    pub(crate) fn add_pointer(&mut self, file: &str, offset: usize) {
        const SIZE: u8 = 4;
        let arguments = [&name(file)[..], &name(TABLES), &number(offset), &[SIZE]];
        self.command(ADD_POINTER, &arguments.concat());
    }

    /// Makes `length` bytes from `start` on add up to zero by the byte at
    /// `offset`.
    pub(crate) fn add_checksum(&mut self, file: &str, offset: usize, start: usize, length: usize) {
        let arguments = [&name(file)[..], &number(offset), &number(start), &number(length)];
        self.command(ADD_CHECKSUM, &arguments.concat());
    }

    /// Fills in the checksum of the table at an offset.
    pub(crate) fn checksum_table(&mut self, start: usize, length: usize) {
        self.add_checksum(TABLES, start + header::CHECKSUM, start, length);
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.0.resize(self.0.len().next_multiple_of(ROUNDED), 0);
        self.0
    }

    fn command(&mut self, command: u32, arguments: &[u8]) {
        let end = self.0.len() + COMMAND;
        self.0.extend(command.to_le_bytes());
        self.0.extend(arguments);
        self.0.resize(end, 0);
    }
}

fn name(file: &str) -> [u8; NAME] {
    let mut name = [0; NAME];
    name.iter_mut().zip(file.bytes()).for_each(|(to, from)| *to = from);
    name
}

fn number(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes()
}

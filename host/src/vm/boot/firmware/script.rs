//! The script with which firmware loads tables (`etc/table-loader`): commands of 128
//! bytes, done in order. Names of files take 56 bytes and end in a zero; numbers are
//! little-endian. Commands that are not known are passed over, as firmware does.

use super::FirmwareFiles;

/// The length of a command.
const COMMAND: usize = 128;

/// Where the arguments of the commands are. ADD_POINTER and WRITE_POINTER have two
/// names, of the file that holds the pointer and of the one that it points to.
const NAME: usize = 56;
const FIRST: usize = 4;
const SECOND: usize = FIRST + NAME;
const NUMBERS: usize = SECOND + NAME;

const ALLOCATE: u32 = 1;
const ADD_POINTER: u32 = 2;
const ADD_CHECKSUM: u32 = 3;
const WRITE_POINTER: u32 = 4;

/// More files than this no machine has; it bounds what a hostile script has the host
/// keep.
const MOST_FILES: usize = 16;

/// The longest file. QEMU makes tables of 2 MiB at most.
const LONGEST_FILE: u32 = 2 << 20;

/// Which memory a file goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Anywhere below 4 GiB.
    High,
    /// Where guests look for the root pointer (ACPI 5.2.5.1).
    Bios,
}

/// A place to be found for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted<'a> {
    pub(super) name: &'a str,
    pub(super) length: u64,
    pub(super) alignment: u64,
    pub(super) zone: Zone,
}

/// A file that has its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    pub(super) name: String,
    pub(super) address: u64,
    pub(super) bytes: Vec<u8>,
}

/// What a script works on: the files it may ask for, who finds places, and the files
/// that have one.
struct Files<'a> {
    source: &'a dyn FirmwareFiles,
    allocate: &'a mut dyn FnMut(Wanted<'_>) -> Result<u64, String>,
    loaded: Vec<Loaded>,
}

/// Runs a script. Nothing is in memory then: the files hold what belongs at their
/// addresses.
///
/// # Errors
///
/// A command asks for what is not there. The message names the command.
pub(super) fn run(
    script: &[u8],
    source: &dyn FirmwareFiles,
    allocate: &mut dyn FnMut(Wanted<'_>) -> Result<u64, String>,
) -> Result<Vec<Loaded>, String> {
    let (commands, rest) = script.as_chunks::<COMMAND>();
    if !rest.is_empty() {
        let length = script.len();
        return Err(format!("{length} bytes, expected commands of {COMMAND} bytes"));
    }
    let mut files = Files { source, allocate, loaded: Vec::new() };
    for (number, command) in commands.iter().enumerate() {
        let at = |problem| format!("command {number} at offset {:#x}: {problem}", number * COMMAND);
        files.perform(Command(command)).map_err(at)?;
    }
    Ok(files.loaded)
}

impl Files<'_> {
    fn perform(&mut self, command: Command<'_>) -> Result<(), String> {
        match command.number(0) {
            ALLOCATE => self.allocate(command),
            ADD_POINTER => self.add_pointer(command),
            ADD_CHECKSUM => self.add_checksum(command),
            WRITE_POINTER => self.write_pointer(command),
            _ => Ok(()),
        }
    }

    /// Loads a file.
    fn allocate(&mut self, command: Command<'_>) -> Result<(), String> {
        let name = command.name(FIRST)?;
        let (alignment, zone) = (command.number(SECOND), command.byte(SECOND + 4));
        if self.loaded.iter().any(|file| file.name == name) {
            return Err(format!("{name} has its place already"));
        }
        if self.loaded.len() == MOST_FILES {
            return Err(format!("{name} is one file too many: expected at most {MOST_FILES}"));
        }
        if !alignment.is_power_of_two() {
            return Err(format!("{name} at a multiple of {alignment}: expected a power of two"));
        }
        let zone = match zone {
            1 => Zone::High,
            2 => Zone::Bios,
            _ => return Err(format!("{name} in zone {zone}: expected 1 or 2")),
        };
        let bytes = self.source.read(name, LONGEST_FILE).ok_or_else(|| {
            format!("the machine has no file {name} of at most {LONGEST_FILE} bytes")
        })?;
        let length = bytes.len() as u64;
        let alignment = u64::from(alignment);
        let address = (self.allocate)(Wanted { name, length, alignment, zone })?;
        self.loaded.push(Loaded { name: name.to_owned(), address, bytes });
        Ok(())
    }

    /// Makes an offset in a file the address of what is there.
    fn add_pointer(&mut self, command: Command<'_>) -> Result<(), String> {
        let (holder, target) = (command.name(FIRST)?, command.name(SECOND)?);
        let (offset, size) = (command.number(NUMBERS), command.byte(NUMBERS + 4));
        check_size(size)?;
        let (base, length) = self.find(target)?.extent();
        let pointer = self.part(holder, offset, size.into())?;
        let mut value = [0; 8];
        value[..pointer.len()].copy_from_slice(pointer);
        let value = u64::from_le_bytes(value);
        if value >= length {
            return Err(format!(
                "the pointer at {offset:#x} of {holder} is {value:#x}, beyond {target} of \
                 {length:#x} bytes"
            ));
        }
        pointer.copy_from_slice(&in_bytes(base + value, size)?[..size.into()]);
        Ok(())
    }

    /// Has a range of a file add up to zero.
    fn add_checksum(&mut self, command: Command<'_>) -> Result<(), String> {
        let name = command.name(FIRST)?;
        let [at, start, length] = [0, 4, 8].map(|field| command.number(SECOND + field));
        let range = self.part(name, start, length)?;
        let sum = range.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
        let [checksum] = self.part(name, at, 1)? else { return Ok(()) };
        *checksum = checksum.wrapping_sub(sum);
        Ok(())
    }

    /// Tells the machine where a file is, in a file of its own.
    fn write_pointer(&mut self, command: Command<'_>) -> Result<(), String> {
        let (holder, target) = (command.name(FIRST)?, command.name(SECOND)?);
        let [offset, within] = [0, 4].map(|field| command.number(NUMBERS + field));
        let size = command.byte(NUMBERS + 8);
        check_size(size)?;
        let (base, length) = self.find(target)?.extent();
        if u64::from(within) >= length {
            return Err(format!("offset {within:#x} is beyond {target} of {length:#x} bytes"));
        }
        let address = in_bytes(base + u64::from(within), size)?;
        match self.source.write(holder, offset, &address[..size.into()]) {
            true => Ok(()),
            false => Err(format!("the machine takes no {size} bytes at {offset:#x} of {holder}")),
        }
    }

    fn find(&mut self, name: &str) -> Result<&mut Loaded, String> {
        let found = self.loaded.iter_mut().find(|file| file.name == name);
        found.ok_or_else(|| format!("{name} has no place yet"))
    }

    /// A part of a loaded file.
    fn part(&mut self, name: &str, start: u32, length: u32) -> Result<&mut [u8], String> {
        let bytes = &mut self.find(name)?.bytes;
        let (whole, start, length) = (bytes.len(), start as usize, length as usize);
        start.checked_add(length).and_then(|end| bytes.get_mut(start..end)).ok_or_else(|| {
            format!("{length:#x} bytes at {start:#x} of {name}, which has {whole:#x}")
        })
    }
}

impl Loaded {
    fn extent(&self) -> (u64, u64) {
        (self.address, self.bytes.len() as u64)
    }
}

/// A command's bytes.
#[derive(Clone, Copy)]
struct Command<'a>(&'a [u8; COMMAND]);

impl<'a> Command<'a> {
    fn byte(self, at: usize) -> u8 {
        self.0[at]
    }

    fn number(self, at: usize) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(&self.0[at..at + 4]);
        u32::from_le_bytes(bytes)
    }

    fn name(self, at: usize) -> Result<&'a str, String> {
        let field = &self.0[at..at + NAME];
        let name = std::ffi::CStr::from_bytes_until_nul(field).ok();
        let name = name.and_then(|name| name.to_str().ok());
        // Names go into messages.
        let is_plain = |name: &&str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic());
        let name = name.filter(is_plain);
        name.ok_or_else(|| {
            let text = field.escape_ascii();
            format!("a file called \"{text}\": expected letters that end in a zero")
        })
    }
}

fn check_size(size: u8) -> Result<(), String> {
    match size {
        1 | 2 | 4 | 8 => Ok(()),
        _ => Err(format!("a pointer of {size} bytes: expected 1, 2, 4 or 8")),
    }
}

/// An address, if it fits into so many bytes.
fn in_bytes(address: u64, size: u8) -> Result<[u8; 8], String> {
    match address.checked_shr(8 * u32::from(size)) {
        None | Some(0) => Ok(address.to_le_bytes()),
        Some(_) => Err(format!("address {address:#x} does not fit into a pointer of {size} bytes")),
    }
}

//! Where things lie in the guest's memory, and the multiboot header in front of the program.
//!
//! ```text
//! LOAD_ADDRESS   jump over the header
//!         + 8    multiboot header
//!        + 40    program, strings between its instructions
//! VARIABLES      zeroed by the program itself
//! IDT
//! MEMORY_END     top of the stack
//! ```

use super::asm::AssembleError;
use iced_x86::code_asm::CodeAssembler;

/// Guest-physical address at which an image is loaded, and at which it is entered.
pub const LOAD_ADDRESS: u32 = 0x10_0000;

/// The first guest-physical address that no image uses: 72 KiB above [`LOAD_ADDRESS`].
pub const MEMORY_END: u32 = LOAD_ADDRESS + 0x1_2000;

/// The page of variables.
pub(super) const VARIABLES: u32 = LOAD_ADDRESS + 0x1_0000;

/// The interrupt descriptor table.
pub(super) const IDT: u32 = VARIABLES + 0x800;

/// Offset of the multiboot header; it must be a multiple of 4 within the first 8 KiB.
const HEADER: u32 = 8;

/// Where the program starts.
pub(super) const PROGRAM: u32 = LOAD_ADDRESS + HEADER + 4 * 8;

/// The multiboot header (Multiboot specification 0.6.96, section 3.1) with the address fields,
/// because a flat image has no other header that would tell a loader where it goes.
fn multiboot_header() -> [u32; 8] {
    const MAGIC: u32 = 0x1bad_b002;
    const ADDRESS_FIELDS_VALID: u32 = 1 << 16;
    let load_end = 0; // All of the file.
    [
        MAGIC,
        ADDRESS_FIELDS_VALID,
        0u32.wrapping_sub(MAGIC).wrapping_sub(ADDRESS_FIELDS_VALID),
        LOAD_ADDRESS + HEADER,
        LOAD_ADDRESS,
        load_end,
        MEMORY_END,
        LOAD_ADDRESS,
    ]
}

/// Puts the header in front of `program`, which is assembled for [`PROGRAM`].
pub(super) fn with_header(program: &[u8]) -> Result<Vec<u8>, AssembleError> {
    let mut jump = CodeAssembler::new(32)?;
    jump.jmp(u64::from(PROGRAM))?;
    let mut image = jump.assemble(u64::from(LOAD_ADDRESS))?;
    image.resize(HEADER as usize, 0);
    image.extend(multiboot_header().iter().flat_map(|word| word.to_le_bytes()));
    image.extend_from_slice(program);
    Ok(image)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loader_finds_the_header() {
        let image = with_header(&[0xf4]).expect("assembles");
        let words: Vec<u32> =
            image.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let at = words.iter().position(|&w| w == 0x1bad_b002).expect("a header");
        let header = &words[at..];
        assert_eq!(header[0].wrapping_add(header[1]).wrapping_add(header[2]), 0);
        assert_eq!(header[3], LOAD_ADDRESS + 4 * u32::try_from(at).expect("small"));
        assert_eq!((header[4], header[7]), (LOAD_ADDRESS, LOAD_ADDRESS));
        assert_eq!(image[(PROGRAM - LOAD_ADDRESS) as usize..], [0xf4]);
    }

    #[test]
    fn the_entry_jumps_to_the_program() {
        let image = with_header(&[]).expect("assembles");
        // A short jump: opcode, then the distance from the instruction's end.
        assert_eq!(image[0], 0xeb);
        assert_eq!(LOAD_ADDRESS + 2 + u32::from(image[1]), PROGRAM);
    }
}

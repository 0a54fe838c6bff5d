//! The guest for measurements: one port, read as fast as it goes.

use super::asm::{AssembleError, Guest};
use super::cpu;
use super::finish::{EXIT_CLEAN, exit};
use iced_x86::code_asm::{al, ax, dx, eax, ecx, edx};

/// The size of an access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 8 bits.
    Byte,
    /// 16 bits.
    Word,
    /// 32 bits.
    Long,
}

/// A guest that reads `port` `count` times (0 means 2^32) in a loop of two instructions and then
/// leaves with [`EXIT_CLEAN`] through the debug exit port, or halts where there is none.
///
/// Loaded and entered like [`super::image()`]; it uses no memory but its own.
///
/// # Errors
///
/// The assembler's own, which no argument can cause.
pub fn hammer(port: u16, width: Width, count: u32) -> Result<Vec<u8>, AssembleError> {
    let mut g = Guest::new()?;
    let next = g.create_label();
    g.mov(edx, u32::from(port))?;
    g.mov(ecx, count)?;
    g.place(next)?;
    match width {
        Width::Byte => g.in_(al, dx)?,
        Width::Word => g.in_(ax, dx)?,
        Width::Long => g.in_(eax, dx)?,
    }
    g.loop_(next)?;
    exit(&mut g, EXIT_CLEAN)?;
    cpu::halt(&mut g)?;
    g.link()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_has_its_instruction() {
        const IN_AND_LOOP: [(Width, &[u8]); 3] = [
            (Width::Byte, &[0xec, 0xe2, 0xfd]),
            (Width::Word, &[0x66, 0xed, 0xe2, 0xfc]),
            (Width::Long, &[0xed, 0xe2, 0xfd]),
        ];
        for (width, code) in IN_AND_LOOP {
            let image = hammer(0x608, width, 1000).expect("assembles");
            assert!(image.len() < 128);
            assert!(image.windows(code.len()).any(|w| w == code), "{width:?}");
        }
    }
}

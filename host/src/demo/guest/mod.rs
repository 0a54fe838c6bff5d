//! The demonstration guest: a small operating-system-less program, assembled here, that drives
//! the devices of a PIIX4 machine and keeps checking them while one of them is replaced.
//!
//! It is one flat 32-bit image ([`image()`]), entered at [`LOAD_ADDRESS`] in protected mode with
//! flat segments, paging and interrupts off and no stack. A multiboot header lies in front, so
//! that any multiboot loader (QEMU's `-kernel`, for one) starts the same image.
//!
//! What it does, with a line for each step on COM1 that ends in `ok` or names what `FAILED`:
//!
//! 1. lists the functions on PCI bus 0,
//! 2. finds the PIIX4 power management function and gives it its I/O ports,
//! 3. sees the PM timer move,
//! 4. takes an SCI from the timer's overflow, and one provoked on demand,
//! 5. writes and reads an EEPROM over SMBus by byte, word and block,
//! 6. reads the magic of the Xen platform device, where there is one,
//! 7. says [`READY`] on the debug console and checks everything over and over, until [`STOP`]
//!    arrives on COM1 (see the `watch` module for what exactly),
//! 8. prints a [`Summary`] line, and leaves through the debug exit port with [`EXIT_CLEAN`] or
//!    [`EXIT_ERRORS`]; where there is no such port it powers the machine off.
//!
//! [`hammer()`] makes a second, much smaller guest for measurements: one port read many times.

mod asm;
mod console;
mod cpu;
mod finish;
mod hammer;
mod layout;
mod pci;
mod pm;
mod smbus;
mod summary;
mod vars;
mod watch;
mod xen;

pub use asm::AssembleError;
pub use finish::{DEBUG_EXIT_PORT, EXIT_CLEAN, EXIT_ERRORS};
pub use hammer::{Width, hammer};
pub use layout::{LOAD_ADDRESS, MEMORY_END};
pub use summary::{Summary, parse_summary};
pub use watch::{DEBUG_CONSOLE_PORT, READY, STOP};

use asm::Guest;

/// The demonstration guest's image, to be loaded and entered at [`LOAD_ADDRESS`].
///
/// It uses guest memory up to [`MEMORY_END`], needs a 8259 pair and an 8254 beside the devices it
/// demonstrates, and reads nothing that a loader passes in registers.
///
/// # Errors
///
/// The assembler's own, which no input can cause: the program is fixed.
pub fn image() -> Result<Vec<u8>, AssembleError> {
    let mut g = Guest::new()?;
    cpu::set_up(&mut g)?;
    console::set_up(&mut g)?;
    pci::scan(&mut g)?;
    pm::enable(&mut g)?;
    pm::see_timer_move(&mut g)?;
    pm::take_sci(&mut g)?;
    smbus::try_eeprom(&mut g)?;
    xen::read_magic(&mut g)?;
    watch::watch(&mut g)?;
    finish::finish(&mut g)?;

    // The subroutines.
    console::routines(&mut g)?;
    pm::routines(&mut g)?;
    smbus::run(&mut g)?;
    watch::settle(&mut g)?;
    g.link()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_is_small_and_the_same_every_time() {
        let image = image().expect("assembles");
        assert!(image.len() > 1024, "{} bytes", image.len());
        assert!(image.len() < 16 * 1024, "{} bytes", image.len());
        assert_eq!(image, super::image().expect("assembles"));
    }

    #[test]
    fn image_ends_below_the_variables() {
        let end = LOAD_ADDRESS + u32::try_from(image().expect("assembles").len()).expect("small");
        assert!(end <= layout::VARIABLES, "image ends at {end:#x}");
    }
}

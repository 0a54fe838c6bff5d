//! The guest's variables: 32-bit words at fixed addresses, zero at the start.

use super::layout::VARIABLES;
use iced_x86::code_asm::{AsmMemoryOperand, dword_ptr};

/// One variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Var {
    /// Failed checks so far.
    Errors,
    /// `Errors` as it was when the current line of output began.
    LineErrors,
    /// Functions found on PCI bus 0.
    PciFunctions,
    /// Configuration address of the power management function, 0 if there is none.
    PmFunction,
    /// Configuration address of the Xen platform device, 0 if there is none.
    XenFunction,
    /// The PM timer's value at the last reading.
    TimerLast,
    /// The PM timer extended to 32 bits; its low 24 bits are the timer's.
    Ticks,
    /// `Ticks` when a wait began.
    WaitStart,
    /// PM1_STS as the last SCI found it.
    SciStatus,
    /// SCIs taken.
    Interrupts,
    /// SCIs accounted for: `Provoked` + `Overflows`, as long as nothing went wrong.
    Expected,
    /// SCIs provoked and taken.
    Provoked,
    /// SCIs taken from an overflow of the timer.
    Overflows,
    /// 1 while the next overflow of the timer is to raise an SCI, else 0: also what PM1_EN reads.
    Armed,
    /// `Ticks` at the overflow that was armed.
    ArmedFor,
    /// Turns of the watch.
    Turns,
}

impl Var {
    /// How many there are.
    pub(super) const COUNT: u32 = Var::Turns as u32 + 1;

    /// The variable as an instruction's operand.
    pub(super) fn word(self) -> AsmMemoryOperand {
        dword_ptr(VARIABLES + 4 * self as u32)
    }
}

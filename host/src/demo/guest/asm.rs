//! The assembler with the few words that every part of the guest speaks in: port accesses,
//! strings, checks and lines of output.
//!
//! Registers: `eax`, `ecx`, `edx` and `esi` are free for any of these to overwrite; `ebx` is kept
//! by all of them.

use super::layout::{PROGRAM, with_header};
use super::vars::Var;
use iced_x86::code_asm::{CodeAssembler, CodeLabel, al, ax, dx, eax, ecx, edx, esi};
use std::ops::{Deref, DerefMut};

/// Why a guest could not be assembled.
pub use iced_x86::IcedError as AssembleError;

/// What each function that emits code returns.
pub(super) type Emitted = Result<(), AssembleError>;

/// A guest being assembled.
pub(super) struct Guest {
    asm: CodeAssembler,
    /// Where the subroutines are.
    pub(super) routines: Routines,
}

/// The entry points of the guest's subroutines, each emitted by the module it belongs to.
pub(super) struct Routines {
    /// `console`: prints the string at `esi`, which ends with a zero byte.
    pub(super) print: CodeLabel,
    /// `console`: prints the low `ecx` hexadecimal digits of `eax`.
    pub(super) print_hex: CodeLabel,
    /// `console`: prints `eax` in decimal.
    pub(super) print_decimal: CodeLabel,
    /// `console`: counts and prints that what `esi` names should be `ecx` and is `eax`.
    pub(super) fail: CodeLabel,
    /// `pm`: reads the PM timer, returns `Var::Ticks` in `eax`.
    pub(super) read_timer: CodeLabel,
    /// `pm`: provokes one SCI and waits until it has been taken.
    pub(super) provoke_sci: CodeLabel,
    /// `smbus`: runs the transaction that `al`, a value for SMBHSTCNT, starts.
    pub(super) smbus_run: CodeLabel,
    /// `watch`: accounts for the SCIs that came.
    pub(super) settle: CodeLabel,
    /// `finish`: prints the summary and leaves.
    pub(super) finish: CodeLabel,
}

impl Guest {
    pub(super) fn new() -> Result<Guest, AssembleError> {
        let mut asm = CodeAssembler::new(32)?;
        let mut label = || asm.create_label();
        let routines = Routines {
            print: label(),
            print_hex: label(),
            print_decimal: label(),
            fail: label(),
            read_timer: label(),
            provoke_sci: label(),
            smbus_run: label(),
            settle: label(),
            finish: label(),
        };
        Ok(Guest { asm, routines })
    }

    /// The finished image.
    pub(super) fn link(mut self) -> Result<Vec<u8>, AssembleError> {
        with_header(&self.asm.assemble(u64::from(PROGRAM))?)
    }

    /// Lets `label` stand for this place. (The assembler wants an instruction between two labels.)
    pub(super) fn place(&mut self, mut label: CodeLabel) -> Emitted {
        self.set_label(&mut label)?;
        self.zero_bytes()
    }

    /// Calls a subroutine.
    pub(super) fn run(&mut self, routine: CodeLabel) -> Emitted {
        self.call(routine)
    }

    /// Jumps to where there is no return from.
    pub(super) fn go_to(&mut self, place: CodeLabel) -> Emitted {
        self.jmp(place)
    }

    /// `eax` = the byte at `port`.
    pub(super) fn inb(&mut self, port: u16) -> Emitted {
        self.mov(edx, u32::from(port))?;
        self.in_(al, dx)?;
        self.movzx(eax, al)
    }

    /// `eax` = the 16-bit word at `port`.
    pub(super) fn inw(&mut self, port: u16) -> Emitted {
        self.mov(edx, u32::from(port))?;
        self.in_(ax, dx)?;
        self.movzx(eax, ax)
    }

    /// `eax` = the 32-bit word at `port`.
    pub(super) fn inl(&mut self, port: u16) -> Emitted {
        self.mov(edx, u32::from(port))?;
        self.in_(eax, dx)
    }

    /// The byte at `port` = `value`.
    pub(super) fn outb(&mut self, port: u16, value: u8) -> Emitted {
        self.mov(eax, u32::from(value))?;
        self.mov(edx, u32::from(port))?;
        self.out(dx, al)
    }

    /// The 16-bit word at `port` = `value`.
    pub(super) fn outw(&mut self, port: u16, value: u16) -> Emitted {
        self.mov(eax, u32::from(value))?;
        self.mov(edx, u32::from(port))?;
        self.out(dx, ax)
    }

    /// `esi` = the address of what `body` emits, which execution skips: strings, tables and
    /// interrupt handlers stand where they are used. (A call pushes the address that follows it.)
    pub(super) fn embed(&mut self, body: impl FnOnce(&mut Guest) -> Emitted) -> Emitted {
        let over = self.create_label();
        self.call(over)?;
        body(self)?;
        self.place(over)?;
        self.pop(esi)
    }

    /// `esi` = the address of `text`, followed by a zero byte.
    pub(super) fn string(&mut self, text: &str) -> Emitted {
        self.embed(|g| {
            g.db(text.as_bytes())?;
            g.db(&[0])
        })
    }

    /// Prints `text`.
    pub(super) fn say(&mut self, text: &str) -> Emitted {
        self.string(text)?;
        self.run(self.routines.print)
    }

    /// Prints the low `digits` hexadecimal digits of `eax`.
    pub(super) fn say_hex(&mut self, digits: u32) -> Emitted {
        self.mov(ecx, digits)?;
        self.run(self.routines.print_hex)
    }

    /// Checks that `eax`, the value of `what`, is `expected`.
    pub(super) fn check(&mut self, what: &str, expected: u32) -> Emitted {
        self.mov(ecx, expected)?;
        self.check_equal(what)
    }

    /// Checks that `eax`, the value of `what`, is equal to `ecx`.
    pub(super) fn check_equal(&mut self, what: &str) -> Emitted {
        let equal = self.create_label();
        self.cmp(eax, ecx)?;
        self.je(equal)?;
        self.string(what)?;
        self.run(self.routines.fail)?;
        self.place(equal)
    }

    /// One line of output: what `body` says, then `ok` unless a check of its failed (and has said
    /// so on the same line).
    pub(super) fn line(&mut self, body: impl FnOnce(&mut Guest) -> Emitted) -> Emitted {
        self.mov(eax, Var::Errors.word())?;
        self.mov(Var::LineErrors.word(), eax)?;
        body(self)?;
        let failed = self.create_label();
        self.mov(eax, Var::Errors.word())?;
        self.cmp(eax, Var::LineErrors.word())?;
        self.jne(failed)?;
        self.say(" ok")?;
        self.place(failed)?;
        self.say("\n")
    }
}

/// The whole instruction set is at hand on a guest: `g.mov(eax, 1)`.
impl Deref for Guest {
    type Target = CodeAssembler;

    fn deref(&self) -> &CodeAssembler {
        &self.asm
    }
}

impl DerefMut for Guest {
    fn deref_mut(&mut self) -> &mut CodeAssembler {
        &mut self.asm
    }
}

//! The user's terminal while it is the guest's console.

use std::io::{self, IsTerminal as _};

use rustix::process::getpgrp;
use rustix::termios::{
    ControlModes, InputModes, LocalModes, OptionalActions, OutputModes, Termios, tcgetattr,
    tcgetpgrp, tcsetattr,
};

/// Standard input as a console: bytes arrive as they are typed, without echo. What was
/// before comes back when this value is dropped.
pub(super) struct Terminal {
    before: Termios,
    console: Termios,
}

impl Terminal {
    /// Makes standard input a console, if it is a terminal. `signals` says whether the
    /// keys for signals keep their meaning.
    pub(super) fn enter(signals: bool) -> Option<Self> {
        if !io::stdin().is_terminal() {
            return None;
        }
        let before = tcgetattr(io::stdin()).ok()?;
        let console = console(before.clone(), signals);
        let terminal = Self { before, console };
        terminal.reenter();
        Some(terminal)
    }

    /// Makes it a console again, after the user has stopped and continued the
    /// process: the shell has restored its own settings meanwhile.
    pub(super) fn reenter(&self) {
        set(&self.console);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        set(&self.before);
    }
}

fn set(settings: &Termios) {
    // In the background the terminal is not ours, and an attempt would stop the
    // process.
    let ours = tcgetpgrp(io::stdin()).is_ok_and(|foreground| foreground == getpgrp());
    if ours && let Err(error) = tcsetattr(io::stdin(), OptionalActions::Now, settings) {
        tracing::warn!(%error, "terminal settings");
    }
}

/// The settings of QEMU's `-serial stdio`.
fn console(mut settings: Termios, signals: bool) -> Termios {
    settings.input_modes &= !(InputModes::IGNBRK
        | InputModes::BRKINT
        | InputModes::PARMRK
        | InputModes::ISTRIP
        | InputModes::INLCR
        | InputModes::IGNCR
        | InputModes::ICRNL
        | InputModes::IXON);
    settings.output_modes |= OutputModes::OPOST;
    settings.local_modes &=
        !(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::IEXTEN);
    settings.local_modes.set(LocalModes::ISIG, signals);
    settings.control_modes &= !(ControlModes::CSIZE | ControlModes::PARENB);
    settings.control_modes |= ControlModes::CS8;
    settings
}

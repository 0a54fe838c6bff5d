//! This program in the place of QEMU's.

use std::process::Command;

use crate::program::command;

/// The program, to which a machine's arguments are to be added; no processor will run.
pub(crate) fn without_processors() -> Command {
    command(&["-accel", "qtest", "-qtest", "null", "-qtest-log", "none"])
}

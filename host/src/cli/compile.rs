//! `southbridge compile-component`: what the program runs to compile a component that is
//! not its own.

use std::io;

use clap::Args;

use super::Result;
use crate::component::{Compilation, REFUSED, compile_for_parent};

/// Compile the component on stdin to code on stdout, within limits.
#[derive(Args)]
#[command(hide = true)]
pub(super) struct Compile {
    /// MiB of addresses.
    #[arg(long, value_name = "MIB")]
    memory_mib: u32,

    /// Seconds of a processor.
    #[arg(long, value_name = "SECONDS")]
    processor_seconds: u32,
}

impl Compile {
    pub(super) fn run(&self) -> Result<u8> {
        let Self { memory_mib, processor_seconds } = *self;
        let (mut input, mut output) = (io::stdin().lock(), io::stdout().lock());
        match compile_for_parent(memory_mib, processor_seconds, &mut input, &mut output)? {
            Compilation::Done => Ok(0),
            Compilation::Refused(reason) => {
                eprintln!("{reason}");
                Ok(REFUSED)
            }
        }
    }
}

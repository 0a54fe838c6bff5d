//! The child process: it limits itself, compiles, and ends.

use std::io::{self, Read, Write};

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit};

use super::super::{Error, engine};
use super::LARGEST;

/// What a compilation has come to.
pub(crate) enum Compilation {
    /// The code has been written.
    Done,
    /// The component is none; why.
    Refused(String),
}

/// Compiles the component that comes from `input`, and writes its code to `output`. All
/// this process does from now on is under the limits: MiB of addresses and seconds of a
/// processor. It ends with its parent, and cannot write files.
///
/// # Errors
/// The limits cannot be set, or a pipe is closed.
pub(crate) fn compile_for_parent(
    memory_mib: u32,
    processor_seconds: u32,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> io::Result<Compilation> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let seconds = u64::from(processor_seconds);
    for (resource, soft, hard) in [
        (Resource::As, u64::from(memory_mib) << 20, u64::from(memory_mib) << 20),
        // At the first one there is a signal that says so.
        (Resource::Cpu, seconds, seconds + 1),
        (Resource::Fsize, 0, 0),
        (Resource::Core, 0, 0),
    ] {
        setrlimit(resource, Rlimit { current: Some(soft), maximum: Some(hard) })?;
    }
    let mut bytes = Vec::new();
    input.take(LARGEST).read_to_end(&mut bytes)?;
    match engine::precompile(&bytes) {
        Ok(code) => {
            output.write_all(&code)?;
            output.flush()?;
            Ok(Compilation::Done)
        }
        Err(Error::NotAComponent(reason)) => Ok(Compilation::Refused(reason)),
        Err(error) => Ok(Compilation::Refused(error.to_string())),
    }
}

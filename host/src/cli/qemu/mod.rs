//! QEMU's command line: from arguments to what is to be started.
//!
//! [`parse`] reads arguments as QEMU 7.2 does and answers with its errors, word
//! for word where it has the same one. Options are first read one by one, in
//! order (`given`, by what the `table` says), and then made to fit together.
//! What comes out is an [`Invocation`]; nothing is opened and nothing started.
//!
//! All options are in one table, each with what becomes of it: understood;
//! accepted, because the guest is the same without it; or refused.

mod absent;
mod accel;
mod attach;
mod backend;
mod boot;
mod device;
mod drive;
mod drive_options;
mod equip;
mod error;
mod firmware_file;
mod foreign;
mod given;
mod global;
mod help;
mod invocation;
mod json;
mod launch;
mod legacy;
mod life;
mod machine;
mod memory;
mod monitor;
mod opts;
mod own;
mod resolve;
mod rtc;
mod serial;
mod smp;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use tracing_subscriber::EnvFilter;

use crate::machine::file::MachineTypes;
use given::{Collected, Given};
pub(super) use launch::Drives;
pub(super) use opts::Opts;
use table::Treatment;

pub(super) use attach::tell;
pub use error::Error;
pub use invocation::{
    Accelerator, Actions, Device, Drive, DrivePlace, Global, Images, Incoming, Interface,
    Invocation, Log, Media, Monitor, Own, Process, Qtest, QtestLog, RebootAction, Rtc, RtcBase,
    RtcClock, ShutdownAction,
};

/// What a command line asks for.
#[derive(Debug)]
pub enum Parsed {
    /// Help: print it and end with status 0. It ends with the end of a line.
    Text(String),
    /// A machine.
    Start(Box<Invocation>),
}

/// The program's name as QEMU's messages begin with it: without directories.
#[must_use]
pub fn program(argv0: &str) -> &str {
    argv0.rsplit('/').next().unwrap_or(argv0)
}

/// Whether the command line is QEMU's: the program was started under a name of
/// QEMU's, or the first argument is an option of QEMU's, with one dash or two.
/// `-h`, `--help` and `--version` are this program's own unless it was started
/// under such a name; `-help` and `-version` are QEMU's.
#[must_use]
pub fn is_qemu(argv0: &str, arguments: &[OsString]) -> bool {
    let name = program(argv0);
    let prefixes = ["qemu-system-", "xen-qemu-system-"];
    if prefixes.iter().any(|prefix| name.starts_with(prefix)) || name == "qemu-dm" {
        return true;
    }
    let first = arguments.first().and_then(|first| first.to_str()).unwrap_or_default();
    let is_known = |name: &str| table::find(name).is_some();
    match (first.strip_prefix("--"), first.strip_prefix('-')) {
        (Some(name), _) => !matches!(name, "help" | "version" | "h") && is_known(name),
        (None, Some(name)) => name != "h" && is_known(name),
        (None, None) => false,
    }
}

/// Reads a command line of QEMU's: the arguments after the program's name.
///
/// # Errors
/// What QEMU would say, or that something is not here.
pub fn parse(argv0: &str, arguments: &[OsString]) -> Result<Parsed, Error> {
    let mut all = Collected::default();
    collect(&mut all, arguments).map_err(|error| error.after(std::mem::take(&mut all.warnings)))?;
    let mut types = MachineTypes::builtin().map_err(|error| Error::new(error.to_string()))?;
    for file in &all.machine_files {
        types.load_file(file).map_err(|error| Error::new(error.to_string()))?;
    }
    if let Some(help) = &all.help {
        return help.text(program(argv0), &types, &all).map(Parsed::Text);
    }
    resolve::resolve(all, &types).map(|invocation| Parsed::Start(Box::new(invocation)))
}

/// Does what a command line of QEMU's says: the arguments after the program's name.
#[must_use]
pub fn main(argv0: &str, arguments: &[OsString]) -> ExitCode {
    let program = program(argv0);
    let invocation = match parse(argv0, arguments) {
        Ok(Parsed::Start(invocation)) => invocation,
        Ok(Parsed::Text(text)) => {
            // Whoever read it may have seen enough.
            let _ = io::Write::write_all(&mut io::stdout(), text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprint!("{}", error.report(program));
            return ExitCode::FAILURE;
        }
    };
    match start(argv0, arguments, &invocation) {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("{program}: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(argv0: &str, arguments: &[OsString], invocation: &Invocation) -> anyhow::Result<u8> {
    let Process { daemonize, daemonized, .. } = invocation.process;
    if daemonize && !daemonized {
        return launch::Daemon::start(argv0, arguments);
    }
    for warning in &invocation.warnings {
        eprintln!("{}: {warning}", program(argv0));
    }
    let daemon = if daemonized { Some(launch::Daemon::begin()?) } else { None };
    log(&invocation.log)?;
    launch::launch(program(argv0), invocation, daemon)
}

/// Sets the log up. What QEMU says of itself while it starts is in it.
fn log(log: &Log) -> anyhow::Result<()> {
    let level = if log.guest_errors { "info" } else { "warn,southbridge::chardev=info" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .without_time()
        .with_target(false);
    // Fails only if there is one already, which then is somebody's choice.
    let _ = match &log.file {
        Some(path) => {
            let file = std::fs::File::create(path)
                .map_err(|error| anyhow::anyhow!("-D {}: cannot write: {error}", path.display()))?;
            subscriber.with_writer(std::sync::Arc::new(file)).try_init()
        }
        None => subscriber.with_writer(io::stderr).try_init(),
    };
    Ok(())
}

/// Reads one option after the other.
fn collect(all: &mut Collected, arguments: &[OsString]) -> Result<(), Error> {
    let mut arguments = arguments.iter();
    while let Some(written) = arguments.next() {
        let option = written.to_string_lossy();
        let Some(name) = option.strip_prefix('-') else {
            drive::bare(all, written)?;
            continue;
        };
        let name = name.strip_prefix('-').unwrap_or(name);
        let entry = table::find(name).ok_or_else(|| Error::at(&option, "invalid option"))?;
        let argument = match entry.argument {
            None => None,
            Some(_) => {
                let argument = arguments.next().map(OsString::as_os_str);
                Some(argument.ok_or_else(|| Error::at(&option, "requires an argument"))?)
            }
        };
        let given = Given { option: &option, argument };
        match entry.treatment {
            Treatment::Understood(read) | Treatment::Accepted(read, _) => read(all, &given)?,
            Treatment::Refused(why) => return Err(given.error(format!("not supported: {why}"))),
        }
        if all.help.as_ref().is_some_and(help::Help::is_immediate) {
            break;
        }
    }
    Ok(())
}

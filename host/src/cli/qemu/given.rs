//! One option as it was given, and what is collected of all.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::PathBuf;

use super::device::GivenDevice;
use super::error::{Error, Problem};
use super::help::Help;
use super::invocation::{
    Actions, Drive, Global, Images, Incoming, Log, Monitor, Own, Process, QtestLog,
};
use super::opts::Opts;
use super::serial::SerialPort;
use crate::chardev::{Backend, Config};
use crate::machine::file::Irqchip;

/// An option on the command line.
pub(super) struct Given<'a> {
    /// As it was written, with its dashes.
    pub(super) option: &'a str,
    pub(super) argument: Option<&'a OsStr>,
}

impl Given<'_> {
    /// The option and its argument, as QEMU's errors begin.
    pub(super) fn place(&self) -> String {
        match self.argument {
            None => self.option.to_owned(),
            Some(argument) => format!("{} {}", self.option, argument.to_string_lossy()),
        }
    }

    /// The argument; nothing if the option takes none.
    pub(super) fn text(&self) -> Result<&str, Error> {
        let argument = self.argument.unwrap_or_default();
        argument.to_str().ok_or_else(|| self.error("the argument is not UTF-8"))
    }

    /// The argument, the name of a file.
    pub(super) fn path(&self) -> PathBuf {
        self.argument.unwrap_or_default().into()
    }

    /// The argument as a list of the older kind. Flags in it earn a warning.
    pub(super) fn opts(&self, all: &mut Collected, implied: Option<&str>) -> Result<Opts, Error> {
        let list = Opts::parse(self.text()?, implied);
        for (flag, instead) in &list.flags {
            all.warnings.push(format!(
                "{}: warning: short-form boolean option '{flag}' deprecated\n\
                 Please use {instead} instead",
                self.place()
            ));
        }
        Ok(list)
    }

    /// As [`opts`](Self::opts), with these keys alone.
    pub(super) fn known(
        &self,
        all: &mut Collected,
        implied: Option<&str>,
        known: &[&str],
    ) -> Result<Opts, Error> {
        let list = self.opts(all, implied)?;
        list.only(known).map_err(|problem| problem.at(&self.place()))?;
        Ok(list)
    }

    /// The argument as a list of the newer kind.
    pub(super) fn keyval(&self, implied: Option<&str>) -> Result<Opts, Error> {
        Opts::keyval(self.text()?, implied).map_err(|problem| problem.at(&self.place()))
    }

    pub(super) fn error(&self, text: impl Into<String>) -> Error {
        Problem::from(text.into()).at(&self.place())
    }

    /// Has the user know what of the option is not as in QEMU.
    pub(super) fn warn(&self, all: &mut Collected, text: &str) {
        all.warnings.push(format!("warning: {}: {text}", self.place()));
    }
}

/// All that was read, before it is known to fit together.
#[derive(Default)]
pub(super) struct Collected {
    /// Each may have a hint on a line of its own.
    pub(super) warnings: Vec<String>,
    /// The first help that was asked for.
    pub(super) help: Option<Help>,
    /// Properties of the machine, also those of options that stand for some:
    /// `smp.cpus`, `boot.order`.
    pub(super) machine: Opts,
    /// Where `-accel` named each, and the name.
    pub(super) accelerators: Vec<(String, String)>,
    pub(super) memory: Opts,
    pub(super) name: Opts,
    pub(super) uuid: Option<[u8; 16]>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) irqchip: Irqchip,
    pub(super) rtc: Opts,
    pub(super) no_defaults: bool,
    pub(super) no_graphic: bool,
    /// Where the card of `-vga std` was asked for.
    pub(super) vga: Option<String>,
    /// A monitor for people was asked for, or none.
    pub(super) no_default_monitor: bool,
    pub(super) chardevs: Vec<Config>,
    /// Character devices that several may use.
    pub(super) shared: BTreeSet<String>,
    /// The escape key of those, if one was chosen.
    pub(super) escape: Option<u8>,
    /// Each with where it was asked for.
    pub(super) monitors: Vec<(String, Monitor)>,
    pub(super) serial_ports: Vec<SerialPort>,
    /// Where the debug console was asked for, and its character device.
    pub(super) debug_console: Option<(String, String)>,
    pub(super) qtest: Option<String>,
    pub(super) qtest_log: QtestLog,
    pub(super) devices: Vec<GivenDevice>,
    pub(super) globals: Vec<Global>,
    /// Ids and sizes of the guest's RAM as objects.
    pub(super) memory_backends: Vec<(String, u64)>,
    pub(super) drives: Vec<Drive>,
    pub(super) images: Images,
    pub(super) paused: bool,
    pub(super) incoming: Option<Incoming>,
    pub(super) actions: Actions,
    pub(super) process: Process,
    pub(super) log: Log,
    pub(super) machine_files: Vec<PathBuf>,
    pub(super) own: Own,
}

impl Collected {
    pub(super) fn ask_help(&mut self, help: Help) {
        self.help.get_or_insert(help);
    }

    /// Adds a character device.
    pub(super) fn add_chardev(&mut self, config: Config) -> Result<(), Problem> {
        if self.chardevs.iter().any(|other| other.id == config.id) {
            return Err(format!("Duplicate ID '{}' for chardev", config.id).into());
        }
        let stdio = |config: &Config| matches!(config.backend, Backend::Stdio { .. });
        if stdio(&config) && self.chardevs.iter().any(stdio) {
            return Err("cannot use stdio by multiple character devices".into());
        }
        self.chardevs.push(config);
        Ok(())
    }

    pub(super) fn has_chardev(&self, id: &str) -> bool {
        self.chardevs.iter().any(|config| config.id == id)
    }
}

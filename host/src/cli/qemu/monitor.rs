//! `-mon`, `-qmp`, `-qmp-pretty`, `-monitor`, and the test protocol's `-qtest`.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::invocation::{Mode, Monitor, Qtest, QtestLog};
use super::legacy::{self, Unfit};
use super::value;
use crate::chardev::{Backend, Config};

pub(super) fn mon(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.known(all, Some("chardev"), &["id", "mode", "chardev", "pretty"])?;
    let at = |problem: Problem| problem.at(&given.place());
    let id = list.identifier("id").map_err(at)?;
    let pretty = list.flag("pretty").map_err(at)?;
    let control = list
        .get("mode")
        .map(|text| value::word("mode", text, &[("readline", false), ("control", true)]));
    let chardev =
        list.get("chardev").ok_or_else(|| given.error("Parameter 'chardev' is missing"))?;
    let mode = match (control.transpose().map_err(at)?.unwrap_or(false), pretty) {
        (false, Some(_)) => {
            return Err(given.error("'pretty' is not compatible with HMP monitors"));
        }
        (false, None) => Mode::Readline,
        (true, pretty) => Mode::Control { pretty: pretty.unwrap_or(false) },
    };
    add(all, given, Monitor { id, chardev: chardev.to_owned(), mode })
}

fn add(all: &mut Collected, given: &Given<'_>, monitor: Monitor) -> Result<(), Error> {
    let same = |other: &Monitor| monitor.id.is_some() && other.id == monitor.id;
    if let Some(id) = monitor.id.as_ref().filter(|_| all.monitors.iter().any(|(_, m)| same(m))) {
        return Err(given.error(format!("Duplicate ID '{id}' for mon")));
    }
    all.monitors.push((given.place(), monitor));
    Ok(())
}

pub(super) fn qmp(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    one(all, given, Mode::Control { pretty: false })
}

pub(super) fn qmp_pretty(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    one(all, given, Mode::Control { pretty: true })
}

/// A monitor on a character device of its own, in one word.
fn one(all: &mut Collected, given: &Given<'_>, mode: Mode) -> Result<(), Error> {
    let label = label(all);
    let failed = format!("parse error: {}", given.text()?);
    let chardev = legacy::chardev(all, given, &label)?;
    let chardev = chardev.map_err(|unfit| unfit.error(&given.place(), &failed))?;
    add(all, given, Monitor { id: Some(label), chardev, mode })
}

/// The next name that QEMU makes up.
fn label(all: &Collected) -> String {
    format!("compat_monitor{}", all.monitors.iter().filter(|(_, m)| m.is_compat()).count())
}

/// Has a monitor for people share a character device.
pub(super) fn share(all: &mut Collected, place: &str, chardev: &str) {
    all.shared.insert(chardev.to_owned());
    let monitor = Monitor { id: None, chardev: chardev.to_owned(), mode: Mode::Readline };
    all.monitors.push((place.to_owned(), monitor));
}

impl Monitor {
    /// Whether QEMU made up its name.
    fn is_compat(&self) -> bool {
        self.id.as_ref().is_some_and(|id| id.starts_with("compat_monitor"))
    }
}

pub(super) fn monitor(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.no_default_monitor = true;
    match given.text()? {
        "none" => Ok(()),
        _ => one(all, given, Mode::Readline),
    }
}

pub(super) fn escape(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let code = value::number("echr", given.text()?).ok().and_then(|code| u8::try_from(code).ok());
    all.escape = Some(code.ok_or_else(|| given.error("Bad argument to echr"))?);
    Ok(())
}

/// The monitor that QEMU has by default, where people can see it: at the terminal, if
/// there is to be no display and the first serial port is not there.
pub(super) fn resolve_default(all: &mut Collected) -> Result<(), Error> {
    let by_default = !all.no_defaults && !all.no_default_monitor && all.monitors.is_empty();
    if !all.no_graphic || !by_default || all.serial_ports.is_empty() {
        return Ok(());
    }
    let chardev = label(all);
    let backend = Backend::Stdio { signal: true };
    all.add_chardev(Config { id: chardev.clone(), backend }).map_err(Problem::bare)?;
    let monitor = Monitor { id: Some(chardev.clone()), chardev, mode: Mode::Readline };
    all.monitors.push(("-nographic".into(), monitor));
    Ok(())
}

/// Each monitor needs a character device of its own.
pub(super) fn resolve(all: &Collected) -> Result<Vec<Monitor>, Error> {
    for (place, monitor) in &all.monitors {
        if !all.has_chardev(&monitor.chardev) {
            return Err(Error::at(place, format!("chardev \"{}\" not found", monitor.chardev)));
        }
    }
    Ok(all.monitors.iter().map(|(_, monitor)| monitor.clone()).collect())
}

pub(super) fn qtest(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let failed = format!("Failed to initialize device for qtest: \"{}\"", given.text()?);
    // QEMU makes it late, and has forgotten the option.
    let chardev = legacy::chardev(all, given, "qtest")?.map_err(|unfit| match unfit {
        Unfit::Because(problem) => problem.bare().and(Error::new(&failed)),
        Unfit::Syntax => Error::new(&failed),
    })?;
    all.qtest = Some(chardev);
    Ok(())
}

pub(super) fn qtest_log(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.qtest_log = match given.path() {
        path if path.as_os_str() == "none" => QtestLog::Nowhere,
        path => QtestLog::File(path),
    };
    Ok(())
}

/// The server of the test protocol.
pub(super) fn resolve_qtest(all: &Collected) -> Result<Option<Qtest>, Error> {
    let Some(chardev) = &all.qtest else { return Ok(None) };
    if !all.has_chardev(chardev) {
        return Err(Error::new(format!(
            "Failed to initialize device for qtest: \"chardev:{chardev}\""
        )));
    }
    Ok(Some(Qtest { chardev: chardev.clone(), log: all.qtest_log.clone() }))
}

//! The guest's life and the process's: `-S`, `-incoming`, `-action`, `-name`,
//! `-pidfile` and their like.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::help::Help;
use super::invocation::{Actions, Incoming, RebootAction, ShutdownAction};
use super::value;
use crate::migrate::Uri;

pub(super) fn no_defaults(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.no_defaults = true;
    Ok(())
}

pub(super) fn paused(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.paused = true;
    Ok(())
}

pub(super) fn no_shutdown(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.actions.shutdown = ShutdownAction::Pause;
    Ok(())
}

pub(super) fn no_reboot(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.actions.reboot = RebootAction::Shutdown;
    Ok(())
}

pub(super) fn action(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let keys = ["shutdown", "reboot", "panic", "watchdog"];
    let list = given.known(all, None, &keys)?;
    for (key, text) in list.last() {
        set_action(&mut all.actions, key, text).map_err(|problem| problem.at(&given.place()))?;
    }
    Ok(())
}

fn set_action(actions: &mut Actions, key: &str, text: &str) -> Result<(), Problem> {
    const PANIC: [&str; 4] = ["pause", "shutdown", "exit-failure", "none"];
    match key {
        "reboot" => {
            let words = [("reset", RebootAction::Reset), ("shutdown", RebootAction::Shutdown)];
            actions.reboot = value::word(key, text, &words)?;
        }
        "shutdown" => {
            let words = [("poweroff", ShutdownAction::Poweroff), ("pause", ShutdownAction::Pause)];
            actions.shutdown = value::word(key, text, &words)?;
        }
        // There is no device that could tell of the one or be the other.
        "panic" => value::word(key, text, &PANIC.map(|word| (word, ())))?,
        _ => watchdog_word(text)?,
    }
    Ok(())
}

fn watchdog_word(text: &str) -> Result<(), Problem> {
    const WATCHDOG: [&str; 7] =
        ["reset", "shutdown", "poweroff", "pause", "debug", "none", "inject-nmi"];
    value::word("watchdog", text, &WATCHDOG.map(|word| (word, ())))
}

pub(super) fn watchdog_action(_: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    watchdog_word(given.text()?).map_err(|problem| problem.at(&given.place()))
}

pub(super) fn incoming(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let text = given.text()?;
    all.incoming = Some(source(text).map_err(|problem| problem.at(&given.place()))?);
    Ok(())
}

fn source(text: &str) -> Result<Incoming, Problem> {
    if text == "defer" {
        return Ok(Incoming::Defer);
    }
    let protocol = text.split_once(':').map(|(protocol, _)| protocol);
    if !protocol.is_some_and(|protocol| Uri::PROTOCOLS.contains(&protocol)) {
        return Err(format!("unknown migration protocol: {text}").into());
    }
    match (text.parse::<Uri>(), text.split_once(':').unwrap_or_default()) {
        (Err(_), ("tcp", rest)) if !rest.contains(':') => {
            Err(format!("error parsing address '{rest}'").into())
        }
        (Err(_), ("unix", "")) => Err("invalid Unix socket address".into()),
        // Nobody can have given one a name yet.
        (Ok(Uri::Fd(name)), _) if name.parse::<u32>().is_err() => {
            Err(format!("Invalid file descriptor number '{name}'").into())
        }
        (Ok(uri), _) => Ok(Incoming::From(uri)),
        (Err(error), _) => Err(error.to_string().into()),
    }
}

pub(super) fn name(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.known(all, Some("guest"), &["guest", "process", "debug-threads"])?;
    let named = list.flag("debug-threads").map_err(|problem| problem.at(&given.place()))?;
    if let Some(title) = list.get("process") {
        all.process.title = Some(title.into());
    }
    if let Some(named) = named {
        all.process.thread_names = named;
    }
    all.name.merge(list);
    Ok(())
}

pub(super) fn uuid(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let uuid = bytes(given.text()?);
    let wrong = || given.error("failed to parse UUID string: wrong format");
    all.uuid = Some(uuid.ok_or_else(wrong)?);
    Ok(())
}

/// `8-4-4-4-12` hexadecimal digits.
fn bytes(text: &str) -> Option<[u8; 16]> {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let digits = parts.concat();
    if lengths != [8, 4, 4, 4, 12] || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u128::from_str_radix(&digits, 16).ok().map(u128::to_be_bytes)
}

pub(super) fn pidfile(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.process.pidfile = Some(given.path());
    Ok(())
}

pub(super) fn daemonize(all: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    all.process.daemonize = true;
    Ok(())
}

pub(super) fn log_file(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.log.file = Some(given.path());
    Ok(())
}

pub(super) fn log_items(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    const EMULATION: &[&str] = &[
        "all",
        "out_asm",
        "in_asm",
        "op",
        "op_opt",
        "op_ind",
        "int",
        "exec",
        "cpu",
        "fpu",
        "mmu",
        "pcall",
        "cpu_reset",
        "page",
        "nochain",
        "plugin",
        "strace",
        "tid",
        "vpu",
        "none",
    ];
    if matches!(given.text()?, "help" | "?") {
        all.ask_help(Help::LogItems);
        return Ok(());
    }
    for item in given.text()?.split(',') {
        match item {
            "guest_errors" | "unimp" => all.log.guest_errors = true,
            _ if EMULATION.contains(&item) || item.starts_with("trace:") => {
                given.warn(all, &format!("nothing here logs '{item}'"));
            }
            _ => {
                return Err(given.error(format!(
                    "unknown log item '{item}'; guest_errors and unimp are known"
                )));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_come_from_many_places() {
        assert_eq!(source("defer"), Ok(Incoming::Defer));
        for text in ["exec:cat x", "fd:15", "file:/a:b,offset=4k", "unix:/a", "tcp:[::1]:44"] {
            assert_eq!(source(text), Ok(Incoming::From(text.parse().expect(text))), "{text}");
        }
        for (text, problem) in [
            ("foo:bar", "unknown migration protocol: foo:bar"),
            ("fd:foo", "Invalid file descriptor number 'foo'"),
            ("fd:-1", "Invalid file descriptor number '-1'"),
            ("tcp:1", "error parsing address '1'"),
            ("unix:", "invalid Unix socket address"),
            ("rdma:x:1", "unknown migration protocol: rdma:x:1"),
        ] {
            assert_eq!(source(text).expect_err(text).text, problem);
        }
    }

    #[test]
    fn uuids_have_dashes() {
        let uuid = bytes("550e8400-e29b-41d4-a716-446655440000").expect("right");
        assert_eq!(uuid[..4], [0x55, 0x0e, 0x84, 0x00]);
        for text in
            ["", "foo", "550e8400e29b41d4a716446655440000", "+50e8400-e29b-41d4-a716-446655440000"]
        {
            assert_eq!(bytes(text), None, "{text}");
        }
    }
}

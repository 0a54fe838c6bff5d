//! Character devices in one word: `-serial`, `-qmp`, `-qtest`, `-monitor`.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::opts::Opts;
use super::{backend, monitor};
use crate::chardev::{Backend, Config};

/// Why there is no such character device.
pub(super) enum Unfit {
    /// QEMU says why, and then that the option failed.
    Because(Problem),
    /// It says only that.
    Syntax,
}

impl Unfit {
    /// QEMU's error: why, if it says so, and then `failed`.
    pub(super) fn error(self, place: &str, failed: &str) -> Error {
        let failed = Error::at(place, failed);
        match self {
            Self::Because(problem) => problem.at(place).and(failed),
            Self::Syntax => failed,
        }
    }
}

/// The character device of a word: the id of one there is, for `chardev:ID`, or
/// that of a new one, `label`.
pub(super) fn chardev(
    all: &mut Collected,
    given: &Given<'_>,
    label: &str,
) -> Result<Result<String, Unfit>, Error> {
    let text = given.text()?;
    if let Some(id) = text.strip_prefix("chardev:") {
        // Whether it is there is known when all options are read.
        return Ok(Ok(id.to_owned()));
    }
    let (text, with_monitor) = match text.strip_prefix("mon:") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let added = read(text).and_then(|backend| {
        let backend = match backend {
            // Whoever types to a guest there means the guest.
            Backend::Stdio { .. } if with_monitor => Backend::Stdio { signal: false },
            backend => backend,
        };
        let config = Config { id: label.to_owned(), backend };
        all.add_chardev(config).map_err(Unfit::Because)
    });
    if added.is_ok() && with_monitor {
        monitor::share(all, &given.place(), label);
    }
    Ok(added.map(|()| label.to_owned()))
}

/// Reads a word.
fn read(text: &str) -> Result<Backend, Unfit> {
    let list = match text.split_once(':') {
        None if matches!(text, "null" | "pty" | "stdio") => one("backend", text),
        None if matches!(text, "vc" | "msmouse" | "wctablet" | "braille" | "testdev") => {
            one("backend", text)
        }
        Some(("vc", _)) => one("backend", "vc"),
        // No list: a comma is a part of the path.
        Some((backend @ ("file" | "pipe"), path)) => {
            let mut list = one("backend", backend);
            list.set("path", path.into());
            list
        }
        Some(("unix", rest)) => {
            let mut list = Opts::parse(rest, Some("path"));
            list.set("backend", "socket".into());
            list
        }
        Some((kind @ ("tcp" | "telnet" | "tn3270" | "websocket"), rest)) => {
            let mut list = tcp(rest)?;
            if kind != "tcp" {
                list.set(kind, "on".into());
            }
            list
        }
        Some(("udp", _)) => one("backend", "udp"),
        _ if text.starts_with("/dev/") => one("backend", "serial"),
        _ => return Err(Unfit::Because(format!("'{text}' is not a valid char driver").into())),
    };
    backend::check_keys(&list).map_err(Unfit::Because)?;
    backend::backend(&list).map_err(Unfit::Because)
}

fn one(key: &str, text: &str) -> Opts {
    [(key.to_owned(), text.to_owned())].into_iter().collect()
}

/// `HOST:PORT[,OPTION]...`.
fn tcp(text: &str) -> Result<Opts, Unfit> {
    let (host, rest) = text.split_once(':').ok_or(Unfit::Syntax)?;
    let (port, options) = rest.split_once(',').unwrap_or((rest, ""));
    if port.is_empty() || host.len() > 64 || port.len() > 32 {
        return Err(Unfit::Syntax);
    }
    let mut list = Opts::parse(options, None);
    list.set("backend", "socket".into());
    list.set("host", host.into());
    list.set("port", port.into());
    Ok(list)
}

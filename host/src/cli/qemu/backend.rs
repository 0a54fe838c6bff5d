//! `-chardev`.

use std::time::Duration;

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::help::Help;
use super::opts::Opts;
use super::value;
use crate::chardev::{Backend, Config, Role, SocketAddress, SocketConfig};

/// QEMU's keys, whatever the back end.
const KEYS: &[&str] = &[
    "backend",
    "id",
    "path",
    "input-path",
    "host",
    "port",
    "fd",
    "localaddr",
    "localport",
    "to",
    "ipv4",
    "ipv6",
    "wait",
    "server",
    "delay",
    "nodelay",
    "reconnect",
    "telnet",
    "tn3270",
    "tls-creds",
    "tls-authz",
    "websocket",
    "width",
    "height",
    "cols",
    "rows",
    "mux",
    "signal",
    "name",
    "debug",
    "size",
    "append",
    "logfile",
    "logappend",
    "abstract",
    "tight",
];

/// The back ends there are, as help lists them.
pub(super) const NAMES: &[&str] = &["file", "null", "pipe", "pty", "socket", "stdio"];

/// Back ends of QEMU's that are not here.
const ABSENT: &[&str] = &[
    "braille",
    "chardev",
    "dbus",
    "memory",
    "msmouse",
    "mux",
    "parallel",
    "parport",
    "qemu-vdagent",
    "ringbuf",
    "serial",
    "spiceport",
    "spicevmc",
    "testdev",
    "tty",
    "udp",
    "vc",
    "wctablet",
];

/// Keys that are refused if they are on, or there.
const REFUSED: &[(&str, &str)] = &[
    ("telnet", "there is no Telnet here"),
    ("tn3270", "there is no Telnet here"),
    ("websocket", "there are no WebSockets here"),
    ("abstract", "there are no sockets outside the file system here"),
];

const REFUSED_VALUES: &[(&str, &str)] = &[
    ("tls-creds", "there is no TLS here"),
    ("tls-authz", "there is no TLS here"),
    ("logfile", "there is no log of character devices here"),
    ("to", "there is no choice of ports here"),
];

pub(super) fn chardev(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    if matches!(given.text()?, "help" | "?") {
        all.ask_help(Help::Chardevs);
        return Ok(());
    }
    let list = given.opts(all, Some("backend"))?;
    let at = |problem: Problem| problem.at(&given.place());
    check_keys(&list).map_err(at)?;
    let id = list.identifier("id").map_err(at)?;
    let id = id.ok_or_else(|| given.error("chardev: no id specified"))?;
    let backend = read(&list, given, all)?;
    if list.flag("mux").map_err(at)? == Some(true) {
        all.shared.insert(id.clone());
    }
    all.add_chardev(Config { id, backend }).map_err(at)
}

/// Refuses keys that are none of QEMU's.
pub(super) fn check_keys(list: &Opts) -> Result<(), Problem> {
    list.only(KEYS)
}

fn read(list: &Opts, given: &Given<'_>, all: &mut Collected) -> Result<Backend, Error> {
    if let Some(key) = ["ipv4", "ipv6"].into_iter().find(|key| list.get(key).is_some()) {
        given.warn(all, &format!("{key}: every address of the host's name is tried"));
    }
    backend(list).map_err(|problem| problem.at(&given.place()))
}

/// The back end of a list whose keys are known.
pub(super) fn backend(list: &Opts) -> Result<Backend, Problem> {
    let name = list.get("backend").ok_or("chardev: \"\" missing backend")?;
    for (key, why) in REFUSED {
        if list.flag(key)? == Some(true) {
            return Err(format!("'{key}' is not supported: {why}").into());
        }
    }
    if let Some((key, why)) = REFUSED_VALUES.iter().find(|(key, _)| list.get(key).is_some()) {
        return Err(format!("'{key}' is not supported: {why}").into());
    }
    let path = |missing: &str| {
        list.get("path").map(Into::into).ok_or_else(|| Problem::from(format!("chardev: {missing}")))
    };
    match name {
        "null" => Ok(Backend::Null),
        "stdio" => Ok(Backend::Stdio { signal: list.flag("signal")?.unwrap_or(true) }),
        "pty" => Ok(Backend::Pty),
        "pipe" => Ok(Backend::Pipe { path: path("pipe: no device path given")? }),
        "file" => Ok(Backend::File {
            path: path("file: no filename given")?,
            append: list.flag("append")?.unwrap_or(false),
            input: list.get("input-path").map(Into::into),
        }),
        "socket" => socket(list).map(Backend::Socket),
        name if ABSENT.contains(&name) => {
            Err(format!("there is no character device back end '{name}' here").into())
        }
        name => Err(format!("'{name}' is not a valid char driver name").into()),
    }
}

fn socket(list: &Opts) -> Result<SocketConfig, Problem> {
    let server = list.flag("server")?.unwrap_or(false);
    let wait = list.flag("wait")?;
    let reconnect = list.number("reconnect")?;
    let address = address(list)?;
    let role = match (server, wait, reconnect.filter(|seconds| *seconds != 0)) {
        (true, _, Some(_)) => {
            return Err(
                "'reconnect' option is incompatible with socket in server listen mode".into()
            );
        }
        (false, Some(_), _) => {
            return Err("'wait' option is incompatible with socket in client connect mode".into());
        }
        (true, wait, None) => Role::Server { wait: wait.unwrap_or(true) },
        (false, None, seconds) => Role::Client { reconnect: seconds.map(Duration::from_secs) },
    };
    if matches!((&address, role), (SocketAddress::Fd(_), Role::Client { reconnect: Some(_) })) {
        return Err("'reconnect' option is incompatible with 'fd'".into());
    }
    Ok(SocketConfig { address, role })
}

fn address(list: &Opts) -> Result<SocketAddress, Problem> {
    let nodelay = match (list.flag("nodelay")?, list.flag("delay")?) {
        (Some(nodelay), _) => nodelay,
        (None, delay) => !delay.unwrap_or(true),
    };
    match (list.get("path"), list.get("host"), list.get("fd")) {
        (Some(path), None, None) => Ok(SocketAddress::Unix(path.into())),
        (None, Some(host), None) => {
            let port = list.get("port").ok_or("chardev: socket: no port given")?;
            Ok(SocketAddress::Tcp { host: host.into(), port: port_of(host, port)?, nodelay })
        }
        (None, None, fd) => {
            // QEMU's words also if no address is given at all.
            let text = fd.unwrap_or_default();
            let fd = text.parse().ok().filter(|fd| *fd >= 0);
            let wrong = || Problem::from(format!("Unable to parse FD number {text}"));
            fd.map(SocketAddress::Fd).ok_or_else(wrong)
        }
        _ => Err("None or one of 'path', 'fd' or 'host' option required.".into()),
    }
}

/// A port in the network: a number. QEMU also takes names of services.
pub(super) fn port_of(host: &str, port: &str) -> Result<u16, Problem> {
    let number = value::number("port", port).ok().and_then(|port| u16::try_from(port).ok());
    let wrong =
        || format!("address resolution failed for {host}:{port}: a port from 0 to 65535 expected");
    number.ok_or_else(|| wrong().into())
}

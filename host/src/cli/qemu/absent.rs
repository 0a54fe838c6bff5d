//! Options about what is not here: accepted where a guest without it runs as
//! well, refused where it would not.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::json::{self, Kind};
use super::value;

const GUEST_LACKS: &str = "there is no such device here; the guest does not have it";
const NO_DISPLAY: &str = "there is no display here";

/// Accepted without a look at the argument.
pub(super) fn ignored(_: &mut Collected, _: &Given<'_>) -> Result<(), Error> {
    Ok(())
}

/// Accepted, and the user told that the guest does not have it.
pub(super) fn lacking(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    given.warn(all, GUEST_LACKS);
    Ok(())
}

pub(super) fn vnc(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    match given.text()? {
        "none" => {}
        text if text.contains(':') => given.warn(all, "there is no display server here"),
        _ => return Err(given.error("no vnc port specified")),
    }
    Ok(())
}

pub(super) fn display(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    const OTHERS: [&str; 9] =
        ["cocoa", "curses", "dbus", "default", "egl-headless", "gtk", "sdl", "spice-app", "vnc"];
    // Unlike the others this one is a word of the option itself.
    if given.text()?.starts_with("vnc=") {
        return vnc(all, given);
    }
    let list = json::list(all, given, "type", Kind::Keyval)?;
    match list.get("type").unwrap_or_default() {
        "none" => match list.last().find(|(key, _)| *key != "type") {
            None => Ok(()),
            Some((key, _)) => Err(given.error(format!("Parameter '{key}' is unexpected"))),
        },
        name if OTHERS.contains(&name) => {
            given.warn(all, NO_DISPLAY);
            Ok(())
        }
        name => Err(given.error(format!("Parameter 'type' does not accept value '{name}'"))),
    }
}

/// `-net` and `-nic`.
pub(super) fn net(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    network(all, given, "type", &["none"])
}

pub(super) fn netdev(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    network(all, given, "type", &[])
}

fn network(
    all: &mut Collected,
    given: &Given<'_>,
    implied: &str,
    nothing: &[&str],
) -> Result<(), Error> {
    const KINDS: [&str; 12] = [
        "bridge",
        "dgram",
        "hubport",
        "l2tpv3",
        "nic",
        "socket",
        "stream",
        "tap",
        "user",
        "vde",
        "vhost-user",
        "vhost-vdpa",
    ];
    let list = json::list(all, given, implied, Kind::Flags)?;
    let kind = list.get("type").unwrap_or_default();
    if nothing.contains(&kind) {
        return Ok(());
    }
    // What a toolstack gives to a guest besides its paravirtual network.
    if kind == "tap" && nothing.is_empty() {
        if list.get("id").is_none() {
            return Err(given.error("Parameter 'id' is missing"));
        }
        given.warn(all, "there is no network here; nothing is connected to it");
        return Ok(());
    }
    Err(if KINDS.contains(&kind) {
        given.error(format!("there is no network '{kind}' here"))
    } else {
        given.error(format!("Parameter 'type' does not accept value '{kind}'"))
    })
}

pub(super) fn usb_device(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let name = given.text()?;
    match name {
        "tablet" | "mouse" | "keyboard" | "wacom-tablet" | "ccid" | "braille" => {
            lacking(all, given)
        }
        _ => Err(given.error(format!("could not add USB device '{name}'"))),
    }
}

pub(super) fn audiodev(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = json::list(all, given, "driver", Kind::Keyval)?;
    match list.get("driver").unwrap_or_default() {
        "none" => Ok(()),
        name @ ("alsa" | "coreaudio" | "dbus" | "dsound" | "jack" | "oss" | "pa" | "sdl"
        | "sndio" | "spice" | "wav" | "pipewire") => {
            Err(given.error(format!("there is no sound '{name}' here")))
        }
        name => Err(given.error(format!("Parameter 'driver' does not accept value '{name}'"))),
    }
}

/// Objects that nothing here uses are accepted, since nothing changes; RAM is
/// remembered, since the machine may name it.
pub(super) fn object(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    const UNUSED: [&str; 5] = ["iothread", "main-loop", "rng-builtin", "rng-random", "secret"];
    let list = json::list(all, given, "qom-type", Kind::Keyval)?;
    let kind = list.get("qom-type").unwrap_or_default();
    let is_ram = kind == "memory-backend-ram";
    if !is_ram && !UNUSED.contains(&kind) {
        return Err(given.error(format!("Parameter 'qom-type' does not accept value '{kind}'")));
    }
    let at = |problem: Problem| problem.at(&given.place());
    let id = list.identifier("id").map_err(at)?;
    let id = id.ok_or_else(|| given.error("Parameter 'id' is missing"))?;
    if is_ram {
        let size = list.get("size").ok_or_else(|| given.error("Parameter 'size' is missing"))?;
        let size = value::size("size", size, 1).map_err(at)?;
        if all.memory_backends.iter().any(|(other, _)| *other == id) {
            return Err(given.error(format!("attempt to add duplicate property '{id}' to object")));
        }
        all.memory_backends.push((id, size));
    }
    Ok(())
}

pub(super) fn message(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    flags(all, given, &["timestamp", "guest-name"])
}

pub(super) fn overcommit(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    flags(all, given, &["mem-lock", "cpu-pm"])
}

/// A list of flags that change nothing.
fn flags(all: &mut Collected, given: &Given<'_>, keys: &[&str]) -> Result<(), Error> {
    let list = given.known(all, None, keys)?;
    for (key, text) in list.last() {
        value::flag(key, text).map_err(|problem| problem.at(&given.place()))?;
    }
    Ok(())
}

pub(super) fn domain(_: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let id = value::number("xen-domid", given.text()?);
    id.map(drop).map_err(|problem| problem.at(&given.place()))
}

pub(super) fn sandbox(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.opts(all, Some("enable"))?;
    let at = |problem: Problem| problem.at(&given.place());
    let keys = ["enable", "obsolete", "elevateprivileges", "spawn", "resourcecontrol"];
    list.only(&keys).map_err(at)?;
    list.flag("enable").map(drop).map_err(at)
}

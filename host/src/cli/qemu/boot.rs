//! `-boot`, and the images of `-kernel`, `-bios` and the like.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::value;
use crate::machine::file::{MachineType, Origin, Value};

/// The properties of the machine that are about booting.
pub(super) const GROUP: &str = "boot";

pub(super) fn boot(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.keyval(Some("order"))?;
    for (key, text) in list.last() {
        all.machine.set(&format!("boot.{key}"), text.into());
    }
    Ok(())
}

/// Has the machine boot in that order, if it has one.
pub(super) fn resolve(all: &mut Collected, machine: &mut MachineType) -> Result<(), Error> {
    let (mut order, mut once, mut menu) = (None, None, None);
    let mut times = Vec::new();
    for (key, text) in all.machine.under("boot.") {
        let name = format!("{GROUP}.{key}");
        let checked = match key {
            "order" => devices(text).map(|()| order = Some(text.to_owned())),
            "once" => devices(text).map(|()| once = Some(text.to_owned())),
            "menu" => value::flag(&name, text).map(|on| menu = Some(Value::Flag(on))),
            "strict" => value::flag(&name, text).map(drop),
            "splash-time" | "reboot-timeout" => {
                value::integer(&name, text).map(|time| times.push((name.clone(), time)))
            }
            "splash" => Ok(()),
            _ => Err(format!("Parameter '{name}' is unexpected").into()),
        };
        checked.map_err(Problem::bare)?;
    }
    if let Some(menu) = menu {
        machine.set_option("boot.menu", menu, Origin::outside("-boot", "menu"));
    }
    for (name, time) in times {
        // Numbers below 0 say that there is none, as in QEMU.
        let time = Value::Number((time as u32).into());
        machine.set_option(&name, time, Origin::outside("-boot", &name));
    }
    if let Some(once) = &once {
        all.warnings.push(format!("warning: -boot once={once}: the order stays after a reset"));
    }
    if let Some(order) = once.or(order).filter(|order| !order.is_empty()) {
        // The CMOS has room for three.
        if order.len() > 3 {
            return Err(Error::new("Too many boot devices for PC"));
        }
        if let Some(letter) = order.chars().find(|letter| !"abcdn".contains(*letter)) {
            return Err(Error::new(format!("Invalid boot device for PC: '{letter}'")));
        }
        machine.set_option("boot.order", Value::Text(order), Origin::outside("-boot", "order"));
    }
    Ok(())
}

/// Letters from a to p, none twice.
fn devices(text: &str) -> Result<(), Problem> {
    for (at, letter) in text.char_indices() {
        if !('a'..='p').contains(&letter) {
            return Err(format!("Invalid boot device '{letter}'").into());
        }
        if text[..at].contains(letter) {
            return Err(format!("Boot device '{letter}' was given twice").into());
        }
    }
    Ok(())
}

pub(super) fn bios(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.images.firmware = Some(given.path());
    Ok(())
}

pub(super) fn directory(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.images.directories.push(given.path());
    Ok(())
}

pub(super) fn kernel(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.images.kernel = Some(given.path());
    Ok(())
}

pub(super) fn initrd(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.images.initrd = Some(given.path());
    Ok(())
}

pub(super) fn append(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    all.images.append = Some(given.text()?.into());
    Ok(())
}

/// What only a kernel has a use for must not be there without one.
pub(super) fn check_images(all: &Collected) -> Result<(), Error> {
    let images = &all.images;
    if images.kernel.is_some() {
        return Ok(());
    }
    if images.append.as_ref().is_some_and(|text| !text.is_empty()) {
        return Err(Error::new("-append only allowed with -kernel option"));
    }
    if images.initrd.is_some() {
        return Err(Error::new("-initrd only allowed with -kernel option"));
    }
    Ok(())
}

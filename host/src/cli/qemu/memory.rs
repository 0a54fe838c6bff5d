//! `-m`.

use super::error::{Error, Problem};
use super::given::{Collected, Given};
use super::value;

/// The properties of the machine that are about memory.
pub(super) const GROUP: &str = "memory";

const MIB: u64 = 1 << 20;
/// QEMU's default for a PC.
const DEFAULT: u64 = 128 * MIB;

pub(super) fn memory(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = given.known(all, Some("size"), &["size", "slots", "maxmem"])?;
    let at = |problem: Problem| problem.at(&given.place());
    if let Some(text) = list.get("size").filter(|text| !text.is_empty()) {
        value::size("size", text, MIB).map_err(at)?;
    }
    list.number("slots").map_err(at)?;
    if let Some(text) = list.get("maxmem") {
        value::size("maxmem", text, 1).map_err(at)?;
    }
    all.memory.merge(list);
    Ok(())
}

/// The bytes of RAM.
pub(super) fn resolve(all: &mut Collected) -> Result<u64, Error> {
    let mut list = all.memory.clone();
    // The machine's properties count bytes.
    for (key, text) in all.machine.under("memory.") {
        let key = match key {
            "max-size" => "maxmem",
            "size" | "slots" => key,
            _ => return Err(Error::new(format!("Parameter '{GROUP}.{key}' is unexpected"))),
        };
        if list.get(key).is_none() {
            let bytes = text.ends_with(|last: char| last.is_ascii_digit());
            list.set(key, if bytes && key == "size" { format!("{text}b") } else { text.into() });
        }
    }
    let backend = all.machine.get("memory-backend");
    let object = all.memory_backends.iter().find(|(id, _)| Some(id.as_str()) == backend);
    let default = object.map_or(DEFAULT, |(_, bytes)| *bytes);
    let size = list.get("size").filter(|text| !text.is_empty());
    let size = size.map(|text| value::size("size", text, MIB)).transpose();
    let size = size.map_err(Problem::bare)?.filter(|size| *size != 0).unwrap_or(default);
    let slots = list.number("slots").map_err(Problem::bare)?.unwrap_or(0);
    let most = list.get("maxmem").map(|text| value::size("maxmem", text, 1)).transpose();
    match most.map_err(Problem::bare)? {
        None if slots > 0 => return Err(Error::new("slots specified but no max-size")),
        Some(most) if most < size => {
            return Err(Error::new(format!(
                "invalid value of maxmem: maximum memory size ({most:#x}) must be at least the \
                 initial memory size ({size:#x})"
            )));
        }
        Some(most) if most > size => {
            all.warnings.push(format!("warning: maxmem={most}: no memory can be added later"));
        }
        _ => {}
    }
    match object {
        Some((_, bytes)) if *bytes != size => Err(Error::new(
            "Size specified by -m option must match size of explicitly specified \
             'memory-backend' property",
        )),
        _ => Ok(size),
    }
}

//! `-southbridge`: what QEMU has no option for.

use super::error::Error;
use super::given::{Collected, Given};
use super::opts::Opts;

const KEYS: &[&str] =
    &["metrics", "control", "code-cache", "machine-file", "component", "daemonized"];

pub(super) fn southbridge(all: &mut Collected, given: &Given<'_>) -> Result<(), Error> {
    let list = Opts::parse(given.text()?, None);
    list.only(KEYS).map_err(|problem| problem.at(&given.place()))?;
    for (key, text) in list.each() {
        if text.is_empty() {
            return Err(given.error(format!("Parameter '{key}' is empty")));
        }
        let own = &mut all.own;
        match key {
            "metrics" => {
                let address = text.parse().map_err(|error| given.error(error))?;
                own.metrics = Some(address);
            }
            "control" => own.control = Some(text.into()),
            "code-cache" => own.code_cache = Some(text.into()),
            "daemonized" => all.process.daemonized = true,
            "machine-file" => all.machine_files.push(text.into()),
            _ => {
                let pair =
                    text.split_once(':').filter(|(id, file)| !id.is_empty() && !file.is_empty());
                let (id, component) = pair
                    .ok_or_else(|| given.error("Parameter 'component' expects DEVICE:COMPONENT"))?;
                own.components.push((id.into(), component.into()));
            }
        }
    }
    Ok(())
}

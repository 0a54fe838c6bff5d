//! Whether the parts around a stream's sections are a machine's.

use vmstate::{Configuration, Stream};

use super::{Fault, Problem};
use crate::machine::Machine;

/// What is wrong about the machine a stream says it is of, if it `has_memory`.
pub(super) fn other_machine(
    machine: &Machine,
    configuration: Option<&Configuration>,
    has_memory: bool,
) -> Option<Fault> {
    let name = || machine.name().to_owned();
    match configuration {
        Some(found) if found.machine != machine.name() => {
            Some(Fault::OtherMachine { stated: found.machine.clone(), machine: name() })
        }
        None if machine.migration().send_configuration && has_memory => {
            Some(Fault::NoConfiguration { machine: name() })
        }
        _ => None,
    }
}

pub(super) fn check(machine: &Machine, stream: &Stream) -> Vec<Problem> {
    let has_memory = !stream.live.range.is_empty();
    let fault = other_machine(machine, stream.configuration.as_ref(), has_memory);
    let mut problems: Vec<_> =
        fault.into_iter().map(|fault| Problem { offset: None, fault }).collect();
    let found = stream.devices.footers;
    if let Some(first) = stream.devices.sections.first()
        && found != machine.migration().send_section_footer
    {
        let fault = Fault::Footers { found, machine: machine.name().to_owned() };
        problems.push(Problem { offset: Some(first.offset), fault });
    }
    problems
}

//! Commands for people (QEMU's `qapi/misc.json` and `hmp-commands.hx`).

use serde::Deserialize;

use super::state;
use crate::control::monitor::human::{self, About, HumanCommand};
use crate::control::qmp::{
    Call, Chardev, Done, Error, Hmp, NoArguments, QEMU_VERSION, Registry, Setup,
};

pub(super) fn register(registry: &mut Registry) {
    registry.add("human-monitor-command", human_monitor_command);
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    command_line: String,
    cpu_index: Option<i64>,
}

fn human_monitor_command(call: &Call<'_>, line: Line) -> Result<String, Error> {
    let Line { command_line, cpu_index } = line;
    let cpus = i64::from(call.machine().parameters().cpus);
    if cpu_index.is_some_and(|index| !(0..cpus).contains(&index)) {
        return Err(Error::generic("Parameter 'cpu-index' expects a CPU number"));
    }
    Ok(call.core.hmp.execute(call, &command_line))
}

/// The commands for people there are.
pub(in super::super) fn commands() -> Hmp {
    let mut hmp = Hmp::default();
    for (name, help, run) in [
        ("stop|s", "stop emulation", state::stop as Quiet),
        ("cont|c", "resume emulation", state::cont),
        ("system_reset", "reset the system", state::system_reset),
        ("system_powerdown", "send system power down event", state::system_powerdown),
        ("system_wakeup", "wakeup guest from suspend", state::system_wakeup),
        ("quit|q", "quit the emulator", state::quit),
    ] {
        hmp.add(name, "", help, move |call, _| {
            run(call, NoArguments {}).map(|Done {}| String::new())
        });
    }
    for command in human::COMMANDS {
        hmp.add(command.name, command.usage, command.help, |call, rest| {
            Ok(look(call, command, rest))
        });
    }
    hmp
}

type Quiet = fn(&Call<'_>, NoArguments) -> Result<Done, Error>;

/// Looks at the machine.
fn look(call: &Call<'_>, command: &HumanCommand, rest: &str) -> String {
    let Setup { name, uuid, chardevs, .. } = call.setup();
    let chardevs = chardevs()
        .into_iter()
        .map(|Chardev { label, filename, .. }| human::Chardev { label, filename });
    let (major, minor, micro) = QEMU_VERSION;
    let package = concat!("southbridge ", env!("CARGO_PKG_VERSION"));
    command.execute(
        &About {
            guest: call.guest(),
            version: &format!("{major}.{minor}.{micro} ({package})"),
            name: name.as_deref(),
            uuid: Some(uuid),
            chardevs: &chardevs.collect::<Vec<_>>(),
        },
        rest,
    )
}

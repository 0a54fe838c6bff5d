//! Commands of QEMU's monitor for people that look at a machine or operate it, with its
//! texts.
//!
//! A line is a command's name and arguments. Whoever takes lines finds the command in
//! [`COMMANDS`] and has it [executed](HumanCommand::execute) with the rest.

mod arguments;
mod info;
mod objects;
mod person;
#[cfg(test)]
mod tests;
mod words;

use arguments::{Given, Parameter};
use words::Words;

use crate::guest::Guest;

/// What a monitor is asked about.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The guest.
    pub guest: &'a Guest,
    /// The version of QEMU whose interface this is, and of what provides it.
    pub version: &'a str,
    /// The name it was given.
    pub name: Option<&'a str>,
    /// The UUID it was given.
    pub uuid: Option<&'a str>,
    /// Its character devices.
    pub chardevs: &'a [Chardev],
}

/// A character device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chardev {
    /// Its label.
    pub label: String,
    /// What it is connected to, as QEMU says it: `unix:/tmp/a,server=on`.
    pub filename: String,
}

/// A command.
pub struct HumanCommand {
    /// Its name: `qom-get`, or `info status` if it is one of a family.
    pub name: &'static str,
    /// Its parameters, for people.
    pub usage: &'static str,
    /// What it does, for people.
    pub help: &'static str,
    parameters: &'static [Parameter],
    run: fn(&About<'_>, &Given) -> String,
}

impl HumanCommand {
    /// Executes the command. `rest` is what followed its name. Returns what the
    /// monitor prints: also if an argument is wrong, since QEMU has no errors here.
    #[must_use]
    pub fn execute(&self, about: &About<'_>, rest: &str) -> String {
        let Self { name, parameters, run, .. } = self;
        match arguments::read(parameters, Words::new(rest)) {
            Ok(given) => run(about, &given),
            Err(problem) => {
                let last = name.rsplit(' ').next().unwrap_or_default();
                format!("{}\nTry \"help {name}\" for more information\n", problem.of(last))
            }
        }
    }
}

const fn command(
    name: &'static str,
    usage: &'static str,
    help: &'static str,
    parameters: &'static [Parameter],
    run: fn(&About<'_>, &Given) -> String,
) -> HumanCommand {
    HumanCommand { name, usage, help, parameters, run }
}

use Parameter::{Drive, File, Number, Option as Switch, OptionalNumber, OptionalWord, Value, Word};

/// The commands, in alphabetical order.
pub const COMMANDS: &[HumanCommand] = &[
    command(
        "change",
        "device [-f] filename [format [read-only-mode]]",
        "put an image into a drive (-f: even if the guest keeps what is in there)",
        &[Drive, Switch('f'), File, OptionalWord, OptionalWord],
        person::change,
    ),
    command(
        "eject",
        "[-f] device",
        "take out what is in a drive (-f: even if the guest keeps it)",
        &[Switch('f'), Drive],
        person::eject,
    ),
    command(
        "info block",
        "[-n] [-v] [device]",
        "show drives and what is in them (-n: the images; -v: in detail)",
        &[Switch('n'), Switch('v'), OptionalWord],
        person::block,
    ),
    command("info blockstats", "", "show what drives have done", &[], person::blockstats),
    command("info chardev", "", "show the character devices", &[], info::chardev),
    command("info cpus", "", "show the processors and their threads", &[], info::cpus),
    command("info kvm", "", "show whether KVM runs the processors", &[], info::kvm),
    command("info mice", "", "show the mice", &[], person::mice),
    command(
        "info mtree",
        "[-f][-o]",
        "show what is where in memory and among the ports (-f: flattened; -o: whose it is)",
        &[Switch('f'), Switch('o')],
        info::mtree,
    ),
    command("info name", "", "show the machine's name", &[], info::name),
    command("info pci", "", "show the functions on the PCI buses", &[], info::pci),
    command("info qom-tree", "[path]", "show the tree of objects", &[OptionalWord], info::qom_tree),
    command("info qtree", "", "show the devices on their buses", &[], info::qtree),
    command(
        "info registers",
        "[-a|vcpu]",
        "show the registers of the first processor, of the one given, or of all (-a)",
        &[Switch('a'), OptionalNumber],
        info::registers,
    ),
    command("info status", "", "show whether the machine runs", &[], info::status),
    command("info uuid", "", "show the machine's UUID", &[], info::uuid),
    command("info version", "", "show which QEMU's interface this is", &[], info::version),
    command(
        "mouse_button",
        "state",
        "press and release buttons of the mouse (1: left, 2: right, 4: middle)",
        &[Number],
        person::mouse_button,
    ),
    command(
        "mouse_move",
        "dx dy [dz]",
        "move the mouse to the right and down, and turn its wheel",
        &[Word, Word, OptionalWord],
        person::mouse_move,
    ),
    command("mouse_set", "index", "choose the mouse", &[Number], person::mouse_set),
    command("qom-get", "path property", "print a property", &[Word, Word], objects::get),
    command("qom-list", "path", "list an object's properties", &[OptionalWord], objects::list),
    command(
        "screendump",
        "filename [-f format] [device [head]]",
        "save what is on the screen in a file (format: ppm or png)",
        &[File, Value('f'), OptionalWord, OptionalNumber],
        person::screendump,
    ),
    command(
        "sendkey",
        "keys [hold_ms]",
        "press keys together and release them: sendkey ctrl-alt-f1",
        &[Word, OptionalNumber],
        person::sendkey,
    ),
];

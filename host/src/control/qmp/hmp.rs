//! Commands in the words of QEMU's monitor for people (HMP), which programs send with
//! `human-monitor-command`.

use std::fmt::Write as _;

use super::{Call, Error};

/// The commands there are.
#[derive(Default)]
pub struct Hmp(Vec<HumanCommand>);

/// A command.
struct HumanCommand {
    name: &'static str,
    parameters: &'static str,
    help: &'static str,
    run: Box<Run>,
}

/// From the rest of the line to what is printed.
type Run = dyn Fn(&Call<'_>, &str) -> Result<String, Error> + Send + Sync;

impl Hmp {
    /// Adds a command: its name, with others after a bar (`cont|c`), and one of a family
    /// starts with that (`info status`); the arguments it takes, for people, and empty
    /// if it takes none; what it does, in a few words; and how: from the rest of the
    /// line to what it prints, with `\n` at the ends of lines.
    pub fn add(
        &mut self,
        name: &'static str,
        parameters: &'static str,
        help: &'static str,
        run: impl Fn(&Call<'_>, &str) -> Result<String, Error> + Send + Sync + 'static,
    ) {
        self.0.push(HumanCommand { name, parameters, help, run: Box::new(run) });
    }

    /// Executes a line and returns what it prints, with the line ends of a terminal.
    pub(super) fn execute(&self, call: &Call<'_>, line: &str) -> String {
        let printed = self.printed(call, line.trim());
        printed.replace('\n', "\r\n")
    }

    fn printed(&self, call: &Call<'_>, line: &str) -> String {
        let Some((first, rest)) = word(line) else { return String::new() };
        if first == "help" || first == "?" {
            return self.help(rest);
        }
        if !self.has_family(first) {
            return match self.find(None, first) {
                Some(command) => run(command, first, call, rest),
                None => format!("unknown command: '{first}'\n"),
            };
        }
        let Some((second, rest)) = word(rest) else { return self.help(first) };
        match self.find(Some(first), second) {
            Some(command) => run(command, &format!("{first} {second}"), call, rest),
            None => format!("unknown command: '{first} {second}'\n"),
        }
    }

    fn has_family(&self, name: &str) -> bool {
        self.0.iter().any(|command| command.family() == Some(name))
    }

    fn find(&self, family: Option<&str>, name: &str) -> Option<&HumanCommand> {
        let is = |command: &&HumanCommand| {
            command.family() == family && command.last_name().split('|').any(|own| own == name)
        };
        self.0.iter().find(is)
    }

    /// One line for each command whose name starts so; each is, if nothing is given.
    fn help(&self, prefix: &str) -> String {
        let mut commands: Vec<_> =
            self.0.iter().filter(|command| command.name.starts_with(prefix)).collect();
        commands.sort_by_key(|command| command.name);
        let mut text = String::new();
        for HumanCommand { name, parameters, help, .. } in commands {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name} {parameters} -- {help}");
        }
        text
    }
}

impl HumanCommand {
    fn family(&self) -> Option<&'static str> {
        self.name.split_once(' ').map(|(family, _)| family)
    }

    fn last_name(&self) -> &'static str {
        self.name.rsplit(' ').next().unwrap_or_default()
    }
}

/// Runs a command that was given by the name `said`.
fn run(command: &HumanCommand, said: &str, call: &Call<'_>, rest: &str) -> String {
    if command.parameters.is_empty() && !rest.is_empty() {
        let own = command.last_name();
        return format!(
            "{own}: extraneous characters at the end of line\n\
             Try \"help {said}\" for more information\n"
        );
    }
    (command.run)(call, rest).unwrap_or_else(|error| format!("Error: {error}\n"))
}

/// The first word of a line, and what follows.
fn word(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let end = line.find(char::is_whitespace).unwrap_or(line.len());
    (end > 0).then(|| (&line[..end], line[end..].trim_start()))
}

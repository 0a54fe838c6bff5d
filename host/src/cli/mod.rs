//! The command line.
//!
//! Each command is a file here. A command returns the process's exit status, or
//! an error; [`main`] is the one place that says errors, in one line, and ends
//! with status 1, or what the command has for that.

mod args;
mod compile;
mod components;
mod demo;
mod device;
mod drives;
mod inspect;
mod log;
mod machine;
mod output;
mod paths;
pub mod qemu;
mod report;
mod run;
mod screenshot;
mod shares;
mod signals;
mod state;
mod streams;
mod swap;
mod table;
mod terminal;
mod top;

use std::io;
use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use output::Output;

/// The exit status of a command, or why it failed.
type Result<T> = anyhow::Result<T>;

const EXAMPLES: &str = "\
Examples:
  southbridge demo
  southbridge run --kernel guest.elf --device isa-debug-exit --control /tmp/guest.sock
  southbridge swap --control /tmp/guest.sock pm ./piix4-pm.wasm
  southbridge top --control /tmp/guest.sock
  southbridge screenshot --control /tmp/guest.sock screen.png
  southbridge machine show xenfv-3.1
  southbridge device inspect ./piix4-pm.wasm
  southbridge device new egg-timer
  southbridge device check ./egg-timer.wasm
  southbridge state detect guest.save";

/// Runs KVM guests on devices that are WebAssembly components, and replaces the
/// devices while the guests run.
#[derive(Parser)]
#[command(name = "southbridge", version, after_help = EXAMPLES)]
struct Cli {
    /// Say more on stderr: -v what happens, -vv why, -vvv everything. RUST_LOG
    /// prevails where it is set.
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,

    /// How that is said: a line of text, or a JSON object with a timestamp on a
    /// line.
    #[arg(
        long,
        value_enum,
        default_value_t = log::Format::Text,
        value_name = "FORMAT",
        global = true
    )]
    log_format: log::Format,

    /// Colour in what is said.
    #[arg(long, value_enum, default_value_t = ColorChoice::Auto, value_name = "WHEN", global = true)]
    color: ColorChoice,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Demo(demo::Demo),
    Swap(swap::Swap),
    Top(top::Top),
    Screenshot(screenshot::Screenshot),
    #[command(subcommand)]
    Machine(machine::Machine),
    #[command(subcommand)]
    Device(device::Device),
    #[command(subcommand)]
    State(state::State),
    #[command(name = "compile-component")]
    Compile(compile::Compile),
}

impl Command {
    /// The exit status that says the command failed.
    const fn failed(&self) -> u8 {
        match self {
            Self::State(state) => state.failed(),
            _ => 1,
        }
    }
}

/// Does what the command line says.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let program = if arguments.is_empty() { "southbridge".into() } else { arguments.remove(0) };
    let program = program.to_string_lossy();
    if qemu::is_qemu(&program, &arguments) {
        return qemu::main(&program, &arguments);
    }
    let cli = Cli::parse();
    let output = Output::new(cli.color);
    log::start(cli.verbose, cli.log_format, &output);
    let result = match &cli.command {
        Command::Run(run) => run.run(&output, cli.verbose > 0),
        Command::Demo(demo) => demo.run(&output),
        Command::Swap(swap) => swap.run(&output),
        Command::Top(top) => top.run(&output),
        Command::Screenshot(screenshot) => screenshot.run(&output),
        Command::Machine(machine) => machine.run(&output),
        Command::Device(device) => device.run(&output),
        Command::State(state) => state.run(&output),
        Command::Compile(compile) => compile.run(),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        // Whoever read the output has seen enough: `machine list | head`.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error.to_string());
            ExitCode::from(cli.command.failed())
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_options_fit_together() {
        super::Cli::command().debug_assert();
    }
}

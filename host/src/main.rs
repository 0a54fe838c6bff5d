//! The `southbridge` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    southbridge::cli::main()
}

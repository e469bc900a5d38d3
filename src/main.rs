//! The `firstline` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    firstline::cli::main()
}

//! The program `mizan`: one command for everything.

mod bench;
mod cli;
mod demo;
mod stage;
mod story;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}

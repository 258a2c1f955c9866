//! The `porchlight` program: reads the command line and answers it.
//!
//! Everything else is in the library, where tests can reach it.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{self, Cli};

/// Many small allocations from many threads: half the time and less memory than with the system's. Without huge pages,
/// which would be a quarter of all memory at rest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(refused) => return cli::refused(&refused),
    };
    let json = cli.global.json;
    match cli::run(cli) {
        Ok(code) => code,
        Err(error) => {
            cli::output::failure(&error, json);
            ExitCode::FAILURE
        }
    }
}

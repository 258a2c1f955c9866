//! The `porchlight` program: reads the command line and answers it.
//!
//! Everything else is in the library, where tests can reach it.

use std::process::ExitCode;

use clap::Parser as _;
use server::cli::{self, Cli};

/// Many small allocations from many threads: half the time and less memory than with the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("porchlight: {error:#}");
            ExitCode::FAILURE
        }
    }
}

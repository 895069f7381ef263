//! The command line `pinion`, built where the scenarios of this package find it.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    pinion::main()
}

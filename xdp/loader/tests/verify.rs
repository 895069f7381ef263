//! The verifier takes the program, within the bound of the design.

use std::io::Write as _;

use pinion_loader::kernel::{Kernel, PROGRAM};
use pinion_loader::{Bounds, LoadError};

#[test]
fn the_program_is_verified_within_its_bound() {
    let mut kernel = match Kernel::load(Bounds::default()) {
        Ok(kernel) => kernel,
        Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => {
            let _ = writeln!(std::io::stderr(), "\nskipped: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let verified = kernel.verify(PROGRAM).unwrap_or_else(|error| panic!("{error}"));
    println!("{PROGRAM}: {} instructions walked, {:?}", verified.instructions, verified.took);
    assert!(verified.instructions <= 100_000, "the verifier walks {} instructions", verified.instructions);
}

//! The verifier takes every program, within the bound of the design.

use pinion_loader::kernel::{EMPTY, Kernel, PROGRAM};
use pinion_loader::{Bounds, LoadError};

#[test]
fn every_program_is_verified_within_its_bound() {
    let mut kernel = match Kernel::load(Bounds::default()) {
        Ok(kernel) => kernel,
        Err(error @ (LoadError::Privilege { .. } | LoadError::Kernel { .. })) => {
            eprintln!("skipped: {error}");
            return;
        }
        Err(error) => panic!("{error}"),
    };
    for name in [PROGRAM, EMPTY] {
        let verified = kernel.verify(name).unwrap_or_else(|error| panic!("{error}"));
        println!("{name}: {} instructions walked, {:?}", verified.instructions, verified.took);
        assert!(verified.instructions <= 100_000, "{name}");
    }
}

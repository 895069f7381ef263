//! Generates the API's code and its descriptor, into OUT_DIR alone.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

const PROTO: &str = "pinion/v1/pinion.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=api/{PROTO}");
    println!("cargo:rerun-if-changed=build.rs");
    let mut compiler = protox::Compiler::new(["api"])?;
    compiler.include_source_info(true).include_imports(true).open_file(PROTO)?;
    let folder = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets no OUT_DIR")?);
    fs::write(folder.join("pinion.v1.bin"), compiler.encode_file_descriptor_set())?;
    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}

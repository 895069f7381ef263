//! Captures on a command line.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};

/// Names of captures: `-` is standard input, as other programs have it.
pub(super) fn captures() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(|name| if name == "-" { "/dev/stdin".into() } else { name.into() })
}

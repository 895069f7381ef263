//! The commands of `pinion`, one module each.

pub(crate) mod decode;
mod remedy;
pub(crate) mod replay;

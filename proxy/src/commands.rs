//! The commands of `pinion`, one module each.

pub(crate) mod ask;
pub(crate) mod check;
pub(crate) mod decode;
pub(crate) mod demo;
pub(crate) mod drain;
pub(crate) mod endpoints;
pub(crate) mod explain;
pub(crate) mod init;
mod input;
mod progress;
pub(crate) mod reload;
mod remedy;
pub(crate) mod replay;
pub(crate) mod run;
pub(crate) mod services;
pub(crate) mod sessions;
pub(crate) mod stats;
pub(crate) mod top;
pub(crate) mod weight;

//! The daemon and the command line `pinion`.
//!
//! [`config`] reads what an operator wrote, [`pool`] decides which endpoints get sessions, [`health`] finds out
//! which are up, [`sessions`] keeps what is pinned, [`store`] writes it where other nodes find it, [`api`] is
//! how others ask, and [`daemon`] puts them together. [`commands`] has one module for each command.

#![forbid(unsafe_code)]

mod commands;
pub mod config;
pub mod control;
pub mod health;
pub mod metrics;

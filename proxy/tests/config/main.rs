//! What a configuration means, and what is said of one that is wrong.
#![cfg(test)]

mod fuzz;
mod gtpc;
mod meaning;
mod mistakes;
mod ngap;
mod pfcp;
mod sbi;

use pinion::config::model::Config;
use pinion::config::{Host, parse};

/// What a configuration means in which nothing is wrong.
fn config(text: &str) -> Config {
    parse(text.as_bytes(), &Host::default()).unwrap().config
}

/// Every mistake of a configuration, as it is shown after the file's name.
fn mistakes(text: &str) -> Vec<String> {
    mistakes_here(text, &Host::default())
}

fn mistakes_here(text: &str, host: &Host) -> Vec<String> {
    match parse(text.as_bytes(), host) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.iter().map(ToString::to_string).collect(),
    }
}

//! The API and the commands that ask it, over real sockets, with a daemon that only pretends.
#![cfg(test)]

mod bytes;
mod calls;
mod commands;
mod daemon;
mod sample;
mod tls;
mod top;
mod unix;

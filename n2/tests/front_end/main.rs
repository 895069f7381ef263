//! The front end between scripted gNBs and AMFs, clause by clause of TS 38.413 and row by row of what N2 has.

#![cfg(test)]

mod captures;
mod common;
mod initial;
mod loss;
mod mobility;
mod mutations;
mod network;
mod observe;
mod overload;
mod resets;
mod said;
mod setup;
mod shown;
mod spans;
mod stage;
mod ues;
mod unanswered;
mod updates;

use pinion_simulators::n2::messages;

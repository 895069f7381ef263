//! The front end between scripted SMFs and UPFs, clause by clause of TS 29.244.

#![cfg(test)]

mod associations;
mod captures;
mod end;
mod facts;
mod filters;
mod force;
mod heartbeats;
mod loss;
mod mutations;
mod nodes;
mod peers;
mod placement;
mod pools;
mod random;
mod redirect;
mod reliability;
mod restore;
mod sessions;
mod sets;
mod smf;
mod stage;
mod takeover;
mod tunnels;
mod upf;

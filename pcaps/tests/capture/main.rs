//! The reader of captures, from outside: files built byte by byte, tshark's reading of the same, and damage of every kind.

#![cfg(test)]

mod build;
mod damage;
mod gzip;
mod pcap;
mod pcapng;
mod wireshark;

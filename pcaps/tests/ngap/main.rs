//! NGAP, and S1AP, as others encode and decode it: each message that pycrate's ASN.1 has, real captures, and what ended AMFs.
#![cfg(test)]

mod damage;
mod malformed;
mod nas;
mod pycrate;
mod python;
mod real;
mod s1ap;
mod vectors;

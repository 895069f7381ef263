//! Numbers and addresses, refused in words.

use std::fmt::Display;
use std::net::IpAddr;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error};

/// A port, 1 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Port(pub(super) u16);

/// An endpoint's share, 0 to 65535.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight(pub(super) u16);

/// An IP address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ip(pub(super) IpAddr);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let port: u16 = read(&text, "port", "a number from 1 to 65535")?;
        if port == 0 { Err(refused(&text, "port", "a number from 1 to 65535")) } else { Ok(Self(port)) }
    }
}

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text, "weight", "a number from 0 to 65535").map(Self)
    }
}

impl<'de> Deserialize<'de> for Ip {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text, "IP address", "one, such as 192.0.2.1 or 2001:db8::1").map(Self)
    }
}

fn read<T: FromStr, E: Error>(text: &str, what: &str, right: &str) -> Result<T, E> {
    text.parse().map_err(|_| refused(text, what, right))
}

fn refused<E: Error>(text: impl Display, what: &str, right: &str) -> E {
    E::custom(format_args!("{text} is no {what}; give {right}"))
}

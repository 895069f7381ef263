//! From names of hosts to their addresses.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::time::Duration;

/// Where a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// Its addresses, of either family; there may be none.
    pub all: Vec<IpAddr>,
    /// For how long that is so, where it is known: a second to an hour.
    pub valid: Option<Duration>,
}

/// What looking comes to. That there is no such host is [`io::ErrorKind::NotFound`]; with any other error nobody knows.
pub type Looked<'a> = Pin<Box<dyn Future<Output = io::Result<Addresses>> + Send + 'a>>;

/// Who knows where hosts are.
pub trait Resolve: fmt::Debug + Send + Sync {
    /// Looks where a host is. It is a name, never an address.
    fn look<'a>(&'a self, host: &'a str) -> Looked<'a>;
}

/// The system's own way, which does not say for how long an answer holds.
#[derive(Clone, Copy, Debug)]
pub struct System;

impl Resolve for System {
    fn look<'a>(&'a self, host: &'a str) -> Looked<'a> {
        Box::pin(async move {
            let all = tokio::net::lookup_host((host, 0)).await?.map(|it| it.ip()).collect();
            Ok(Addresses { all, valid: None })
        })
    }
}

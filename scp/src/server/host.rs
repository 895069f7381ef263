//! `Host`: whom a request is for that does not say it otherwise (RFC 9110 7.2).

use http::header::HOST;
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Uri, Version};

use crate::cause::Cause;
use crate::failure::Failure;
use crate::problem::Problem;

/// Gives the request's target the authority that `Host` names, where it has none (RFC 9110 7.1).
///
/// # Errors
/// There is not one `Host` that is an authority, as there must be in HTTP/1.1 (RFC 9112 3.2); in HTTP/2 there may be none
/// (RFC 9113 8.3.1).
pub(super) fn addressed(head: &mut Parts, tls: bool) -> Result<(), Failure> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let authority = match (hosts.next(), hosts.next()) {
        (None, _) if head.version != Version::HTTP_11 => return Ok(()),
        (None, _) => Err("it is missing"),
        (Some(_), Some(_)) => Err("there are several"),
        (Some(host), None) => authority(host).ok_or("it is no host, or host and port"),
    };
    let authority = authority.map_err(wrong)?;
    if head.uri.authority().is_none() {
        let path = head.uri.path_and_query().map_or("/", PathAndQuery::as_str);
        let scheme = if tls { Scheme::HTTPS } else { Scheme::HTTP };
        let uri = Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build();
        head.uri = uri.map_err(|_| wrong("no target can be made of it"))?;
    }
    Ok(())
}

fn authority(host: &HeaderValue) -> Option<Authority> {
    Authority::try_from(host.as_bytes()).ok().filter(|it| !it.as_str().contains('@'))
}

fn wrong(reason: &'static str) -> Failure {
    let problem = Problem::new(Cause::InvalidMsgFormat).detail("a request is for one host");
    problem.about("header host", reason).into()
}

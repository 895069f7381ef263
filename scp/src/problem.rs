//! What an SCP says of its own errors: ProblemDetails (RFC 9457, TS 29.571 5.2.4.1).

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::body::Body;
use crate::call::Reply;
use crate::cause::Cause;

/// An error that this SCP answers with.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Why.
    pub cause: Cause,
    /// The status, where it is another than the cause's own.
    pub status: Option<StatusCode>,
    /// For people: what, and what would be right.
    pub detail: Cow<'static, str>,
    /// Which headers, query parameters or members it is about.
    pub invalid_params: Vec<InvalidParam>,
    /// Seconds after which it may be tried again, for `Retry-After`.
    pub retry_after: Option<u32>,
    /// Members of ProblemDetails beside these, as `accessTokenError` (6.10.11.2.2).
    pub more: serde_json::Map<String, serde_json::Value>,
}

/// A header, query parameter or member that is wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvalidParam {
    /// Its name; a header's is preceded by `header `, a query parameter's by `query ` (TS 29.571 5.2.4.10).
    pub param: Cow<'static, str>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub reason: Cow<'static, str>,
}

impl Problem {
    /// One with nothing but its cause.
    #[must_use]
    pub fn new(cause: Cause) -> Self {
        Self {
            cause,
            status: None,
            detail: Cow::Borrowed(""),
            invalid_params: Vec::new(),
            retry_after: None,
            more: serde_json::Map::new(),
        }
    }

    /// A header of a request that cannot be read.
    #[must_use]
    pub fn header(name: impl fmt::Display, why: impl fmt::Display) -> Self {
        Self::new(Cause::OptionalIeIncorrect)
            .detail("a header of the request is not what it should be")
            .about(format!("header {name}"), why.to_string())
    }

    /// Says what happened.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Names what it is about.
    #[must_use]
    pub fn about(mut self, param: impl Into<Cow<'static, str>>, reason: impl Into<Cow<'static, str>>) -> Self {
        self.invalid_params.push(InvalidParam { param: param.into(), reason: reason.into() });
        self
    }

    /// Says when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status.unwrap_or(self.cause.status())
    }

    /// The answer, `server` being `SCP-` and the SCP's FQDN (6.10.8.2).
    #[must_use]
    pub fn reply(&self, server: &HeaderValue) -> Reply {
        let status = self.status();
        let details = Details {
            title: status.canonical_reason().unwrap_or_default(),
            status: status.as_u16(),
            detail: &self.detail,
            cause: self.cause.name(),
            invalid_params: &self.invalid_params,
            more: &self.more,
        };
        let mut reply = own(status, "application/problem+json", &details, server);
        if let Some(seconds) = self.retry_after {
            reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}

/// An answer of the SCP's own, `server` being `SCP-` and its FQDN (6.10.8.2).
pub(crate) fn own(
    status: StatusCode,
    media_type: &'static str,
    content: &impl Serialize,
    server: &HeaderValue,
) -> Reply {
    let content = Bytes::from(serde_json::to_vec(content).unwrap_or_default());
    let length = HeaderValue::from(content.len());
    let mut reply = Response::new(Body::Whole(content));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::SERVER, server.clone());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, length);
    reply
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Details<'a> {
    title: &'a str,
    status: u16,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
    cause: &'a str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    invalid_params: &'a [InvalidParam],
    #[serde(flatten)]
    more: &'a serde_json::Map<String, serde_json::Value>,
}

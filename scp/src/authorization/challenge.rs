//! What a producer says where it wants an access token, or another (TS 29.500 6.10.11.2.3, RFC 6750 3).

use http::{HeaderMap, StatusCode, header};

/// Whether a response refuses the token that was sent, or that there was none: any 401, and a 403 that asks for a bearer token.
/// Any other 403 is about what the client may do.
pub(crate) fn refuses_token(status: StatusCode, headers: &HeaderMap) -> bool {
    match status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => {
            headers.get_all(header::WWW_AUTHENTICATE).iter().any(|value| elements(value.as_bytes()).any(is_bearer))
        }
        _ => false,
    }
}

/// The elements of a list: commas within a quoted text are of that (RFC 9110 5.6.1, 5.6.4).
fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let [mut quoted, mut escaped] = [false; 2];
    list.split(move |byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        *byte == b',' && !quoted
    })
}

fn is_bearer(challenge: &[u8]) -> bool {
    let scheme = challenge.trim_ascii_start().split(u8::is_ascii_whitespace).next();
    scheme.is_some_and(|it| it.eq_ignore_ascii_case(b"Bearer"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a2_which_refusals_are_about_the_token() {
        let of = |status, challenge: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(challenge.map(|it| (header::WWW_AUTHENTICATE, it.parse().unwrap())));
            refuses_token(StatusCode::from_u16(status).unwrap(), &headers)
        };
        assert!(of(401, None) && of(401, Some("Bearer error=\"invalid_token\"")));
        assert!(of(403, Some("Bearer error=\"insufficient_scope\"")));
        assert!(of(403, Some("Basic realm=\"a\", bearer realm=\"b\"")));
        // Commas and marks within a quoted text are of it (RFC 9110 11.6.1, 5.6.4).
        assert!(!of(403, Some("Basic realm=\"a, Bearer b\"")));
        assert!(!of(403, Some("Basic realm=\"a\\\", Bearer b\"")));
        assert!(of(403, Some("Basic realm=\"a\\\\\", Bearer realm=\"b, c\"")));
        assert!(!of(403, None) && !of(403, Some("Basic realm=\"Bearer\"")) && !of(400, Some("Bearer")));
    }
}

//! What a producer says where it wants an access token, or another (TS 29.500 6.10.11.2.3, RFC 6750 3).

use http::{HeaderMap, StatusCode, header};

/// Whether a response refuses the token that was sent, or that there was none: any 401, and a 403 that asks for a bearer token.
/// Any other 403 is about what the client may do.
pub(crate) fn refuses_token(status: StatusCode, headers: &HeaderMap) -> bool {
    match status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => headers
            .get_all(header::WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|challenge| {
                challenge.split_whitespace().next().is_some_and(|it| it.eq_ignore_ascii_case("Bearer"))
            }),
        _ => false,
    }
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
        assert!(!of(403, None) && !of(403, Some("Basic realm=\"Bearer\"")) && !of(400, Some("Bearer")));
    }
}

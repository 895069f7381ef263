//! Tokens that are kept: so many, and so many octets of them and of what they were asked for with.

use std::collections::HashMap;

use foldhash::quality::RandomState;
use tokio::time::Instant;

use super::request::TokenRequest;
use super::tokens::Token;

/// Tokens that are kept.
#[derive(Debug, Default)]
pub(super) struct Held {
    tokens: HashMap<TokenRequest, Token, RandomState>,
    octets: usize,
}

impl Held {
    /// The one that was asked for with the same, and has not ended.
    pub(super) fn get(&mut self, request: &TokenRequest, now: Instant) -> Option<&Token> {
        if self.tokens.get(request)?.until <= now {
            self.remove(request);
            return None;
        }
        self.tokens.get(request)
    }

    /// Forgets one.
    pub(super) fn remove(&mut self, request: &TokenRequest) {
        if let Some(token) = self.tokens.remove(request) {
            self.octets = self.octets.saturating_sub(octets(request, &token));
        }
    }

    /// Keeps one, among at most so many, and so many octets; beyond, those that end soonest are forgotten.
    pub(super) fn put(&mut self, request: TokenRequest, token: Token, now: Instant, most: (usize, usize)) {
        let more = octets(&request, &token);
        if token.until <= now || most.0 == 0 || more > most.1 {
            return;
        }
        self.remove(&request);
        if self.is_full(more, most) {
            self.retain(|it| now < it.until);
        }
        while self.is_full(more, most) {
            let mut ends: Vec<Instant> = self.tokens.values().map(|it| it.until).collect();
            // A sixteenth at a time, so that not every new token sorts them.
            let (_, last, _) = ends.select_nth_unstable(self.tokens.len() / 16);
            let last = *last;
            self.retain(|it| it.until > last);
        }
        self.octets = self.octets.saturating_add(more);
        self.tokens.insert(request, token);
    }

    /// Whether there is something, and no room for so many octets more.
    fn is_full(&self, more: usize, (most, octets): (usize, usize)) -> bool {
        let full = self.tokens.len() >= most || self.octets.saturating_add(more) > octets;
        full && !self.tokens.is_empty()
    }

    fn retain(&mut self, stays: impl Fn(&Token) -> bool) {
        let gone = self.tokens.extract_if(|_, token| !stays(token));
        let octets: usize = gone.map(|(request, token)| octets(&request, &token)).sum();
        self.octets = self.octets.saturating_sub(octets);
    }
}

fn octets(request: &TokenRequest, token: &Token) -> usize {
    request.octets().saturating_add(token.value.len())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::HeaderValue;

    use super::*;

    fn request(number: usize, octets: usize) -> TokenRequest {
        let members = vec![("scope", format!("{number:0octets$}"))];
        TokenRequest { holder: None, assertion: None, nrf: None, members }
    }

    fn token(now: Instant, seconds: u64) -> Token {
        let until = now + Duration::from_secs(seconds);
        Token { value: HeaderValue::from_static("Bearer a"), since: now, until }
    }

    #[test]
    fn a1_they_are_bounded_in_number_and_in_octets() {
        let (mut held, now) = (Held::default(), Instant::now());
        for number in 0..1_000 {
            held.put(request(number, 4), token(now, 10 + number as u64), now, (100, 10_000));
            assert!(held.tokens.len() <= 100 && held.octets == held.tokens.len() * 12);
        }
        assert!(held.get(&request(999, 4), now).is_some() && held.get(&request(0, 4), now).is_none());
        for number in 0..40 {
            held.put(request(number, 1_000), token(now, 5_000), now, (100_000, 10_000));
            assert!(held.octets <= 10_000);
        }
        assert!(held.get(&request(39, 1_000), now).is_some());
        held.put(request(0, 10_000), token(now, 5_000), now, (100, 10_000));
        assert!(held.get(&request(0, 10_000), now).is_none());
        assert!(held.get(&request(39, 1_000), now + Duration::from_secs(5_000)).is_none());
    }
}

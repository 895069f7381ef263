//! What a client says of other attempts, and what producers are told of them: 3gpp-Sbi-Retry-Info, -Selection-Info and
//! -Request-Info (TS 29.500 5.2.3.3.10, 5.2.3.3.12, 5.2.3.3.13). What clients are told by this SCP:
//! -Response-Info (5.2.3.3.8). That of producers and -Correlation-Info go through as they are.

use http::{HeaderMap, HeaderName, HeaderValue};
use pinion_protocols::sbi::{
    RequestInfo, RequestParameter, ResponseInfo, ResponseParameter, RetryInfo, SelectionInfo, Value as _,
};

use crate::call::Call;
use crate::failure::Failure;
use crate::producer::Producer;

/// 3gpp-Sbi-Retry-Info.
const RETRY_INFO: HeaderName = HeaderName::from_static("3gpp-sbi-retry-info");
/// 3gpp-Sbi-Selection-Info.
pub(crate) const SELECTION_INFO: HeaderName = HeaderName::from_static("3gpp-sbi-selection-info");
/// 3gpp-Sbi-Request-Info.
const REQUEST_INFO: HeaderName = HeaderName::from_static("3gpp-sbi-request-info");

/// Ends attempts at others that the client does not want. What was not looked at by a producer
/// that is closing its connection may go to it once more all the same.
///
/// # Errors
/// There is to be no other attempt.
pub fn heed(call: &mut Call) -> Result<(), Failure> {
    if !is_another(call) {
        return Ok(());
    }
    if forbids(call.headers()) { Err(Failure::Exhausted) } else { Ok(()) }
}

/// Whether somebody was asked before, who may have acted on it.
pub(crate) fn is_another(call: &Call) -> bool {
    !call.tried.is_empty() || call.repeated
}

/// Whether the client wants no other attempt. What cannot be read says nothing.
fn forbids(headers: &HeaderMap) -> bool {
    let mut retries = headers.get_all(RETRY_INFO).iter();
    let mut selections =
        headers.get_all(SELECTION_INFO).iter().filter_map(|it| SelectionInfo::parse(it.as_bytes()).ok());
    retries.any(|it| RetryInfo::parse(it.as_bytes()) == Ok(RetryInfo::NoRetries))
        || selections.any(|it| it.0.iter().any(|element| element.reselection == Some(false)))
}

/// That this SCP tried whom it could, and nobody else is to be tried; who it was that failed, where that is known.
pub(crate) fn no_retry(producer: Option<&Producer>) -> Option<HeaderValue> {
    let instance = producer.map(|it| it.nf_instance.as_str()).filter(|it| !it.is_empty());
    let mut info: Vec<_> = instance.map(|it| (ResponseParameter::NfInstance, it)).into_iter().collect();
    info.push((ResponseParameter::NoRetry, "true"));
    HeaderValue::try_from(ResponseInfo(info).to_string()).ok()
}

/// Says that it is another attempt, beside what the client says of its request.
pub(crate) fn mark(headers: &mut HeaderMap) {
    let said = headers.get(REQUEST_INFO).and_then(|it| it.to_str().ok()).unwrap_or_default();
    let told = match RequestInfo::parse(said.as_bytes()) {
        Ok(info) if info.is_true(RequestParameter::Retransmission) => return,
        Ok(mut info) => {
            info.0.retain(|(name, _)| *name != RequestParameter::Retransmission);
            info.0.push((RequestParameter::Retransmission, "true"));
            info.to_string()
        }
        Err(_) => RequestInfo(vec![(RequestParameter::Retransmission, "true")]).to_string(),
    };
    if let Ok(told) = HeaderValue::try_from(told) {
        headers.insert(REQUEST_INFO, told);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f8_who_wants_no_other_attempt() {
        let of = |name: HeaderName, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            forbids(&headers)
        };
        assert!(of(RETRY_INFO, "no-retries"));
        assert!(!of(RETRY_INFO, "later") && !of(RETRY_INFO, ""));
        assert!(
            of(SELECTION_INFO, "reselection=false")
                && of(SELECTION_INFO, "not-select-nfinst=a, reselection=false")
        );
        assert!(!of(SELECTION_INFO, "reselection=true; not-select-nfinst=a") && !of(SELECTION_INFO, "nonsense"));
    }

    #[test]
    fn f8_another_attempt_is_marked() {
        let of = |said: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            headers.extend(said.map(|it| (REQUEST_INFO, HeaderValue::from_static(it))));
            mark(&mut headers);
            headers[REQUEST_INFO].to_str().unwrap().to_owned()
        };
        assert_eq!(of(None), "retrans=true");
        assert_eq!(of(Some("idempotency-key=a; retrans=false")), "idempotency-key=a; retrans=true");
        assert_eq!(of(Some("retrans=true; reason=b")), "retrans=true; reason=b");
        assert_eq!(of(Some("nonsense")), "retrans=true");
    }
}

//! What this SCP says of its own overload: 3gpp-Sbi-Oci in responses while it is hot (TS 29.500 6.4.3.3).

use http::HeaderValue;
use pinion_protocols::sbi::{Oci, OverloadControl, Scope, ScopeEntity};

use crate::call::{Call, Origin};
use crate::clock::timestamp;
use crate::names;
use crate::tally::Event;

/// For how many seconds what is said holds.
const VALIDITY: u32 = 5;

/// Says in responses how hot the SCP is.
pub fn tell(call: &mut Call) {
    if let (Some(oci), Ok(reply)) = (oci(&call.context.origin), &mut call.answer) {
        reply.headers_mut().append(names::OCI, oci);
        call.prepared().tally.one(Event::OverloadTold);
    }
}

/// What there is to say.
fn oci(origin: &Origin) -> Option<HeaderValue> {
    let settings = &origin.prepared.settings;
    let reduction = reduction(origin.parts.gate.percent(&settings.limits), settings.overload.hot)?;
    let scope = Scope {
        entity: ScopeEntity::Scp(&settings.identity.fqdn),
        nf_instance: None,
        service_name: None,
        snssais: Vec::new(),
        dnns: Vec::new(),
        others: Vec::new(),
    };
    let timestamp = timestamp(origin.now());
    let element = OverloadControl { timestamp, validity: VALIDITY, reduction, scope };
    HeaderValue::try_from(Oci(vec![element]).to_string()).ok()
}

/// Of a hundred requests, how many are too many: none up to `hot` percent of what can be done, then so many that the rest
/// would be `hot` percent again.
fn reduction(percent: usize, hot: u8) -> Option<u8> {
    let over = percent.checked_sub(usize::from(hot)).filter(|it| *it > 0)?;
    u8::try_from((over * 100 / percent.max(1)).clamp(1, 99)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f7_what_is_over_is_asked_to_stay_away() {
        assert_eq!(reduction(79, 80), None);
        assert_eq!(reduction(80, 80), None);
        assert_eq!(reduction(100, 80), Some(20));
        assert_eq!(reduction(160, 80), Some(50));
        assert_eq!(reduction(100_000, 80), Some(99));
    }
}

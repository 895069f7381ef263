//! 3gpp-Sbi-Request-Info, -Response-Info, -Selection-Info and -Retry-Info (TS 29.500 5.2.3.3.8, 5.2.3.3.10, 5.2.3.3.12, 5.2.3.3.13).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::{Cursor, whole};
use super::listed::{listed, pairs};
use super::named::named;
use super::{Error, Header, Pair, Value};

named! {
    /// What is said of a request.
    RequestParameter {
        Retransmission "retrans"
        Redirect "redirect"
        Reason "reason"
        IdempotencyKey "idempotency-key"
        ReceivedRejectionCause "receivedrejectioncause"
        CallbackUriPrefix "callback-uri-prefix"
        NfInstance "nfinst"
        ServiceInstance "nfservinst"
        RedirectionCause "redirection-cause"
    }
}

named! {
    /// What is said of a response.
    ResponseParameter {
        RequestRetransmitted "request-retransmitted"
        NfInstance "nfinst"
        NfSet "nfset"
        ServiceInstance "nfservinst"
        ServiceSet "nfserviceset"
        ContextTransferred "context-transferred"
        NoRetry "no-retry"
    }
}

macro_rules! parameters {
    ($(#[$meta:meta])* $name:ident $parameter:ident) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name<'a>(pub Vec<($parameter<'a>, &'a str)>);

        impl<'a> $name<'a> {
            /// The first value of a parameter.
            pub fn get(&self, parameter: $parameter<'_>) -> Option<&'a str> {
                self.0.iter().find(|(name, _)| *name == parameter).map(|(_, value)| *value)
            }

            /// Whether a parameter is there with the value `true`.
            pub fn is_true(&self, parameter: $parameter<'_>) -> bool {
                self.get(parameter).is_some_and(|value| value.eq_ignore_ascii_case("true"))
            }
        }

        impl<'a> Value<'a> for $name<'a> {
            const HEADER: Header = Header::$name;

            fn parse(value: &'a [u8]) -> Result<Self, Error> {
                let pairs = whole(Self::HEADER, value, Cursor::pairs)?;
                Ok(Self(pairs.into_iter().map(|Pair { name, value }| (name.into(), value)).collect()))
            }
        }

        impl fmt::Display for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                pairs(f, &self.0)
            }
        }
    };
}

parameters! {
    /// Why and how often a request is sent.
    RequestInfo RequestParameter
}

parameters! {
    /// What happened to a request, and whether to try another producer.
    ResponseInfo ResponseParameter
}

named! {
    /// What is not to be selected.
    SelectionAction {
        NotServiceInstance "not-select-nfservinst"
        NotServiceSet "not-select-nfserviceset"
        NotNfInstance "not-select-nfinst"
        NotNfSet "not-select-nfset"
    }
}

/// One condition of a selection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionElement<'a> {
    /// Whether another producer may be selected at all.
    pub reselection: Option<bool>,
    /// What is not to be selected.
    pub criteria: Vec<(SelectionAction<'a>, &'a str)>,
}

/// Which producers an SCP is not to select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SelectionInfo<'a>(pub Vec<SelectionElement<'a>>);

impl<'a> SelectionElement<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let mut element = Self { reselection: None, criteria: Vec::new() };
        loop {
            let start = cursor.offset();
            let name = cursor.name()?;
            if name.eq_ignore_ascii_case("reselection") {
                let value = cursor.truth("reselection")?;
                cursor.once(&mut element.reselection, value, "reselection", start)?;
            } else {
                element.criteria.push((name.into(), cursor.token("value of a criterion")?));
            }
            if !cursor.separator(b';') {
                return Ok(element);
            }
        }
    }
}

impl fmt::Display for SelectionElement<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reselection) = self.reselection {
            let between = if self.criteria.is_empty() { "" } else { "; " };
            write!(f, "reselection={reselection}{between}")?;
        }
        pairs(f, &self.criteria)
    }
}

listed!(SelectionInfo, SelectionInfo, b',', ", ", SelectionElement::read);

named! {
    /// Whether a request may be sent again.
    RetryInfo { NoRetries "no-retries" }
}

impl<'a> Value<'a> for RetryInfo<'a> {
    const HEADER: Header = Header::RetryInfo;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| cursor.token("no-retries")).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_responses() {
        let request = RequestInfo::parse(b"retrans=true; idempotency-key= 5f-1;New=\"x;y\"").unwrap();
        assert!(request.is_true(RequestParameter::Retransmission));
        assert_eq!(request.get(RequestParameter::IdempotencyKey), Some("5f-1"));
        assert_eq!(request.0[2], (RequestParameter::Other("New"), "\"x;y\""));
        let response = ResponseInfo::parse(b"request-retransmitted=false; no-retry=true").unwrap();
        assert!(response.is_true(ResponseParameter::NoRetry));
        assert!(!response.is_true(ResponseParameter::RequestRetransmitted));
        let header = Header::RequestInfo;
        assert_eq!(RequestInfo::parse(b"retrans"), Err(Error::Expected { header, what: "=", offset: 7 }));
        let what = "value of a parameter";
        assert_eq!(RequestInfo::parse(b"retrans="), Err(Error::Expected { header, what, offset: 8 }));
    }

    #[test]
    fn what_is_not_to_be_selected() {
        let text = b"reselection=true; not-select-nfset=set1.udmset.5gc.mnc012.mcc345, not-select-nfinst=a;not-select-nfservinst=b";
        let elements = SelectionInfo::parse(text).unwrap().0;
        assert_eq!(elements[0].reselection, Some(true));
        assert_eq!(elements[0].criteria, [(SelectionAction::NotNfSet, "set1.udmset.5gc.mnc012.mcc345")]);
        let second = [(SelectionAction::NotNfInstance, "a"), (SelectionAction::NotServiceInstance, "b")];
        assert_eq!((elements[1].reselection, &elements[1].criteria[..]), (None, &second[..]));
        let header = Header::SelectionInfo;
        let error = Error::Parameter { header, name: "reselection", offset: 12 };
        assert_eq!(SelectionInfo::parse(b"reselection=maybe"), Err(error));
    }

    #[test]
    fn retries() {
        assert_eq!(RetryInfo::parse(b" No-Retries "), Ok(RetryInfo::NoRetries));
        assert_eq!(RetryInfo::parse(b"later"), Ok(RetryInfo::Other("later")));
        assert_eq!(RetryInfo::parse(b"a b"), Err(Error::Trailing { header: Header::RetryInfo, offset: 2 }));
    }
}

//! 3gpp-Sbi-Oci and 3gpp-Sbi-Lci (TS 29.500 5.2.3.2.9, 5.2.3.2.10).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::Cursor;
use super::listed::listed;
use super::scope::Parts;
use super::{Error, Scope, Timestamp};

/// That somebody is overloaded (TS 29.500 6.4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OverloadControl<'a> {
    /// When this was said, to the second.
    pub timestamp: Timestamp,
    /// For how many seconds it holds.
    pub validity: u32,
    /// How many requests of a hundred are not to be sent.
    pub reduction: u8,
    /// Whose overload it is.
    pub scope: Scope<'a>,
}

/// How loaded somebody is (TS 29.500 6.3.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadControl<'a> {
    /// When this was said, to the second.
    pub timestamp: Timestamp,
    /// Load in percent.
    pub load: u8,
    /// Whose load it is.
    pub scope: Scope<'a>,
    /// The part of the scope's capacity that its slices and data networks have, in percent.
    pub relative_capacity: Option<u8>,
}

/// 3gpp-Sbi-Oci: one element or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oci<'a>(pub Vec<OverloadControl<'a>>);

/// 3gpp-Sbi-Lci: one element or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lci<'a>(pub Vec<LoadControl<'a>>);

/// Takes the parameters of an element; `own` takes those that only its kind has, and says whether a name is such a one.
fn element<'a>(
    cursor: &mut Cursor<'a>,
    mut own: impl FnMut(&mut Cursor<'a>, &str, usize) -> Result<bool, Error>,
) -> Result<(Timestamp, Scope<'a>), Error> {
    let (mut timestamp, mut parts) = (None, Parts::default());
    loop {
        let start = cursor.offset();
        let name = cursor.name()?;
        if name.eq_ignore_ascii_case("Timestamp") {
            let time = cursor.in_quotes(Timestamp::read)?.to_second();
            cursor.once(&mut timestamp, time, "Timestamp", start)?;
        } else if !own(cursor, name, start)? {
            parts.take(cursor, name, start)?;
        }
        if !cursor.separator(b';') {
            return Ok((timestamp.ok_or_else(|| cursor.missing("Timestamp"))?, parts.whole(cursor)?));
        }
    }
}

impl<'a> OverloadControl<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let (mut validity, mut reduction) = (None, None);
        let (timestamp, scope) = element(cursor, |cursor, name, start| {
            if name.eq_ignore_ascii_case("Period-of-Validity") {
                let seconds = cursor.number("Period-of-Validity", 10, u32::MAX)?;
                cursor.literal("s")?;
                cursor.once(&mut validity, seconds, "Period-of-Validity", start)?;
            } else if name.eq_ignore_ascii_case("Overload-Reduction-Metric") {
                let percent = cursor.percentage("Overload-Reduction-Metric")?;
                cursor.once(&mut reduction, percent, "Overload-Reduction-Metric", start)?;
            } else {
                return Ok(false);
            }
            Ok(true)
        })?;
        let validity = validity.ok_or_else(|| cursor.missing("Period-of-Validity"))?;
        let reduction = reduction.ok_or_else(|| cursor.missing("Overload-Reduction-Metric"))?;
        Ok(Self { timestamp, validity, reduction, scope })
    }
}

impl<'a> LoadControl<'a> {
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        let (mut load, mut relative_capacity) = (None, None);
        let (timestamp, scope) = element(cursor, |cursor, name, start| {
            let (place, name) = if name.eq_ignore_ascii_case("Load-Metric") {
                (&mut load, "Load-Metric")
            } else if name.eq_ignore_ascii_case("Relative-Capacity") {
                (&mut relative_capacity, "Relative-Capacity")
            } else {
                return Ok(false);
            };
            let percent = cursor.percentage(name)?;
            cursor.once(place, percent, name, start)?;
            Ok(true)
        })?;
        Ok(Self { timestamp, load: load.ok_or_else(|| cursor.missing("Load-Metric"))?, scope, relative_capacity })
    }
}

impl fmt::Display for OverloadControl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timestamp, validity, reduction, scope } = self;
        write!(f, "Timestamp: \"{timestamp}\"; Period-of-Validity: {validity}s; ")?;
        write!(f, "Overload-Reduction-Metric: {reduction}%; {scope}")
    }
}

impl fmt::Display for LoadControl<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { timestamp, load, scope, relative_capacity } = self;
        write!(f, "Timestamp: \"{timestamp}\"; Load-Metric: {load}%; {scope}")?;
        relative_capacity.map_or(Ok(()), |percent| write!(f, "; Relative-Capacity: {percent}%"))
    }
}

listed!(Oci, Oci, b',', ", ", OverloadControl::read);

listed!(Lci, Lci, b',', ", ", LoadControl::read);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sbi::{Header, ScopeEntity, Value as _};
    use std::format;
    use std::string::{String, ToString};

    const INSTANCE: &str = "54804518-4191-46b3-955c-ac631f953ed8";

    fn oci(rest: &str) -> String {
        format!(
            "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Period-of-Validity: 75s; Overload-Reduction-Metric: 50%; {rest}"
        )
    }

    /// Examples 1 to 7 of TS 29.500 5.2.3.2.9.
    #[test]
    fn examples_of_overload_control() {
        let whole = oci("NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8");
        let parsed = &Oci::parse(whole.as_bytes()).unwrap().0[0];
        assert_eq!((parsed.validity, parsed.reduction), (75, 50));
        assert_eq!(parsed.timestamp.milliseconds, 1_580_806_177_000);
        assert_eq!(parsed.scope.entity, ScopeEntity::NfInstance(INSTANCE));
        for (rest, entity) in [
            ("NF-Service-Set: setxyz.snnsmf-pdusession", ScopeEntity::ServiceSet("setxyz.snnsmf-pdusession")),
            (
                "Callback-Uri: \"https://pcf12.operator.com/serviceY\"",
                ScopeEntity::CallbackUri(["https://pcf12.operator.com/serviceY"].into()),
            ),
            (
                "Callback-Uri: https://a/1 & https://b/2",
                ScopeEntity::CallbackUri(["https://a/1", "https://b/2"].into()),
            ),
            ("SCP-FQDN: scp1.example.com", ScopeEntity::Scp("scp1.example.com")),
        ] {
            assert_eq!(Oci::parse(oci(rest).as_bytes()).unwrap().0[0].scope.entity, entity, "{rest}");
        }
        let service = oci("NFC-Instance: 54804518-4191-46b3-955c-ac631f953ed8; Service-Name: nsmf-pdusession");
        let parsed = &Oci::parse(service.as_bytes()).unwrap().0[0].scope;
        assert_eq!(
            (parsed.service_name, &parsed.entity),
            (Some("nsmf-pdusession"), &ScopeEntity::ConsumerInstance(INSTANCE))
        );
    }

    /// Slices as the examples print them, and as the grammar has them.
    #[test]
    fn slices_in_braces_and_encoded() {
        let braces = oci(
            "NF-Instance: 54804518-4191-46b3-955c-ac631f953ed8; S-NSSAI: {\"sst\": 1, \"sd\": \"A08923\"} & {\"sst\": 1, \"sd\": \"A08924\"}; DNN: internet.mnc012.mcc345.gprs",
        );
        let scope = &Oci::parse(braces.as_bytes()).unwrap().0[0].scope;
        assert_eq!(scope.snssais, ["{\"sst\": 1, \"sd\": \"A08923\"}", "{\"sst\": 1, \"sd\": \"A08924\"}"]);
        assert_eq!(scope.dnns, ["internet.mnc012.mcc345.gprs"]);
        let encoded = oci("NF-Set: s; S-NSSAI: %7B%22sst%22%3A1%7D & %7B%22sst%22%3A2%7D; DNN: a & b");
        let parsed = Oci::parse(encoded.as_bytes()).unwrap();
        assert_eq!(parsed.0[0].scope.snssais, ["%7B%22sst%22%3A1%7D", "%7B%22sst%22%3A2%7D"]);
        assert_eq!(parsed.to_string(), encoded);
    }

    /// Examples 3 and 6 of TS 29.500 5.2.3.2.10: names in another case, an equals sign instead of a colon, two elements.
    #[test]
    fn examples_of_load_control() {
        let text = "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Load-Metric: 40%; NF-Instance=54804518-4191-46b3-955c-ac631f953ed8; S-Nssai: {\"sst\": 1, \"sd\": \"A08923\"}; DNN: internet.mnc012.mcc345.gprs; Relative-Capacity: 30%, Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Load-Metric: 25%; SCP-FQDN: scp1.example.com";
        let elements = Lci::parse(text.as_bytes()).unwrap().0;
        assert_eq!((elements[0].load, elements[0].relative_capacity), (40, Some(30)));
        assert_eq!(elements[0].scope.entity, ScopeEntity::NfInstance(INSTANCE));
        assert_eq!((elements[1].load, &elements[1].scope.entity), (25, &ScopeEntity::Scp("scp1.example.com")));
    }

    #[test]
    fn what_is_wrong_says_where() {
        let header = Header::Oci;
        let whole = oci("NF-Set: s");
        for (text, error) in [
            (oci("NF-Set: s; NF-Set: t"), Error::Repeated { header, name: "scope", offset: 112 }),
            (oci("DNN: s"), Error::Missing { header, name: "scope", offset: 107 }),
            (
                whole.replace("50%", "101%"),
                Error::Parameter { header, name: "Overload-Reduction-Metric", offset: 96 },
            ),
            (whole.replace("75s", "75"), Error::Expected { header, what: "s", offset: 66 }),
            (
                whole.replace("Period-of-Validity: 75s; ", ""),
                Error::Missing { header, name: "Period-of-Validity", offset: 85 },
            ),
        ] {
            assert_eq!(Oci::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}

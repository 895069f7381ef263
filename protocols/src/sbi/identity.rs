//! 3gpp-Sbi-Producer-Id, -Target-Nf-Id, -Target-Nf-Group-Id and -Alternate-Chf-Id (TS 29.500 5.2.3.2.8, 5.2.3.2.13, 5.2.3.3.5).

use core::fmt;

use super::cursor::{Cursor, whole};
use super::named::named;
use super::token::instance;
use super::{Error, Header, Value};

/// Which producer a request went to (TS 29.500 6.10.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ProducerId<'a> {
    /// NF instance, a UUID.
    pub nf_instance: &'a str,
    /// NF service instance.
    pub service_instance: Option<&'a str>,
    /// NF set.
    pub nf_set: Option<&'a str>,
    /// NF service set.
    pub service_set: Option<&'a str>,
}

impl<'a> Value<'a> for ProducerId<'a> {
    const HEADER: Header = Header::ProducerId;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let mut producer = Self {
                nf_instance: named_instance(cursor)?,
                service_instance: None,
                nf_set: None,
                service_set: None,
            };
            while cursor.separator(b';') {
                let offset = cursor.offset();
                let (place, name) = match cursor.name()? {
                    name if name.eq_ignore_ascii_case("nfservinst") => {
                        (&mut producer.service_instance, "nfservinst")
                    }
                    name if name.eq_ignore_ascii_case("nfset") => (&mut producer.nf_set, "nfset"),
                    name if name.eq_ignore_ascii_case("nfserviceset") => {
                        (&mut producer.service_set, "nfserviceset")
                    }
                    _ => return Err(cursor.expected("nfservinst, nfset or nfserviceset", offset)),
                };
                let value = cursor.token(name)?;
                cursor.once(place, value, name, offset)?;
            }
            Ok(producer)
        })
    }
}

impl fmt::Display for ProducerId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nfinst={}", self.nf_instance)?;
        let others =
            [("nfservinst", self.service_instance), ("nfset", self.nf_set), ("nfserviceset", self.service_set)];
        for (name, value) in others {
            if let Some(value) = value {
                write!(f, "; {name}={value}")?;
            }
        }
        Ok(())
    }
}

/// Where a redirect sends a request (TS 29.500 6.10.9.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetNfId<'a> {
    /// NF instance, a UUID.
    pub nf_instance: &'a str,
    /// NF service instance.
    pub service_instance: Option<&'a str>,
}

impl<'a> Value<'a> for TargetNfId<'a> {
    const HEADER: Header = Header::TargetNfId;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let nf_instance = named_instance(cursor)?;
            let service_instance = if cursor.separator(b';') {
                cursor.literal("nfservinst=")?;
                Some(cursor.token("nfservinst")?)
            } else {
                None
            };
            Ok(Self { nf_instance, service_instance })
        })
    }
}

impl fmt::Display for TargetNfId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nfinst={}", self.nf_instance)?;
        self.service_instance.map_or(Ok(()), |instance| write!(f, "; nfservinst={instance}"))
    }
}

/// The group of NFs that serves a user, as a response tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TargetNfGroupId<'a> {
    /// NF group.
    pub group: &'a str,
}

impl<'a> Value<'a> for TargetNfGroupId<'a> {
    const HEADER: Header = Header::TargetNfGroupId;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            cursor.literal("nfgid=")?;
            let offset = cursor.offset();
            let group = cursor.quoted("nfgid in quotes")?;
            if super::is_token(group) { Ok(Self { group }) } else { Err(cursor.parameter("nfgid", offset)) }
        })
    }
}

impl fmt::Display for TargetNfGroupId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nfgid=\"{}\"", self.group)
    }
}

named! {
    /// Which of two CHF instances.
    ChfRole { Primary "primary" Secondary "secondary" }
}

/// The other CHF instance (TS 29.500 6.10.3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AlternateChfId<'a> {
    /// NF instance, a UUID.
    pub nf_instance: &'a str,
    /// Which it is.
    pub role: ChfRole<'a>,
}

impl<'a> Value<'a> for AlternateChfId<'a> {
    const HEADER: Header = Header::AlternateChfId;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, |cursor| {
            let nf_instance = named_instance(cursor)?;
            if !cursor.separator(b';') {
                return Err(cursor.missing("primary or secondary"));
            }
            Ok(Self { nf_instance, role: cursor.token("primary or secondary")?.into() })
        })
    }
}

impl fmt::Display for AlternateChfId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nfinst={}; {}", self.nf_instance, self.role)
    }
}

fn named_instance<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    cursor.literal("nfinst=")?;
    cursor.spaces();
    instance(cursor, "nfinst")
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: &str = "54804518-4191-46b3-955c-ac631f953ed8";

    /// The examples of TS 29.500 5.2.3.2.8, 5.2.3.2.13 and 5.2.3.3.5.
    #[test]
    fn examples_of_the_specification() {
        let bare = ProducerId { nf_instance: INSTANCE, service_instance: None, nf_set: None, service_set: None };
        assert_eq!(ProducerId::parse(b"nfinst=54804518-4191-46b3-955c-ac631f953ed8"), Ok(bare));
        assert_eq!(
            TargetNfId::parse(b"nfinst=54804518-4191-46b3-955c-ac631f953ed8; nfservinst=xyz"),
            Ok(TargetNfId { nf_instance: INSTANCE, service_instance: Some("xyz") })
        );
        assert_eq!(
            AlternateChfId::parse(b"nfinst=54804518-4191-46b3-955c-ac631f953ed8; secondary"),
            Ok(AlternateChfId { nf_instance: INSTANCE, role: ChfRole::Secondary })
        );
    }

    #[test]
    fn all_of_a_producer_in_any_order() {
        let text = "nfinst=54804518-4191-46b3-955c-ac631f953ed8 ; nfset=set1.udmset.5gc.mnc012.mcc345;nfservinst=a; NFSERVICESET=b";
        let producer = ProducerId::parse(text.as_bytes()).unwrap();
        assert_eq!((producer.service_instance, producer.service_set), (Some("a"), Some("b")));
        assert_eq!(producer.nf_set, Some("set1.udmset.5gc.mnc012.mcc345"));
    }

    #[test]
    fn what_is_wrong_says_where() {
        let header = Header::ProducerId;
        for (text, error) in [
            ("nfset=a", Error::Expected { header, what: "nfinst=", offset: 0 }),
            ("nfinst=abc", Error::Parameter { header, name: "nfinst", offset: 7 }),
            (
                "nfinst=54804518-4191-46b3-955c-ac631f953ed8;nfset=a;nfset=b",
                Error::Repeated { header, name: "nfset", offset: 52 },
            ),
        ] {
            assert_eq!(ProducerId::parse(text.as_bytes()), Err(error), "{text}");
        }
        let error = TargetNfGroupId::parse(b"nfgid=abc").unwrap_err();
        assert_eq!(error, Error::Expected { header: Header::TargetNfGroupId, what: "nfgid in quotes", offset: 6 });
    }
}

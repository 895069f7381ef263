//! 3gpp-Sbi-Binding and 3gpp-Sbi-Routing-Binding (TS 29.500 5.2.3.2.5, 5.2.3.2.6, 6.12).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::{Cursor, whole};
use super::listed::listed;
use super::named::named;
use super::token::uri;
use super::{Error, Header, Pair, Timestamp, Value};

named! {
    /// What a resource is bound to.
    BindingLevel {
        NfInstance "nf-instance" | "nfinstance"
        NfSet "nf-set" | "nfset"
        ServiceInstance "nfservice-instance" | "nfserviceinstance"
        ServiceSet "nfservice-set" | "nfserviceset"
    }
}

named! {
    /// A parameter whose value is a token.
    BindingParameter {
        NfInstance "nfinst"
        NfSet "nfset"
        ServiceInstance "nfservinst"
        ServiceSet "nfserviceset" | "nfservset"
        Service "servname"
        BackupAmf "backupamfinst"
        BackupNf "backupnf" | "backupnfinst"
        Scope "scope"
        OldGroup "oldgroupid"
        Group "groupid"
        UriBase "uribase"
        OldNfInstance "oldnfinst"
        OldServiceSet "oldservset"
        OldServiceInstance "oldservinst"
        Guami "guami"
        CallbackUriPrefix "callback-uri-prefix"
    }
}

named! {
    /// What a binding indication of a request applies to.
    BindingScope {
        Callback "callback"
        OtherService "other-service"
        SubscriptionEvents "subscription-events"
    }
}

/// One binding indication.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// What the resource is bound to.
    pub level: BindingLevel<'a>,
    /// Parameters and their values, those about groups last; percent-encoded where a token could not carry them, and with
    /// the quotes that others came in.
    pub parameters: Vec<(BindingParameter<'a>, &'a str)>,
    /// When what the resource is bound to started last (TS 23.527 6.1).
    pub recovery_time: Option<Timestamp>,
    /// URI of the notification endpoint that the indication is for (`nr`).
    pub notification_receiver: Option<&'a str>,
    /// Whether it is for a group of resources (`group`).
    pub group: Option<bool>,
    /// Whether nothing else than what is named has the resource (`no-redundancy`).
    pub no_redundancy: bool,
}

impl<'a> Binding<'a> {
    /// The first value of a parameter.
    pub fn get(&self, parameter: BindingParameter<'_>) -> Option<&'a str> {
        self.all(parameter).next()
    }

    /// Every value of a parameter: names of services and scopes may be several.
    pub fn all(&self, parameter: BindingParameter<'_>) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(name, _)| *name == parameter).map(|(_, value)| *value)
    }

    /// What it applies to; callbacks where it does not say.
    pub fn applies_to(&self, scope: BindingScope<'_>) -> bool {
        match self.get(BindingParameter::Scope) {
            Some(_) => self.all(BindingParameter::Scope).any(|named| BindingScope::from(named) == scope),
            None => scope == BindingScope::Callback,
        }
    }

    /// The identity at the binding's level; none at a level that is unknown.
    pub fn entity(&self) -> Option<&'a str> {
        self.get(entity(self.level)?.0)
    }

    /// The parameters that this release does not define.
    pub fn others(&self) -> impl Iterator<Item = Pair<'a>> {
        self.parameters.iter().filter_map(|(name, value)| match name {
            BindingParameter::Other(name) => Some(Pair { name, value }),
            _ => None,
        })
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, Error> {
        cursor.literal("bl=")?;
        cursor.spaces();
        let mut binding = Self {
            level: cursor.token("bl")?.into(),
            parameters: Vec::new(),
            recovery_time: None,
            notification_receiver: None,
            group: None,
            no_redundancy: false,
        };
        let mut no_redundancy = None;
        while cursor.separator(b';') {
            let start = cursor.offset();
            let name = cursor.name()?;
            let offset = cursor.offset();
            if name.eq_ignore_ascii_case("recoverytime") {
                let time = cursor.in_quotes(Timestamp::read)?.to_second();
                cursor.once(&mut binding.recovery_time, time, "recoverytime", start)?;
            } else if name.eq_ignore_ascii_case("nr") {
                let receiver = receiver(cursor)?;
                cursor.once(&mut binding.notification_receiver, receiver, "nr", start)?;
            } else if name.eq_ignore_ascii_case("group") {
                let group = cursor.truth("group")?;
                cursor.once(&mut binding.group, group, "group", start)?;
            } else if name.eq_ignore_ascii_case("no-redundancy") {
                let value = cursor.truth("no-redundancy")?;
                cursor.once(&mut no_redundancy, value, "no-redundancy", start)?;
            } else {
                let name = BindingParameter::from(name);
                let value = cursor.value("value of a parameter")?;
                let free = matches!(name, BindingParameter::CallbackUriPrefix | BindingParameter::Other(_));
                if !free && !super::is_token(value) {
                    return Err(cursor.parameter("binding", offset));
                }
                binding.parameters.push((name, value));
            }
        }
        binding.parameters.sort_by_key(|(name, _)| is_of_group(*name));
        binding.no_redundancy = no_redundancy.unwrap_or(false);
        if let Some((parameter, name)) = entity(binding.level)
            && binding.get(parameter).is_none()
        {
            return Err(cursor.missing(name));
        }
        Ok(binding)
    }
}

/// The parameter that must be there at a level (TS 29.500 5.2.3.2.5).
fn entity(level: BindingLevel<'_>) -> Option<(BindingParameter<'static>, &'static str)> {
    match level {
        BindingLevel::NfInstance => Some((BindingParameter::NfInstance, "nfinst")),
        BindingLevel::NfSet => Some((BindingParameter::NfSet, "nfset")),
        BindingLevel::ServiceInstance => Some((BindingParameter::ServiceInstance, "nfservinst")),
        BindingLevel::ServiceSet => Some((BindingParameter::ServiceSet, "nfserviceset")),
        BindingLevel::Other(_) => None,
    }
}

/// Whether a parameter is about groups: the grammar has those last.
fn is_of_group(parameter: BindingParameter<'_>) -> bool {
    matches!(
        parameter,
        BindingParameter::OldGroup
            | BindingParameter::Group
            | BindingParameter::UriBase
            | BindingParameter::OldNfInstance
            | BindingParameter::OldServiceSet
            | BindingParameter::OldServiceInstance
            | BindingParameter::Guami
    )
}

/// Takes a URI, which may have a comma or a semicolon of its own: what separates parameters or elements ends it.
fn receiver<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    let offset = cursor.offset();
    if cursor.peek() == Some(b'"') {
        let text = cursor.quoted("nr")?;
        return uri(cursor, text, "nr", offset);
    }
    let rest = cursor.rest();
    loop {
        cursor.run(|byte| !matches!(byte, b';' | b',' | b' ' | b'\t'));
        let end = cursor.offset();
        let separates = match cursor.peek() {
            Some(b',') => {
                cursor.separator(b',');
                cursor.literal("bl=").is_ok()
            }
            _ => true,
        };
        cursor.back_to(end);
        if separates {
            return uri(cursor, rest.get(..end - offset).unwrap_or_default(), "nr", offset);
        }
        cursor.eat(b',');
    }
}

fn ends_early(receiver: &str) -> bool {
    let element = |rest: &str| rest.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("bl="));
    receiver.contains(';') || receiver.split(',').skip(1).any(element)
}

impl fmt::Display for Binding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bl={}", self.level)?;
        let write_those = |f: &mut fmt::Formatter<'_>, group: bool| {
            self.parameters
                .iter()
                .filter(|(name, _)| is_of_group(*name) == group)
                .try_for_each(|(name, value)| write!(f, "; {name}={value}"))
        };
        write_those(f, false)?;
        if let Some(time) = self.recovery_time {
            write!(f, "; recoverytime=\"{time}\"")?;
        }
        if let Some(receiver) = self.notification_receiver {
            // The grammar has no quotes, and without them this one would end early.
            let quote = if ends_early(receiver) { "\"" } else { "" };
            write!(f, "; nr={quote}{receiver}{quote}")?;
        }
        if let Some(group) = self.group {
            write!(f, "; group={group}")?;
        }
        write_those(f, true)?;
        if self.no_redundancy { f.write_str("; no-redundancy=true") } else { Ok(()) }
    }
}

/// 3gpp-Sbi-Binding: one indication or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bindings<'a>(pub Vec<Binding<'a>>);

listed!(Bindings, Binding, b',', ", ", Binding::read);

/// 3gpp-Sbi-Routing-Binding: the indication that a request is to be routed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutingBinding<'a>(pub Binding<'a>);

impl<'a> Value<'a> for RoutingBinding<'a> {
    const HEADER: Header = Header::RoutingBinding;

    fn parse(value: &'a [u8]) -> Result<Self, Error> {
        whole(Self::HEADER, value, Binding::read).map(Self)
    }
}

impl fmt::Display for RoutingBinding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    const INSTANCE: &str = "54804518-4191-46b3-955c-ac631f953ed8";
    const SMF_SET: &str = "set1.smfset.5gc.mnc012.mcc345";

    fn one(text: &str) -> Binding<'_> {
        RoutingBinding::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}")).0
    }

    /// Examples 1 to 6 of TS 29.500 5.2.3.2.5, with the names that they use for parameters.
    #[test]
    fn b1_examples_of_routing_bindings() {
        let set = one("bl=nf-set; nfset=set1.smfset.5gc.mnc012.mcc345");
        assert_eq!((set.level, set.entity()), (BindingLevel::NfSet, Some(SMF_SET)));
        let instance = one(
            "bl=nf-instance; nfinst=54804518-4191-46b3-955c-ac631f953ed8; nfset=set1.smfset.5gc.mnc012.mcc345",
        );
        assert_eq!((instance.entity(), instance.get(BindingParameter::NfSet)), (Some(INSTANCE), Some(SMF_SET)));
        let service = one(
            "bl=nfservice-set; nfservset=setxyz.snnsmf-pdusession.nfi54804518-4191-46b3-955c-ac631f953ed8.5gc.mnc012.mcc345; nfset=set1.smfset.5gc.mnc012.mcc345",
        );
        assert_eq!(service.level, BindingLevel::ServiceSet);
        assert_eq!(
            service.get(BindingParameter::ServiceSet),
            Some("setxyz.snnsmf-pdusession.nfi54804518-4191-46b3-955c-ac631f953ed8.5gc.mnc012.mcc345")
        );
        let events = one("bl=nf-set; nfset= set1-region48.amfset.5gc.mnc012.mcc345; servname=namf-comm");
        assert_eq!(events.get(BindingParameter::Service), Some("namf-comm"));
        let backed = one(
            "bl=nf-instance; nfinst=54804518-4191-46b3-955c-ac631f953ed7; backupnfinst=54804518-4191-46b3-955c-ac631f953ed8",
        );
        assert_eq!(backed.get(BindingParameter::BackupNf), Some(INSTANCE));
    }

    /// Examples 6 to 11 of TS 29.500 5.2.3.2.6.
    #[test]
    fn b1_examples_of_bindings() {
        let several = Bindings::parse(
            b"bl= nf-set; nfset=set1.udmset.5gc.mnc012.mcc345; servname=nudm-ee;scope=subscription-events, bl= nf-set; nfset=set1.nefset.5gc.mnc012.mcc345; servname=nnef-event-exposure",
        )
        .unwrap()
        .0;
        assert_eq!(several.len(), 2);
        assert!(several[0].applies_to(BindingScope::SubscriptionEvents));
        assert!(!several[0].applies_to(BindingScope::Callback));
        assert!(several[1].applies_to(BindingScope::Callback));
        let both =
            one("bl=nf-set; nfset=set1-region48.amfset.5gc.mnc012.mcc345; scope=callback; scope=other-service");
        assert!(both.applies_to(BindingScope::Callback) && both.applies_to(BindingScope::OtherService));
        let recovered = one(
            "bl=nfset; nfset=set1-region48.amfset.5gc.mnc012.mcc345; scope=callback; recoverytime= \"Tue, 04 Feb 2020 08:49:37 GMT\"",
        );
        assert_eq!(recovered.recovery_time, Some(Timestamp { milliseconds: 1_580_806_177_000 }));
        let service = one(
            "bl=nfserviceinstance; nfservinst=xyz; nfinst=54804518-4191-46b3-955c-ac631f953ed8; recoverytime= \"Tue, 04 Feb 2020 08:49:37 GMT\"",
        );
        assert_eq!((service.level, service.entity()), (BindingLevel::ServiceInstance, Some("xyz")));
    }

    #[test]
    fn b1_every_parameter_is_printed_where_the_grammar_has_it() {
        let text = "bl=nf-instance; no-redundancy=true; guami=%7B%22x%22%3A1%7D; group=true; groupid=g; new=\"a;b\"; \
            nr=https://a/b,c;nfinst=54804518-4191-46b3-955c-ac631f953ed8, bl=nf-set;nfset=s";
        let bindings = Bindings::parse(text.as_bytes()).unwrap();
        assert_eq!(bindings.0[0].notification_receiver, Some("https://a/b,c"));
        assert_eq!(bindings.0[0].others().collect::<Vec<_>>(), [Pair { name: "new", value: "\"a;b\"" }]);
        assert_eq!(
            bindings.to_string(),
            "bl=nf-instance; new=\"a;b\"; nfinst=54804518-4191-46b3-955c-ac631f953ed8; nr=https://a/b,c; group=true; \
             guami=%7B%22x%22%3A1%7D; groupid=g; no-redundancy=true, bl=nf-set; nfset=s"
        );
    }

    #[test]
    fn b1_what_is_wrong_says_where() {
        let header = Header::Binding;
        for (text, error) in [
            ("nfset=s", Error::Expected { header, what: "bl=", offset: 0 }),
            ("bl=nf-set", Error::Missing { header, name: "nfset", offset: 9 }),
            ("bl=nf-set; nfset=a/b", Error::Parameter { header, name: "binding", offset: 17 }),
            ("bl=nf-set; nfset=s; nr=x", Error::Parameter { header, name: "nr", offset: 23 }),
            ("bl=nf-set; nfset=s; group=1", Error::Parameter { header, name: "group", offset: 26 }),
            ("bl=nf-set; nfset=s; group=true; group=true", Error::Repeated { header, name: "group", offset: 32 }),
            ("bl=nf-set; nfset=s, ", Error::Expected { header, what: "bl=", offset: 20 }),
            ("bl=nf-set; nfset=s; recoverytime=x", Error::Expected { header, what: "\"", offset: 33 }),
        ] {
            assert_eq!(Bindings::parse(text.as_bytes()), Err(error), "{text}");
        }
    }
}

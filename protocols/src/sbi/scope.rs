//! What load and overload control information is about (TS 29.500 5.2.3.2.9, 5.2.3.2.10, 6.3.3.4.4, 6.4.3.4.5).

use alloc::vec::Vec;
use core::fmt;

use super::cursor::Cursor;
use super::listed::separated;
use super::token::{instance, is_tchar, uri};
use super::{Error, Pair};

/// Whose load or overload it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeEntity<'a> {
    /// An NF instance as producer, a UUID.
    NfInstance(&'a str),
    /// An NF set as producer.
    NfSet(&'a str),
    /// A service instance of a producer.
    ServiceInstance(&'a str),
    /// A service set of a producer.
    ServiceSet(&'a str),
    /// An NF instance as consumer, a UUID.
    ConsumerInstance(&'a str),
    /// An NF set as consumer.
    ConsumerSet(&'a str),
    /// A service instance of a consumer.
    ConsumerServiceInstance(&'a str),
    /// A service set of a consumer.
    ConsumerServiceSet(&'a str),
    /// Where notifications go.
    CallbackUri(Vec<&'a str>),
    /// An SCP, by its name.
    Scp(&'a str),
    /// A SEPP, by its name.
    Sepp(&'a str),
}

/// What control information is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope<'a> {
    /// Whose.
    pub entity: ScopeEntity<'a>,
    /// The NF instance of a service instance, a UUID.
    pub nf_instance: Option<&'a str>,
    /// The consumer's service that notifications go to.
    pub service_name: Option<&'a str>,
    /// Slices, percent-encoded JSON, or JSON as printed examples have it.
    pub snssais: Vec<&'a str>,
    /// Data networks.
    pub dnns: Vec<&'a str>,
    /// Parameters that this release does not define.
    pub others: Vec<Pair<'a>>,
}

/// What has been read of a scope.
#[derive(Default)]
pub(super) struct Parts<'a> {
    entity: Option<ScopeEntity<'a>>,
    nf_instance: Option<&'a str>,
    service_name: Option<&'a str>,
    snssais: Option<Vec<&'a str>>,
    dnns: Option<Vec<&'a str>>,
    others: Vec<Pair<'a>>,
}

impl<'a> Parts<'a> {
    /// Takes the value of a parameter whose name was read at `start`.
    pub(super) fn take(&mut self, cursor: &mut Cursor<'a>, name: &'a str, start: usize) -> Result<(), Error> {
        let is = |wanted: &str| name.eq_ignore_ascii_case(wanted);
        let entity = if is("NF-Instance") {
            ScopeEntity::NfInstance(instance(cursor, "NF-Instance")?)
        } else if is("NF-Set") {
            ScopeEntity::NfSet(cursor.token("NF-Set")?)
        } else if is("NF-Service-Instance") {
            ScopeEntity::ServiceInstance(cursor.token("NF-Service-Instance")?)
        } else if is("NF-Service-Set") {
            ScopeEntity::ServiceSet(cursor.token("NF-Service-Set")?)
        } else if is("NFC-Instance") {
            ScopeEntity::ConsumerInstance(instance(cursor, "NFC-Instance")?)
        } else if is("NFC-Set") {
            ScopeEntity::ConsumerSet(cursor.token("NFC-Set")?)
        } else if is("NFC-Service-Instance") {
            ScopeEntity::ConsumerServiceInstance(cursor.token("NFC-Service-Instance")?)
        } else if is("NFC-Service-Set") {
            ScopeEntity::ConsumerServiceSet(cursor.token("NFC-Service-Set")?)
        } else if is("Callback-Uri") {
            ScopeEntity::CallbackUri(cursor.list(b'&', callback_uri)?)
        } else if is("SCP-FQDN") {
            ScopeEntity::Scp(cursor.token("SCP-FQDN")?)
        } else if is("SEPP-FQDN") {
            ScopeEntity::Sepp(cursor.token("SEPP-FQDN")?)
        } else if is("NF-Inst") {
            let value = instance(cursor, "NF-Inst")?;
            return cursor.once(&mut self.nf_instance, value, "NF-Inst", start);
        } else if is("Service-Name") {
            let value = cursor.token("Service-Name")?;
            return cursor.once(&mut self.service_name, value, "Service-Name", start);
        } else if is("S-NSSAI") {
            let value = cursor.list(b'&', snssai)?;
            return cursor.once(&mut self.snssais, value, "S-NSSAI", start);
        } else if is("DNN") {
            let value = cursor.list(b'&', |cursor| cursor.some("DNN", is_listed))?;
            return cursor.once(&mut self.dnns, value, "DNN", start);
        } else {
            self.others.push(Pair { name, value: cursor.value("value of a parameter")? });
            return Ok(());
        };
        cursor.once(&mut self.entity, entity, "scope", start)
    }

    /// The scope, which must have been there.
    pub(super) fn whole(self, cursor: &Cursor<'a>) -> Result<Scope<'a>, Error> {
        Ok(Scope {
            entity: self.entity.ok_or_else(|| cursor.missing("scope"))?,
            nf_instance: self.nf_instance,
            service_name: self.service_name,
            snssais: self.snssais.unwrap_or_default(),
            dnns: self.dnns.unwrap_or_default(),
            others: self.others,
        })
    }
}

/// A character of a token that is one of several with ampersands between them.
fn is_listed(byte: u8) -> bool {
    is_tchar(byte) && byte != b'&'
}

/// Takes a slice: a token, or JSON in braces as printed examples have it.
fn snssai<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    if cursor.peek() != Some(b'{') {
        return cursor.some("S-NSSAI", is_listed);
    }
    let (start, rest) = (cursor.offset(), cursor.rest());
    cursor.run(|byte| byte != b'}');
    cursor.literal("}")?;
    Ok(rest.get(..cursor.offset() - start).unwrap_or_default())
}

/// Takes a URI, in quotes where printed examples have it so; spaces end it.
fn callback_uri<'a>(cursor: &mut Cursor<'a>) -> Result<&'a str, Error> {
    let offset = cursor.offset();
    let text = cursor.perhaps_quoted("Callback-Uri")?;
    uri(cursor, text, "Callback-Uri", offset)
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = match &self.entity {
            ScopeEntity::NfInstance(value) => ("NF-Instance", value),
            ScopeEntity::NfSet(value) => ("NF-Set", value),
            ScopeEntity::ServiceInstance(value) => ("NF-Service-Instance", value),
            ScopeEntity::ServiceSet(value) => ("NF-Service-Set", value),
            ScopeEntity::ConsumerInstance(value) => ("NFC-Instance", value),
            ScopeEntity::ConsumerSet(value) => ("NFC-Set", value),
            ScopeEntity::ConsumerServiceInstance(value) => ("NFC-Service-Instance", value),
            ScopeEntity::ConsumerServiceSet(value) => ("NFC-Service-Set", value),
            ScopeEntity::CallbackUri(uris) => {
                f.write_str("Callback-Uri: ")?;
                let quoted = uris.iter().any(|uri| uri.contains([';', ',']));
                let quote = if quoted { "\"" } else { "" };
                let between = if quoted { "\" & \"" } else { " & " };
                f.write_str(quote)?;
                separated(f, between, uris)?;
                f.write_str(quote)?;
                ("", &"")
            }
            ScopeEntity::Scp(value) => ("SCP-FQDN", value),
            ScopeEntity::Sepp(value) => ("SEPP-FQDN", value),
        };
        if !name.is_empty() {
            write!(f, "{name}: {value}")?;
        }
        for (name, value) in [("NF-Inst", self.nf_instance), ("Service-Name", self.service_name)] {
            if let Some(value) = value {
                write!(f, "; {name}: {value}")?;
            }
        }
        for (name, values) in [("S-NSSAI", &self.snssais), ("DNN", &self.dnns)] {
            if !values.is_empty() {
                write!(f, "; {name}: ")?;
                separated(f, " & ", values)?;
            }
        }
        self.others.iter().try_for_each(|other| write!(f, "; {}: {}", other.name, other.value))
    }
}

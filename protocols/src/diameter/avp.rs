//! Attribute-value pairs (RFC 6733 4.1).

use super::{AvpCode, Error};
use crate::bytes;

/// Bytes of code, flags and length.
const HEADER: usize = 8;

/// Groups are followed so many levels down.
const DEEPEST: u8 = 16;

/// What a message is routed by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Routing<'a> {
    /// Session-Id.
    pub session: Option<&'a [u8]>,
    /// Origin-Host: a `DiameterIdentity`, as the following.
    pub origin_host: Option<&'a [u8]>,
    /// Origin-Realm.
    pub origin_realm: Option<&'a [u8]>,
    /// Destination-Host.
    pub destination_host: Option<&'a [u8]>,
    /// Destination-Realm.
    pub destination_realm: Option<&'a [u8]>,
    /// User-Name: on S6a the IMSI.
    pub user: Option<&'a [u8]>,
    /// Result-Code.
    pub result: Option<u32>,
}

impl<'a> Routing<'a> {
    pub(super) fn of(avps: Avps<'a>) -> Result<Self, Error> {
        let mut routing = Self::default();
        for avp in avps {
            let avp = avp?;
            let field = match avp.known() {
                Some(AvpCode::SessionId) => &mut routing.session,
                Some(AvpCode::OriginHost) => &mut routing.origin_host,
                Some(AvpCode::OriginRealm) => &mut routing.origin_realm,
                Some(AvpCode::DestinationHost) => &mut routing.destination_host,
                Some(AvpCode::DestinationRealm) => &mut routing.destination_realm,
                Some(AvpCode::UserName) => &mut routing.user,
                Some(AvpCode::ResultCode) if routing.result.is_none() => {
                    routing.result = Some(avp.unsigned()?);
                    continue;
                }
                _ => continue,
            };
            field.get_or_insert(avp.value());
        }
        Ok(routing)
    }
}

/// A pair whose length fits; its value is not looked at yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Avp<'a> {
    code: u32,
    flags: u8,
    vendor: Option<u32>,
    offset: usize,
    value_offset: usize,
    depth: u8,
    value: &'a [u8],
}

impl<'a> Avp<'a> {
    /// Code of the pair, of its vendor's where it has one.
    pub fn code(&self) -> u32 {
        self.code
    }

    /// The code of one that has no vendor, or 0 for one, which is the same (RFC 6733 4.1).
    pub fn known(&self) -> Option<AvpCode> {
        matches!(self.vendor, None | Some(0)).then(|| AvpCode::from(self.code))
    }

    /// The number that IANA gave the vendor: 10415 is 3GPP.
    pub fn vendor(&self) -> Option<u32> {
        self.vendor
    }

    /// M: who does not know it refuses the message.
    pub fn is_mandatory(&self) -> bool {
        self.flags & 0x40 != 0
    }

    /// Where in the message the pair begins.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The value, without padding.
    pub fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The value as `Unsigned32`.
    ///
    /// # Errors
    ///
    /// [`Error::Value`].
    pub fn unsigned(&self) -> Result<u32, Error> {
        let number = bytes::u32_at(self.value, 0).filter(|_| self.value.len() == 4);
        number.ok_or(Error::Value { code: self.code, offset: self.offset, length: self.value.len() })
    }

    /// The pairs that are in the value, of whatever type it is: only who knows the code knows whether it is a group.
    ///
    /// # Errors
    ///
    /// [`Error::Depth`].
    pub fn group(&self) -> Result<Avps<'a>, Error> {
        if self.depth >= DEEPEST {
            return Err(Error::Depth { code: self.code, offset: self.offset });
        }
        Ok(Avps::new(self.value, self.value_offset, self.depth.saturating_add(1)))
    }
}

/// Pairs one after another, groups unopened. Ends after the first error.
#[derive(Clone, Debug)]
pub struct Avps<'a> {
    rest: &'a [u8],
    offset: usize,
    depth: u8,
}

impl<'a> Avps<'a> {
    pub(super) fn new(rest: &'a [u8], offset: usize, depth: u8) -> Self {
        Self { rest, offset, depth }
    }

    fn split(&self) -> Result<(Avp<'a>, usize), Error> {
        let (offset, have) = (self.offset, self.rest.len());
        let header = bytes::array_at(self.rest, 0);
        let Some([c0, c1, c2, c3, flags, l0, l1, l2]) = header else {
            return Err(Error::AvpCut { code: None, offset, need: HEADER, have });
        };
        let code = u32::from_be_bytes([c0, c1, c2, c3]);
        let length = u32::from_be_bytes([0, l0, l1, l2]);
        let need = usize::try_from(length).unwrap_or(usize::MAX);
        let (header, vendor) = match flags & 0x80 {
            0 => (HEADER, None),
            _ => (HEADER.saturating_add(4), bytes::u32_at(self.rest, HEADER)),
        };
        if need < header {
            return Err(Error::AvpLength { code, offset, length });
        }
        let value = self.rest.get(header..need).ok_or(Error::AvpCut { code: Some(code), offset, need, have })?;
        let value_offset = offset.saturating_add(header);
        let avp = Avp { code, flags, vendor, offset, value_offset, depth: self.depth, value };
        Ok((avp, need.next_multiple_of(4)))
    }
}

impl<'a> Iterator for Avps<'a> {
    type Item = Result<Avp<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match self.split() {
            Ok((avp, length)) => {
                self.offset = self.offset.saturating_add(length);
                self.rest = bytes::after(self.rest, length);
                Some(Ok(avp))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

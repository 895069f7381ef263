//! NAS of 5GS (TS 24.501): a view of what an N2 front end may see of it, the type of a message in the clear and whose it is.
//!
//! ```
//! use pinion_protocols::nas::{Identity, Message, MessageType};
//!
//! let bytes = [0x7e, 0, 0x4c, 0x02, 0, 7, 0xf4, 0x55, 0x6a, 0xc0, 0xff, 0xee, 0x01];
//! let message = Message::parse(&bytes)?;
//! assert_eq!(message.message_type(), Some(MessageType::ServiceRequest));
//! assert!(matches!(message.identity()?, Some(Identity::STmsi(tmsi)) if tmsi.set == 0x155));
//! # Ok::<(), pinion_protocols::nas::Error>(())
//! ```

mod error;
mod identity;

pub use error::{Error, Field};
pub use identity::{Identity, Suci};

use crate::bytes;
use crate::numbered::numbered;

/// Extended protocol discriminator of 5GS mobility management (TS 24.007 11.2.3.1.1A).
const MOBILITY: u8 = 0x7e;

/// Octets before a protected message: discriminator, security header, authentication code, sequence number.
const PROTECTED: usize = 7;

numbered! {
    /// Security header type (TS 24.501 9.3.1).
    SecurityHeader(u8) else "security header" {
        0 Plain "plain"
        1 Protected "integrity protected"
        2 Ciphered "integrity protected and ciphered"
        3 ProtectedNew "integrity protected with a new context"
        4 CipheredNew "integrity protected and ciphered with a new context"
    }
}

numbered! {
    /// Type of a message of mobility management (TS 24.501 9.7).
    MessageType(u8) else "message" {
        0x41 RegistrationRequest "Registration Request"
        0x42 RegistrationAccept "Registration Accept"
        0x43 RegistrationComplete "Registration Complete"
        0x44 RegistrationReject "Registration Reject"
        0x45 DeregistrationRequestOfUe "Deregistration Request of the UE"
        0x46 DeregistrationAcceptToUe "Deregistration Accept to the UE"
        0x47 DeregistrationRequestToUe "Deregistration Request to the UE"
        0x48 DeregistrationAcceptOfUe "Deregistration Accept of the UE"
        0x4c ServiceRequest "Service Request"
        0x4d ServiceReject "Service Reject"
        0x4e ServiceAccept "Service Accept"
        0x4f ControlPlaneServiceRequest "Control Plane Service Request"
        0x54 ConfigurationUpdateCommand "Configuration Update Command"
        0x55 ConfigurationUpdateComplete "Configuration Update Complete"
        0x56 AuthenticationRequest "Authentication Request"
        0x57 AuthenticationResponse "Authentication Response"
        0x58 AuthenticationReject "Authentication Reject"
        0x59 AuthenticationFailure "Authentication Failure"
        0x5a AuthenticationResult "Authentication Result"
        0x5b IdentityRequest "Identity Request"
        0x5c IdentityResponse "Identity Response"
        0x5d SecurityModeCommand "Security Mode Command"
        0x5e SecurityModeComplete "Security Mode Complete"
        0x5f SecurityModeReject "Security Mode Reject"
        0x64 Status "Status"
        0x65 Notification "Notification"
        0x66 NotificationResponse "Notification Response"
        0x67 UplinkTransport "UL NAS Transport"
        0x68 DownlinkTransport "DL NAS Transport"
    }
}

/// A message of mobility management.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    security: SecurityHeader,
    sequence: Option<u8>,
    message_type: Option<MessageType>,
    /// What is behind the message's type, and where.
    body: &'a [u8],
    offset: usize,
}

impl<'a> Message<'a> {
    /// Parses a NAS PDU. What is within a ciphered message is not looked at.
    ///
    /// # Errors
    ///
    /// [`Error::Cut`], [`Error::Discriminator`].
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        let security = header(bytes, 0)?;
        let mut message = Self { security, sequence: None, message_type: None, body: &[], offset: PROTECTED };
        if security != SecurityHeader::Plain {
            let cut = Error::Cut { field: Field::SecurityHeader, offset: bytes.len() };
            message.sequence = Some(bytes::u8_at(bytes, PROTECTED.saturating_sub(1)).ok_or(cut)?);
        }
        let at = match security {
            SecurityHeader::Plain => 0,
            SecurityHeader::Protected | SecurityHeader::ProtectedNew => {
                header(bytes, PROTECTED)?;
                PROTECTED
            }
            SecurityHeader::Ciphered | SecurityHeader::CipheredNew | SecurityHeader::Other(_) => {
                return Ok(message);
            }
        };
        let at = at.saturating_add(2);
        let kind = bytes::u8_at(bytes, at).ok_or(Error::Cut { field: Field::MessageType, offset: bytes.len() })?;
        message.message_type = Some(kind.into());
        message.offset = at.saturating_add(1);
        message.body = bytes::after(bytes, message.offset);
        Ok(message)
    }

    /// How it is protected.
    pub fn security(&self) -> SecurityHeader {
        self.security
    }

    /// Sequence number of a protected message.
    pub fn sequence(&self) -> Option<u8> {
        self.sequence
    }

    /// Its type; none of a ciphered one.
    pub fn message_type(&self) -> Option<MessageType> {
        self.message_type
    }

    /// Whose it is: the mobile identity of a Registration, Service or Deregistration Request or an Identity Response; none of others.
    ///
    /// # Errors
    ///
    /// [`Error::Cut`], [`Error::Length`].
    pub fn identity(&self) -> Result<Option<Identity<'a>>, Error> {
        // Before it, an octet of two halves: what sort of request it is, and the key set.
        let before = match self.message_type {
            Some(
                MessageType::RegistrationRequest
                | MessageType::ServiceRequest
                | MessageType::DeregistrationRequestOfUe,
            ) => 1,
            Some(MessageType::IdentityResponse) => 0,
            _ => return Ok(None),
        };
        let end = self.offset.saturating_add(self.body.len());
        let cut = Error::Cut { field: Field::MobileIdentity, offset: end };
        let length = bytes::u16_at(self.body, before).ok_or(cut)?;
        let from = before.saturating_add(2);
        let value = bytes::after(self.body, from).get(..length.into()).ok_or(cut)?;
        Identity::parse(value, self.offset.saturating_add(from)).map(Some)
    }
}

/// The security header type of a message at an offset.
fn header(bytes: &[u8], at: usize) -> Result<SecurityHeader, Error> {
    let cut = Error::Cut { field: Field::SecurityHeader, offset: bytes.len() };
    match bytes::array_at(bytes, at).ok_or(cut)? {
        [MOBILITY, security] => Ok((security & 0xf).into()),
        [discriminator, _] => Err(Error::Discriminator { discriminator, offset: at }),
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;
    use std::vec::Vec;

    use super::*;
    use crate::ngap::{FiveGSTmsi, Guami};

    // Encoded by pycrate 0.8.1.
    const REGISTRATION: &[u8] =
        b"\x7e\x00\x41\x3a\x00\x0b\xf2\x00\xf1\x10\x02\x55\x6a\xde\xad\xbe\xef\x2e\x02\xa0\x20";
    const FIRST: &[u8] = b"\x7e\x00\x41\x79\x00\x0d\x01\x00\xf1\x10\x21\x43\x01\x07\x01\x02\x03\x04\x05";
    const SERVICE: &[u8] = b"\x7e\x00\x4c\x02\x00\x07\xf4\x55\x6a\xc0\xff\xee\x01";
    const DEREGISTRATION: &[u8] = b"\x7e\x00\x45\x29\x00\x0b\xf2\x00\xf1\x10\x02\x55\x6a\xde\xad\xbe\xef";
    const RESPONSE: &[u8] = b"\x7e\x00\x5c\x00\x0a\x01\x00\xf1\x10\x21\x43\x00\x00\x00\x01";

    fn identity(bytes: &[u8]) -> Option<Identity<'_>> {
        Message::parse(bytes).unwrap().identity().unwrap()
    }

    fn guti() -> Identity<'static> {
        let guami = Guami { plmn: [0x00, 0xf1, 0x10], region: 2, set: 0x155, pointer: 0x2a };
        Identity::Guti { guami, tmsi: [0xde, 0xad, 0xbe, 0xef] }
    }

    #[test]
    fn whose_requests_are() {
        assert_eq!(identity(REGISTRATION), Some(guti()));
        assert_eq!(identity(DEREGISTRATION), Some(guti()));
        let tmsi = FiveGSTmsi { set: 0x155, pointer: 0x2a, tmsi: [0xc0, 0xff, 0xee, 0x01] };
        assert_eq!(identity(SERVICE), Some(Identity::STmsi(tmsi)));
        let suci = |scheme, key, output| {
            Some(Identity::Suci(Suci::Imsi {
                plmn: [0x00, 0xf1, 0x10],
                routing: [0x21, 0x43],
                scheme,
                key,
                output,
            }))
        };
        assert_eq!(identity(FIRST), suci(1, 7, &[1, 2, 3, 4, 5][..]));
        assert_eq!(identity(RESPONSE), suci(0, 0, &[0, 1][..]));
    }

    #[test]
    fn what_is_protected_is_read_and_what_is_ciphered_is_not() {
        let protected = [b"\x7e\x01\xaa\xbb\xcc\xdd\x09", REGISTRATION].concat();
        let message = Message::parse(&protected).unwrap();
        assert_eq!((message.security(), message.sequence()), (SecurityHeader::Protected, Some(9)));
        assert_eq!(message.message_type(), Some(MessageType::RegistrationRequest));
        assert_eq!(message.identity(), Ok(Some(guti())));
        let ciphered = [b"\x7e\x02\xaa\xbb\xcc\xdd\x09", REGISTRATION].concat();
        let message = Message::parse(&ciphered).unwrap();
        assert_eq!((message.security(), message.message_type()), (SecurityHeader::Ciphered, None));
        assert_eq!(message.identity(), Ok(None));
    }

    #[test]
    fn cut_anywhere_it_is_said() {
        for whole in [FIRST, SERVICE, DEREGISTRATION, RESPONSE] {
            for end in 0..whole.len() {
                let error = Message::parse(&whole[..end]).and_then(|message| message.identity()).unwrap_err();
                assert!(matches!(error, Error::Cut { offset, .. } if offset == end), "{end}: {error}");
            }
        }
        let session = Message::parse(b"\x2e\x01\x01\xc1").unwrap_err();
        assert_eq!(session.to_string(), "NAS discriminator at offset 0: 0x2e is not mobility management");
        let mut short = SERVICE.to_vec();
        short[5] = 6;
        let error = Message::parse(&short).unwrap().identity().unwrap_err();
        assert_eq!(error, Error::Length { offset: 6, length: 6 });
    }

    #[test]
    fn any_bytes_end() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let starts: [&[u8]; 4] =
                [&[], &[0x7e], b"\x7e\x00\x41\x79\x00\x0d", b"\x7e\x01\0\0\0\0\0\x7e\x00\x4c\x00\x00\x08"];
            for start in starts {
                let bytes: Vec<u8> = [start, bytes].concat();
                let found = Message::parse(&bytes).and_then(|message| message.identity());
                assert!(found.is_ok() || found.is_err_and(|error| error.offset() <= bytes.len()));
            }
        });
    }
}

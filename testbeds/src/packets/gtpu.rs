//! GTP-U (TS 29.281).

use std::net::IpAddr;

/// The registered port (TS 29.281 4.4.2.3).
pub const PORT: u16 = 2152;

/// Extension header of a PDU session container (TS 38.415 5.5.2.1: uplink, QFI 9) behind its length octet.
pub const CONTAINER: (u8, [u8; 2]) = (0x85, [0x10, 0x09]);

/// A GTP-U message.
#[derive(Clone, Debug)]
pub struct Gtpu {
    /// Version and protocol type, the upper half of the first octet: 3 for GTP version 1.
    pub version: u8,
    /// Message type.
    pub kind: u8,
    /// TEID.
    pub teid: u32,
    /// Sequence number; sets the S flag.
    pub sequence: Option<u16>,
    /// N-PDU number; sets the PN flag.
    pub npdu: Option<u8>,
    /// Extension headers: type and content, whose length is two less than a multiple of four; sets the E flag.
    pub extensions: Vec<(u8, Vec<u8>)>,
    /// The length field, where it is not the right one.
    pub length: Option<u16>,
    /// What follows: a user packet, or information elements.
    pub data: Vec<u8>,
}

impl Gtpu {
    /// A user packet in a tunnel.
    #[must_use]
    pub fn data(teid: u32, data: &[u8]) -> Self {
        Self::message(255, teid, data)
    }

    /// An End Marker (TS 29.281 7.3.2).
    #[must_use]
    pub fn end_marker(teid: u32) -> Self {
        Self::message(254, teid, &[])
    }

    /// An Echo Request (TS 29.281 7.2.1).
    #[must_use]
    pub fn echo_request(sequence: Option<u16>) -> Self {
        Self { sequence, ..Self::message(1, 0, &[]) }
    }

    /// An Echo Response with a Recovery IE of 0 (TS 29.281 7.2.2, 8.2).
    #[must_use]
    pub fn echo_response(sequence: u16) -> Self {
        Self { sequence: Some(sequence), ..Self::message(2, 0, &[14, 0]) }
    }

    /// An Error Indication for a tunnel at an address (TS 29.281 7.3.1).
    #[must_use]
    pub fn error_indication(teid: u32, address: impl Into<IpAddr>) -> Self {
        let mut data = vec![16];
        data.extend(teid.to_be_bytes());
        match address.into() {
            IpAddr::V4(address) => data.extend([&[133, 0, 4][..], &address.octets()].concat()),
            IpAddr::V6(address) => data.extend([&[133, 0, 16][..], &address.octets()].concat()),
        }
        Self { sequence: Some(0), ..Self::message(26, 0, &data) }
    }

    /// Any message.
    #[must_use]
    pub fn message(kind: u8, teid: u32, data: &[u8]) -> Self {
        let data = data.to_vec();
        Self { version: 3, kind, teid, sequence: None, npdu: None, extensions: Vec::new(), length: None, data }
    }

    /// Its bytes (TS 29.281 5.1, 5.2.1).
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let flags =
            flag(!self.extensions.is_empty(), 4) | flag(self.sequence.is_some(), 2) | flag(self.npdu.is_some(), 1);
        let mut body = Vec::new();
        if flags != 0 {
            body.extend(self.sequence.unwrap_or_default().to_be_bytes());
            body.push(self.npdu.unwrap_or_default());
            for (kind, content) in &self.extensions {
                body.extend([*kind, ((content.len() + 2) / 4) as u8]);
                body.extend(content);
            }
            body.push(0);
        }
        body.extend(&self.data);
        let length = self.length.unwrap_or(body.len() as u16);
        let mut bytes = vec![self.version << 4 | flags, self.kind];
        bytes.extend(length.to_be_bytes());
        bytes.extend(self.teid.to_be_bytes());
        bytes.extend(body);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::Gtpu;
    use crate::packets::check::unhex;

    /// Scapy 2.8: `GTP_U_Header(gtp_type=26, teid=0, S=1)/GTPErrorIndication(IE_list=[IE_TEIDI(TEIDI=7),
    /// IE_GSNAddress(...)])`.
    #[test]
    fn error_indications_are_as_scapy_makes_them() {
        let v6: std::net::Ipv6Addr = "2001:db8::1".parse().unwrap();
        assert_eq!(
            Gtpu::error_indication(7, [192, 0, 2, 1]).bytes(),
            unhex("321a001000000000000000001000000007850004c0000201").unwrap()
        );
        assert_eq!(
            Gtpu::error_indication(7, v6).bytes(),
            unhex("321a001c0000000000000000100000000785001020010db8000000000000000000000001").unwrap()
        );
    }
}

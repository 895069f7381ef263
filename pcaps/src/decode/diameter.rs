//! Fields of Diameter messages.

use pinion_protocols::diameter::{AvpCode, Avps, Error, Message as Diameter};

use super::Message;
use super::message::text;
use super::network::{Ends, Walk};

/// The messages of one after another in a segment's or chunk's bytes; what is left of them, where one is not whole.
pub(super) fn messages<'b>(walk: &mut Walk<'_>, ends: Ends, mut bytes: &'b [u8]) -> Result<&'b [u8], Error> {
    loop {
        let length = match Diameter::length_of(bytes) {
            Ok(length) => usize::try_from(length).unwrap_or(usize::MAX),
            Err(Error::HeaderCut { .. }) => return Ok(bytes),
            Err(error) => return Err(error),
        };
        let Some((whole, rest)) = bytes.split_at_checked(length) else {
            return Ok(bytes);
        };
        message(walk, ends, whole);
        bytes = rest;
    }
}

/// One message, which may be cut.
pub(super) fn message(walk: &mut Walk<'_>, ends: Ends, bytes: &[u8]) {
    let mut message = walk.message("Diameter", ends);
    if let Err(error) = fields(&mut message, bytes) {
        message.fail(error);
    }
    walk.keep(message);
}

fn fields(message: &mut Message, bytes: &[u8]) -> Result<(), Error> {
    let diameter = Diameter::parse(bytes)?;
    message.add("diameter.length", diameter.length());
    message.add("diameter.flags", diameter.flags());
    message.add("diameter.cmd.code", u32::from(diameter.command()));
    message.add("diameter.applicationId", diameter.application());
    message.add("diameter.hopbyhopid", diameter.hop_by_hop());
    message.add("diameter.endtoendid", diameter.end_to_end());
    let part = if diameter.is_request() { "request" } else { "answer" };
    message.summarize(format!("{} {part}", diameter.command()));
    avps(message, diameter.avps())
}

fn avps(message: &mut Message, avps_of: Avps<'_>) -> Result<(), Error> {
    for avp in avps_of {
        let avp = avp?;
        let name = match avp.known() {
            Some(AvpCode::SessionId) => {
                message.summarize(text(avp.value()));
                "diameter.Session-Id"
            }
            Some(AvpCode::OriginHost) => "diameter.Origin-Host",
            Some(AvpCode::OriginRealm) => "diameter.Origin-Realm",
            Some(AvpCode::DestinationHost) => "diameter.Destination-Host",
            Some(AvpCode::DestinationRealm) => "diameter.Destination-Realm",
            Some(AvpCode::UserName) => "diameter.User-Name",
            Some(AvpCode::ResultCode) => {
                match avp.unsigned() {
                    Ok(result) => {
                        message.add("diameter.Result-Code", result);
                        message.summarize(format!("result {result}"));
                    }
                    Err(error) => message.fail(error),
                }
                continue;
            }
            // What is wrong in a group ends the group alone: it is what Failed-AVP is for (RFC 6733 7.5).
            Some(code) if code.is_group() => {
                if let Err(error) = avp.group().and_then(|group| avps(message, group)) {
                    message.fail(error);
                }
                continue;
            }
            _ => continue,
        };
        message.add(name, text(avp.value()));
    }
    Ok(())
}

//! Fields of parameters and error causes.

use pinion_protocols::sctp::{Cause, Causes, Parameter, Parameters, RawCause, RawParameter, ReconfigRequest};

use super::chunk;
use crate::decode::Message;

/// Adds the fields of parameters, up to the first that is wrong.
pub(super) fn parameters(message: &mut Message, mut list: Parameters<'_>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    for item in list.by_ref() {
        match item {
            Ok(item) => parameter(message, &item, depth),
            Err(error) => message.fail(error),
        }
    }
    if let Some(cut) = list.cut() {
        message.add("sctp.parameter_type", u16::from(cut.kind()));
        message.add("sctp.parameter_length", cut.length());
    }
}

fn parameter(message: &mut Message, raw: &RawParameter<'_>, depth: usize) {
    message.add("sctp.parameter_type", u16::from(raw.kind()));
    message.add("sctp.parameter_length", raw.length());
    let view = match raw.parse() {
        Ok(view) => view,
        Err(error) => return message.fail(error),
    };
    match view {
        Parameter::Ipv4(address) => {
            message.add("sctp.parameter_ipv4_address", address.to_string());
        }
        Parameter::Ipv6(address) => {
            message.add("sctp.parameter_ipv6_address", address.to_string());
        }
        Parameter::Unrecognized(list) => parameters(message, list, depth),
        Parameter::CookiePreservative(increment) => {
            message.add("sctp.parameter_cookie_preservative_incr", increment);
        }
        Parameter::HostName(name) => {
            let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name).into_owned();
            message.add("sctp.parameter_hostname", name);
        }
        Parameter::SupportedAddressTypes(types) => {
            each(message, "sctp.parameter_supported_address_type", types);
        }
        Parameter::Reconfig(request) => reconfig(message, request),
        Parameter::ReconfigResponse { response, result, next_tsns } => {
            message.add("sctp.parameter_reconfig_response_sequence_number", response);
            message.add("sctp.parameter_reconfig_response_result", result);
            if let Some((sender, receiver)) = next_tsns {
                message.add("sctp.parameter_senders_next_tsn", sender);
                message.add("sctp.parameter_receivers_next_tsn", receiver);
            }
        }
        Parameter::ChunkList(types) => {
            each(message, "sctp.chunk_type_to_auth", types.iter().copied());
        }
        Parameter::HmacAlgorithms(list) => each(message, "sctp.hmac_id", list),
        Parameter::SupportedExtensions(types) => {
            each(message, "sctp.supported_chunk_type", types.iter().copied());
        }
        Parameter::Address { correlation, address, .. } => {
            message.add("sctp.correlation_id", correlation);
            parameters(message, address, depth);
        }
        Parameter::ErrorCauseIndication { correlation, causes: list } => {
            message.add("sctp.correlation_id", correlation);
            causes(message, list, depth);
        }
        Parameter::SuccessIndication(correlation) => {
            message.add("sctp.correlation_id", correlation);
        }
        Parameter::AdaptationLayer(indication) => {
            message.add("sctp.adaptation_layer_indication", indication);
        }
        Parameter::HeartbeatInfo(_)
        | Parameter::StateCookie(_)
        | Parameter::Ecn
        | Parameter::ZeroChecksumAcceptable(_)
        | Parameter::Random(_)
        | Parameter::Padding(_)
        | Parameter::ForwardTsnSupported
        | Parameter::Unknown(_) => {}
    }
}

fn reconfig(message: &mut Message, request: ReconfigRequest<'_>) {
    const REQUEST: &str = "sctp.parameter_reconfig_request_sequence_number";
    const STREAM: &str = "sctp.parameter_reconfig_sid";
    match request {
        ReconfigRequest::OutgoingReset { request, response, last_tsn, streams } => {
            message.add(REQUEST, request);
            message.add("sctp.parameter_reconfig_response_sequence_number", response);
            message.add("sctp.parameter_senders_last_assigned_tsn", last_tsn);
            each(message, STREAM, streams);
        }
        ReconfigRequest::IncomingReset { request, streams } => {
            message.add(REQUEST, request);
            each(message, STREAM, streams);
        }
        ReconfigRequest::TsnReset { request } => message.add(REQUEST, request),
        ReconfigRequest::AddOutgoing { request, streams, reserved } => {
            message.add(REQUEST, request);
            message.add("sctp.parameter_add_outgoing_streams_number", streams);
            message.add("sctp.parameter_add_outgoing_streams_reserved", reserved);
        }
        ReconfigRequest::AddIncoming { request, streams, reserved } => {
            message.add(REQUEST, request);
            message.add("sctp.parameter_add_incoming_streams_number", streams);
            message.add("sctp.parameter_add_incoming_streams_reserved", reserved);
        }
    }
}

/// Adds the fields of error causes, up to the first that is wrong.
pub(super) fn causes(message: &mut Message, mut list: Causes<'_>, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    for item in list.by_ref() {
        match item {
            Ok(item) => cause(message, &item, depth),
            Err(error) => message.fail(error),
        }
    }
    if let Some(cut) = list.cut() {
        message.add("sctp.cause_code", u16::from(cut.code()));
        message.add("sctp.cause_length", cut.length());
    }
}

fn cause(message: &mut Message, raw: &RawCause<'_>, depth: usize) {
    message.add("sctp.cause_code", u16::from(raw.code()));
    message.add("sctp.cause_length", raw.length());
    match raw.parse() {
        Ok(Cause::InvalidStreamIdentifier { stream, reserved }) => {
            message.add("sctp.cause_stream_identifier", stream);
            message.add("sctp.cause_reserved", reserved);
        }
        Ok(Cause::MissingMandatoryParameter { count, types }) => {
            message.add("sctp.cause_nr_of_missing_parameters", count);
            each(message, "sctp.cause_missing_parameter_type", types);
        }
        Ok(Cause::StaleCookie(staleness)) => {
            message.add("sctp.cause_measure_of_staleness", staleness);
        }
        Ok(Cause::NoUserData { tsn }) => message.add("sctp.cause_tsn", tsn),
        Ok(Cause::UnrecognizedChunk(mut list)) => match list.next() {
            Some(Ok(unknown)) => {
                chunk::fields(message, &unknown, depth);
            }
            Some(Err(error)) => message.fail(error),
            None => {}
        },
        Ok(Cause::Parameters(list)) => parameters(message, list, depth),
        Ok(Cause::UnsupportedHmac(id)) => message.add("sctp.hmac_id", id),
        Ok(Cause::Information(_)) => {}
        Err(error) => message.fail(error),
    }
}

fn each<T: Into<crate::decode::Value>>(
    message: &mut Message,
    name: &'static str,
    values: impl Iterator<Item = T>,
) {
    for value in values {
        message.add(name, value);
    }
}

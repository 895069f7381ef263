//! What an SCP keeps to as it is written: times, tries, limits.

use crate::config::read::record;
use crate::config::scalar::sbi::{Many, MessagePriority, Octets, Percent, Status};
use crate::config::scalar::{Span, Truth};

record! {
    /// Statuses that vendors differ in.
    Statuses = "statuses" {
        /// Of MSG_LOOP_DETECTED. Left out: 400.
        optional msg_loop_detected: Status,
        /// Of MAX_SCP_HOPS_REACHED. Left out: 502.
        optional max_scp_hops_reached: Status,
    }
}

record! {
    /// How long is waited, each 10ms to 24h but for `ping`.
    SbiTimeouts = "timeouts" {
        /// For TLS and HTTP/2 to begin on a client's connection. Left out: 10s.
        optional handshake: Span,
        /// For a connection to a producer. Left out: 2s.
        optional connect: Span,
        /// For a response, where the client sets no 3gpp-Sbi-Max-Rsp-Time. Left out: 15s.
        optional response: Span,
        /// For a response of one producer, before another is asked beside it where that does no harm; at most half of the time that
        /// is left. Left out: 4s.
        optional attempt: Span,
        /// For content to move, either way. Left out: 15s.
        optional stall: Span,
        /// Until a client's connection without requests is closed. Left out: 5m.
        optional client_idle: Span,
        /// Until a producer's connection without requests is closed. Left out: 2m.
        optional producer_idle: Span,
        /// From one PING on a producer's connection with requests to the next, 1m to 24h. Left out: 1m.
        optional ping: Span,
        /// For requests under way when the daemon ends, or a listener does. Left out: 30s.
        optional drain: Span,
        /// How long the addresses of a name are remembered. Left out: 30s.
        optional names: Span,
    }
}

record! {
    /// When another producer is tried (TS 29.500 5.2.8).
    Retries = "retries" {
        /// Attempts of one request, the first among them, but for those at producers that cannot be reached. Left out: 3.
        optional attempts: Many,
        /// Retries in percent of requests, so that they never multiply load. Left out: 20.
        optional budget: Percent,
        /// Retries a second that are free whatever the budget. Left out: 10.
        optional spare: Many,
        /// Failures in a row after which a producer is chosen last. Left out: 5.
        optional failures: Many,
        /// Until one request tries such a producer again. Left out: 10s.
        optional probation: Span,
        /// Whether clients are told to try nobody else (3gpp-Sbi-Response-Info: no-retry) where the SCP itself answers 429, 503 or
        /// 504. Left out: false.
        optional final_answers: Truth,
    }
}

record! {
    /// What one client, one producer and all together may take.
    Limits = "limits" {
        /// Connections of clients. Left out: 10000.
        optional connections: Many,
        /// Streams of one client's connection at a time. Left out: 256.
        optional streams: Many,
        /// Octets of the headers of a request or a response (RFC 9113 6.5.2). Left out: 65536.
        optional headers: Octets,
        /// Octets that may come on one stream before they are sent on. Left out: 262144.
        optional stream_window: Octets,
        /// Octets that may come on one connection before they are sent on. Left out: 4194304.
        optional connection_window: Octets,
        /// Octets that may come on all connections together before they are sent on, beside 65535 for each; beyond, windows
        /// stay that small, and clients send slower. Left out: 2147483648.
        optional buffered: Octets,
        /// Streams that a client may reset before they were looked at. Left out: 32.
        optional resets: Many,
        /// Requests that are worked on at a time. Left out: 10000.
        optional requests: Many,
        /// Requests that wait for that; beyond, the least important are refused. Left out: 10000.
        optional waiting: Many,
        /// Connections to one producer. Left out: 8.
        optional producer_connections: Many,
        /// Octets of a request's content that are kept for another attempt. Left out: 65536.
        optional kept: Octets,
        /// Resources that are pinned to their producers; of more, those that are asked for least are where their URIs say.
        /// Left out: 1000000.
        optional pins: Many,
    }
}

record! {
    /// What overload is, and whom it spares (TS 29.500 6.4).
    Overload = "overload" {
        /// Percent of `limits: {requests}` from which clients are told to send less. Left out: 80.
        optional hot: Percent,
        /// 3gpp-Sbi-Message-Priority up to which producers that are overloaded are asked too. Left out: 7.
        optional exempt: MessagePriority,
    }
}
